"""Table contracts: name, columns, types, units, owner, and which columns are personal.

The contract of a table is data. The lake creates tables from it, output masks by it, and the
documentation is generated from it. Plugins add their tables through the `tables` hook.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Store = Literal["lake", "records"]
Mask = Literal["address", "name", "phone", "email", "number", "date", "hidden"]
ColumnType = Literal[
    "boolean",
    "int8",
    "int16",
    "int32",
    "int64",
    "float64",
    "string",
    "date",
    "timestamp",
    "list[string]",
    "list[timestamp]",
]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `mask` names how a personal value is shown (None: not personal); `unit` is what a number counts; `secret` is a
    text that is kept encrypted where the configuration says so.
    """

    name: str
    type: ColumnType
    help: str
    unit: str = ""
    mask: Mask | None = None
    secret: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the workspace: where it is kept, its columns in order, and who writes it.

    A lake table with `by_date` is partitioned by its `date` column (UTC), which must then be its first column.
    `key` names the columns that tell the rows of a records table apart, and `indexes` more columns that rows are
    looked up by. `person` names the column that says whose a row is; when that person is forgotten, the row is deleted,
    or, where `keep` is true, stays with its personal columns emptied. `others` names more columns that hold ids of
    people: a row that names one who is forgotten in one of them is deleted as well. A records table that is `local`
    tells of the workspace's own lake, so it stays in the workspace also where records are in a database for a team.
    """

    name: str
    help: str
    columns: tuple[Column, ...]
    owner: str
    store: Store = "lake"
    by_date: bool = True
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    person: str = ""
    others: tuple[str, ...] = ()
    keep: bool = False
    local: bool = False


def with_personal(table: Table, personal: Mapping[str, Mask]) -> Table:
    """The contract with more columns personal: those of these names, with their masks."""
    columns = (
        replace(column, mask=column.mask or personal.get(column.name)) if column.name in personal else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))
