"""Table contracts: name, columns, types, units, owner, and which columns are personal.

The contract of a table is data. The lake creates tables from it, output masks by it, and the
documentation is generated from it. Plugins add their tables through the `tables` hook.
"""

from dataclasses import dataclass
from typing import Literal

Store = Literal["lake", "records"]
Mask = Literal["address", "name"]
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

    `mask` names how a personal value is shown (None: not personal); `unit` is what a number counts.
    """

    name: str
    type: ColumnType
    help: str
    unit: str = ""
    mask: Mask | None = None


@dataclass(frozen=True)
class Table:
    """A table of the workspace: where it is kept, its columns in order, and who writes it.

    A lake table with `by_date` is partitioned by its `date` column (UTC), which must then be its first column.
    `key` names the columns that tell the rows of a records table apart.
    """

    name: str
    help: str
    columns: tuple[Column, ...]
    owner: str
    store: Store = "lake"
    by_date: bool = True
    key: tuple[str, ...] = ()
