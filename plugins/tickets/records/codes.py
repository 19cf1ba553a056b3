"""Codes that rows name, and the tables that know them: an unknown one is told, with those that look like it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.nearest import one_of, several
from plugins.tickets import contracts
from plugins.tickets.records.faults import FAULT_SCHEMA, faults_of

if TYPE_CHECKING:
    from crm.workspace import Workspace

_LOOKED_UP: Final = 20
"""For so many unknown codes of a column those that look like them are searched."""


@dataclass(frozen=True)
class Code:
    """A column that names rows of another table.

    Attributes:
        column: The column.
        table: The table that knows them.
        thing: What one is, for messages.
        hint: The command that imports them.
        key: The column of the table.
        always: Whether a code is unknown, too, where the table is empty.
    """

    column: str
    table: str
    thing: str
    hint: str
    key: str = ""
    always: bool = False


DEALER: Final = Code("dealer", contracts.DEALERS.name, "dealer", "crm centre dealers import")
LABOUR: Final = Code("labour_code", contracts.LABOUR.name, "labour code", "crm centre labour import")
FAULT: Final = Code("fault_code", contracts.FAULTS.name, "fault code", "crm centre faults import")
PART: Final = Code("part", contracts.PARTS.name, "part", "crm centre parts import")
TICKET: Final = Code("ticket", contracts.TICKETS.name, "ticket", "crm tickets import", always=True)


def unknown(workspace: "Workspace", rows: pl.DataFrame, codes: Sequence[Code]) -> pl.DataFrame:
    """Faults of rows that name what there is not.

    Where a table is empty its codes are not checked, and one warning says so.

    Args:
        workspace: The workspace.
        rows: The rows.
        codes: Which of their columns name what.
    """
    return pl.concat([pl.DataFrame(schema=FAULT_SCHEMA), *(_of(workspace, rows, code) for code in codes)])


def _of(workspace: "Workspace", rows: pl.DataFrame, code: Code) -> pl.DataFrame:
    key = code.key or code.column
    given = rows[code.column]
    if given.null_count() == rows.height:
        return pl.DataFrame(schema=FAULT_SCHEMA)
    known = workspace.records.frame(code.table, columns=[key])[key]
    if known.is_empty() and not code.always:
        reason = f"not checked, as no {code.thing}s are known yet (`{code.hint}`)"
        return faults_of(rows, code.column, given.is_not_null(), reason, "warn")
    strange = given.is_not_null() & ~given.is_in(known.implode())
    if not strange.any():
        return pl.DataFrame(schema=FAULT_SCHEMA)
    distinct = given.filter(strange).unique(maintain_order=True)
    plain = f"is no known {code.thing} (`{code.hint}`)"
    looked = distinct.head(_LOOKED_UP).to_list()
    reasons = {each: _reason(each, known.to_list(), code.thing, plain) for each in looked}
    told = given.replace_strict(reasons, default=plain, return_dtype=pl.String)
    return faults_of(rows, code.column, strange, told, "reject")


def _reason(word: str, known: list[str], thing: str, plain: str) -> str:
    """Why a code is refused; the code itself is not told, as a wrong column may hold anything."""
    close = several(word, known)
    return f"is no known {thing}; the nearest: {one_of(close)}" if close else plain
