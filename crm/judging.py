"""The rows of a file, brought into form -> those that are good, the faults of the others, and what is odd."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl
import sqlalchemy as sa

from crm.intake.fields import Field
from crm.intake.mapping import MapFile
from crm.intake.normalise import normalised
from crm.intake.rules import violations
from crm.intake.statistics import suspects
from crm.messages import counted
from crm.tables import Table

if TYPE_CHECKING:
    from crm.app import App
    from crm.content import Read
    from crm.workspace import Workspace

Complete: TypeAlias = "Callable[[Workspace, pl.DataFrame], pl.DataFrame]"
Written: TypeAlias = "Callable[[Workspace, sa.Connection, pl.DataFrame, pl.Series], None]"
Barred: TypeAlias = "Callable[[Workspace, pl.DataFrame], pl.Series]"
Check: TypeAlias = "Callable[[Workspace, pl.DataFrame], pl.DataFrame]"

_REGION: Final = "CN"
"""Country of phone numbers where nobody has named one."""
_SHOWN: Final = 5
"""So many values that are unlike the others are told one by one."""


@dataclass(frozen=True)
class Target:
    """A table that files can be imported into.

    Attributes:
        contract: The table's.
        thing: What a row is, for messages.
        fields: Which of its columns a file may have, and by what names.
        complete: Gives rows the keys that the file lacks.
        barred: Which rows may not come in, because a person has been forgotten.
        written: Writes what belongs to the rows into other tables, in the same transaction, just before they are.
        check: What is wrong with rows: `row` (index), `column`, `reason`, `severity` (reject or warn).
    """

    contract: Table
    thing: str
    fields: tuple[Field, ...]
    complete: Complete
    barred: "Barred | None" = None
    written: "Written | None" = None
    check: "Check | None" = None


@dataclass(frozen=True)
class Judged:
    """The rows of a file, judged.

    Attributes:
        good: The rows that may go in, with the fields of the table and with keys.
        numbers: Which row of the file each of them was.
        faults: `row` (index in the frame that was read), `column`, `reason` of each fault of the other rows.
        broken: `row` (number in the file), `column`, `reason` of rules that good rows break and that only warn.
    """

    good: pl.DataFrame
    numbers: pl.Series
    faults: pl.DataFrame
    broken: pl.DataFrame


def judged(
    app: "App", target: Target, workspace: "Workspace", found: "Read", said: MapFile, region: str | None
) -> Judged:
    """Bring the rows of a file into form and judge them; how columns were understood is told.

    Args:
        app: The run of the program.
        target: The table that they are for.
        workspace: The workspace.
        found: The rows.
        said: What is known of their columns, and the rules.
        region: Country of phone numbers that name none, as the user has said; None for that of the map.
    """
    made = normalised(
        found.frame,
        said.mapping,
        target.fields,
        region=(region or said.region or _REGION).upper(),
        dates=said.dates,
        zone=said.zone or "UTC",
    )
    for sentence in made.notes:
        app.note(sentence)
    for sentence in made.warnings:
        app.warn(sentence)
    rows = target.complete(workspace, made.frame)
    broken = violations(rows, said.rules, extras=said.mapping.extras, columns=said.mapping.columns)
    if target.check is not None:
        wrong = target.check(workspace, rows).select(broken.columns).cast(broken.schema)
        broken = pl.concat([broken, _by_header(wrong, said)])
    faults = pl.concat([made.faults, broken.filter(severity="reject").select(made.faults.columns)])
    late = pl.concat([_keyless(target, rows, faults), _forgotten(target, workspace, rows, faults)])
    faults = pl.concat([faults, _by_header(late, said)])
    good = pl.Series([True], dtype=pl.Boolean).new_from_index(0, rows.height)
    good = good.scatter(faults["row"].unique(), False) if faults.height else good
    numbers = found.numbers()
    warned = broken.filter(severity="warn").drop("severity")
    warned = warned.with_columns(numbers.gather(warned["row"]).alias("row")).filter(good.gather(warned["row"]))
    return Judged(
        rows if good.all() else rows.filter(good), numbers.filter(good), faults.sort("row", maintain_order=True), warned
    )


def _by_header(faults: pl.DataFrame, said: MapFile) -> pl.DataFrame:
    """Faults that name fields, with the headers of the file in their place."""
    return faults.with_columns(pl.col("column").replace(said.mapping.columns))


def _keyless(target: Target, rows: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Faults of rows that lack a part of their key, and have no fault yet that says so."""
    parts = []
    for name in target.contract.key:
        at = rows[name].is_null().arg_true().cast(faults.schema["row"])
        lacking = pl.DataFrame({"row": at}).with_columns(column=pl.lit(name), reason=pl.lit("is missing"))
        parts.append(lacking.filter(~pl.col("row").is_in(faults["row"].implode())))
    return pl.concat([faults.clear(), *parts])


def _forgotten(target: Target, workspace: "Workspace", rows: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Faults of rows of people who have been forgotten."""
    if target.barred is None:
        return faults.clear()
    at = target.barred(workspace, rows).arg_true().cast(faults.schema["row"])
    person = target.contract.person
    return pl.DataFrame({"row": at}).with_columns(
        column=pl.lit(person), reason=pl.lit("this person has been forgotten")
    )


def odd(made: Judged, columns: Mapping[str, str]) -> list[str]:
    """Sentences on good rows that are odd: they break a rule that only warns, or are unlike all others.

    Args:
        made: The rows.
        columns: Field and column of the file.
    """
    broken = made.broken.group_by("column", "reason", maintain_order=True).agg(pl.len(), pl.col("row").first())
    told = [
        f"column `{column}`: {counted(count, 'row')} {reason}, first row {row:,}"
        for column, reason, count, row in broken.iter_rows()
    ]
    each = suspects(made.good).group_by("column", "what", maintain_order=True).agg(pl.len(), pl.col("row").first())
    unlike = [
        f"column `{columns.get(column, column)}`, row {made.numbers[row]:,}: {what}"
        + (f" (and {count - 1:,} more)" if count > 1 else "")
        for column, what, count, row in each.iter_rows()
    ]
    rest = len(unlike) - _SHOWN
    more = [f"{rest:,} more values are unlike the others of their columns"] if rest > 0 else []
    return [*told, *unlike[:_SHOWN], *more]
