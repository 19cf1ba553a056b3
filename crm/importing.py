"""A file -> rows of a table of records: read, brought into form, judged, held against what is there, stored.

All of it is one transaction. Every row of the file is accounted for: rows = new + changed + same + repeated + rejected.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl
import sqlalchemy as sa

from crm.audit import append
from crm.errors import TooManyRejects, Unusable
from crm.intake.fields import Field
from crm.intake.mapping import MapFile, guess, read_map, write_map
from crm.intake.normalise import normalised
from crm.intake.rejects import rejects_frame
from crm.intake.rules import violations
from crm.intake.statistics import suspects
from crm.messages import counted
from crm.nearest import one_of
from crm.storing import Changes, OnDuplicate, changes
from crm.tables import Table

if TYPE_CHECKING:
    from crm.app import App
    from crm.content import Read
    from crm.reading import TableFile
    from crm.workspace import Workspace

Complete: TypeAlias = "Callable[[Workspace, pl.DataFrame], pl.DataFrame]"
Written: TypeAlias = "Callable[[Workspace, sa.Connection, pl.DataFrame], None]"
Barred: TypeAlias = "Callable[[Workspace, pl.DataFrame], pl.Series]"

ROW: Final = "row"
_SHOWN: Final = 5
"""So many rejected rows, and suspects, are told one by one."""


@dataclass(frozen=True)
class Target:
    """A table that files can be imported into.

    Attributes:
        contract: The table's.
        thing: What a row is, for messages.
        fields: Which of its columns a file may have, and by what names.
        complete: Gives rows the keys that the file lacks.
        barred: Which rows may not come in, because a person has been forgotten.
        written: Writes what belongs to the rows into other tables, in the same transaction.
    """

    contract: Table
    thing: str
    fields: tuple[Field, ...]
    complete: Complete
    barred: Barred | None = None
    written: Written | None = None


@dataclass(frozen=True)
class Wishes:
    """How the user wants a file to be imported.

    Attributes:
        map_file: Which column is what, and rules; None to guess, without rules.
        save_map: Where to write what was guessed.
        how: What becomes of rows whose key is there.
        dry_run: Whether to store nothing.
        rejects: File for rows that are not taken.
        max_rejects: From more rejected rows on nothing is stored.
        region: Country of phone numbers that name none.
        source: What the rows are said to come from; None for the name of the file.
    """

    map_file: Path | None = None
    save_map: Path | None = None
    how: OnDuplicate = "update"
    dry_run: bool = False
    rejects: Path | None = None
    max_rejects: int | None = None
    region: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Judged:
    """The rows of a file, judged.

    Attributes:
        good: Rows in the contract's types, and their numbers in the file in the column `row`.
        faults: `row`, `column`, `reason` of each fault of the others.
        warnings: Sentences on rows that go in although something is odd.
    """

    good: pl.DataFrame
    faults: pl.DataFrame
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of the rows of a file."""

    rows: int
    new: int
    changed: int
    same: int
    repeated: int
    rejected: int

    def table(self) -> pl.DataFrame:
        """As a table with a row an outcome."""
        names = ("new", "changed", "same", "repeated", "rejected")
        counts = [getattr(self, name) for name in names]
        return pl.DataFrame({"outcome": [*names, "rows in all"], "rows": [*counts, self.rows]})
