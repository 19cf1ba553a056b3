"""A file -> rows of a table of records: read, brought into form, judged, held against what is there, stored.

All of it is one transaction. Every row of the file is accounted for: rows = new + changed + same + repeated + rejected.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.atomic import replacing
from crm.audit import append
from crm.distinct import count_distinct
from crm.errors import TooManyRejects, Unusable, UsageError
from crm.exporting import unguarded
from crm.identities import current_ids
from crm.intake.mapping import EXTRAS, MapFile, guess, read_map, write_map
from crm.intake.rejects import rejects_frame
from crm.judging import Judged, Target, judged, odd
from crm.messages import counted
from crm.nearest import one_of, there_are
from crm.options import OnDuplicate
from crm.reading import STDIN, read_table, tell
from crm.storing import Changes, changes
from crm.tables import Table

if TYPE_CHECKING:
    from crm.app import App
    from crm.content import Read
    from crm.hookspecs import Writer
    from crm.reading import TableFile
    from crm.workspace import Workspace

_SHOWN: Final = 5
"""So many columns are named where none is known."""
_FEW: Final = 400
"""Up to so many keys are looked up by name; for more the table is read whole."""


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
class Outcome:
    """What became of the rows of a file."""

    rows: int
    new: int
    changed: int
    same: int
    repeated: int
    rejected: int

    def with_part(self, made: Changes) -> "Outcome":
        """The same with what a part of the rows has done."""
        return replace(
            self,
            new=self.new + made.new,
            changed=self.changed + made.changed,
            same=self.same + made.same,
            repeated=self.repeated + made.repeated,
        )

    def table(self) -> pl.DataFrame:
        """A row an outcome, and one for all."""
        names = ("new", "changed", "same", "repeated", "rejected", "rows")
        return pl.DataFrame({"outcome": names, "rows": [getattr(self, name) for name in names]})


def import_file(app: "App", target: Target, file: "TableFile", wishes: Wishes, summary: Path | None) -> pl.DataFrame:
    """Import a file into a table.

    Args:
        app: The run of the program.
        target: The table.
        file: The file.
        wishes: How.
        summary: Where to write what was done as JSON; None for nowhere.

    Returns:
        What became of the rows.

    Raises:
        UsageError: an option is wrong.
        Unusable: the file, a column, the map or the workspace cannot be used; with `fail`, a key is there already.
        TooManyRejects: more rows are rejected than the user allows; nothing is stored.
    """
    writer = _rejects_writer(app, wishes.rejects)
    found = read_table(file, app.host.readers())
    found = replace(found, frame=unguarded(found.frame)).without_empty()
    tell(app, file.name, found)
    if found.empty is not None:
        app.note(f"{counted(len(found.empty), 'empty row')} left out")
    said = _map(app, target, file.name, found.frame.columns, wishes)
    workspace = app.workspace(create=True)
    made = judged(app, target, workspace, found, said, wishes.region)
    rows = found.frame.height + (found.rejects.height if found.rejects is not None else 0)
    if wishes.rejects is not None and writer is not None:
        _write_rejects(wishes.rejects, found, made.faults, writer)
    _tell_faults(app, made.faults, found)
    del found  # as large as the rows that are made of it
    _refuse(file.name, made.good.height, rows - made.good.height, wishes)
    for sentence in odd(made, said.mapping.columns):
        app.warn(sentence)
    source = wishes.source or (file.name if file.path == STDIN else file.path.name)
    outcome = _store(workspace, target, made, source, rows, wishes)
    if summary is not None:
        _write_summary(summary, target.contract.name, source, outcome, wishes)
    if wishes.dry_run:
        app.note("nothing is stored (--dry-run)")
    return outcome.table()


def _rejects_writer(app: "App", file: Path | None) -> "Writer | None":
    """The writer of the rejects' format.

    Raises:
        UsageError: the ending of the file names none.
    """
    if file is None:
        return None
    writers = {ending: writer for writer in app.host.writers().values() for ending in writer.endings}
    if file.suffix.lower() not in writers:
        raise UsageError(f"--rejects: the ending of {file} names no format; known are {one_of(sorted(writers))}")
    return writers[file.suffix.lower()]


def _map(app: "App", target: Target, name: str, columns: Sequence[str], wishes: Wishes) -> MapFile:
    """Which column is what, as the user says, else guessed and told.

    Raises:
        Unusable: of none it can be guessed.
    """
    if wishes.map_file is not None:
        said = read_map(wishes.map_file, columns, target.fields)
    else:
        said = MapFile(guess(columns, target.fields))
    if wishes.save_map is not None:
        write_map(wishes.save_map, said, target.fields)
    known = said.mapping.columns
    if columns and not known and wishes.map_file is None:
        raise Unusable(
            f"{name}: none of its columns is known as one of {target.contract.name}; {there_are(columns, _SHOWN)}; "
            "say which is what with --map (--save-map writes one to edit), or what stands between them with --separator"
        )
    app.note(f"columns: {one_of(f'{column} → {name}' for name, column in known.items()) or 'none is known'}")
    if said.mapping.constants:
        app.note(
            f"the same in all rows: {one_of(f'{name} = {value}' for name, value in said.mapping.constants.items())}"
        )
    if said.mapping.extras:
        keeps = any(column.name == EXTRAS for column in target.contract.columns)
        what = "kept under their own names" if keeps else "left out, as there is no field for them"
        app.note(f"{what}: {one_of(said.mapping.extras)}")
    return said


def _write_rejects(file: Path, found: "Read", faults: pl.DataFrame, writer: "Writer") -> None:
    """Write the rows that are not taken, for the owner of the file alone: they are as they came."""
    rows = rejects_frame(found.frame, _numbered(faults, found), found.numbers())
    if found.rejects is not None and found.rejects.height:
        unread = found.rejects.select(pl.col("row").cast(pl.Int64), pl.col("reason"), pl.col("text"))
        rows = pl.concat([rows, unread], how="diagonal_relaxed").sort("row", maintain_order=True)
    with replacing(file) as out:
        writer.write(rows.lazy(), out)
    file.chmod(0o600)


def _numbered(faults: pl.DataFrame, found: "Read") -> pl.DataFrame:
    """Faults with the rows' numbers in the file instead of their indexes."""
    return faults.with_columns(found.numbers().gather(faults["row"]).alias("row"))


def _tell_faults(app: "App", faults: pl.DataFrame, found: "Read") -> None:
    """Say which rows are not taken, by reason, without what they hold."""
    each = (
        _numbered(faults, found).group_by("column", "reason", maintain_order=True).agg(pl.len(), pl.col("row").first())
    )
    for column, reason, count, row in each.iter_rows():
        which = f"row {row:,}" if count == 1 else f"first row {row:,}"
        app.warn(f"column `{column}`: {counted(count, 'row')} not taken: {reason}; {which}")


def _refuse(name: str, good: int, rejected: int, wishes: Wishes) -> None:
    """See that not too much is wrong.

    Raises:
        TooManyRejects: more rows are rejected than the user allows.
        Unusable: more rows are rejected than taken.
    """
    if wishes.max_rejects is not None and rejected > wishes.max_rejects:
        raise TooManyRejects(
            f"{name}: {counted(rejected, 'row')} rejected, and --max-rejects allows {wishes.max_rejects:,}; "
            "nothing is stored"
        )
    if rejected > good:
        raise Unusable(
            f"{name}: {rejected:,} of {counted(rejected + good, 'row')} rejected, so nothing is stored; "
            "is a column taken for what it is not? --save-map writes a map to correct"
        )


def _store(
    workspace: "Workspace", target: Target, judgement: Judged, source: str, rows: int, wishes: Wishes
) -> Outcome:
    """Hold the rows against the table and write what is new and what changes, in one transaction."""
    contract, good = target.contract, judgement.good
    given = good.with_columns(pl.col("source").fill_null(source))
    outcome = Outcome(rows, 0, 0, 0, 0, rows - good.height)
    late: list[pl.Series] = []
    with workspace.records.begin() as connection:
        if contract.key == (contract.person,):
            given = given.with_columns(current_ids(workspace, given[contract.person]).alias(contract.person))
        for made in changes(contract, given, _there(workspace, contract, given), wishes.how):
            outcome = outcome.with_part(made)
            if wishes.how == "fail" and len(made.duplicates):
                late.append(made.duplicates)
            elif not wishes.dry_run:
                _write(workspace, connection, target, made)
        if late:
            raise Unusable(
                f"nothing is stored: {counted(sum(map(len, late)), 'row')} with ids that are there already, the first "
                f"of them row {judgement.numbers[int(pl.concat(late).sort()[0])]:,} (--on-duplicate fail)"
            )
        if not wishes.dry_run:
            _tell_of(workspace, connection, contract.name, source, outcome)
    return outcome


def _there(workspace: "Workspace", contract: Table, given: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """The rows of the table as they were before, among them all that have the keys of the file.

    They are read while others are written, through a connection of their own.
    """
    records, key = workspace.records, contract.key[0]
    if not records.count(contract.name):
        return ()
    few = count_distinct(given[key]) <= _FEW
    some = records.table(contract.name).c[key].in_(given[key].unique().to_list()) if few else None
    return records.batches(contract.name, where=some)


def _write(workspace: "Workspace", connection: sa.Connection, target: Target, made: Changes) -> None:
    """Write what is new and what changes, after what belongs to it in other tables, which may ask what was there."""
    if target.written is not None:
        target.written(workspace, connection, made.rows, made.known)
    workspace.records.upsert(connection, target.contract.name, made.rows)


def _tell_of(workspace: "Workspace", connection: sa.Connection, table: str, source: str, outcome: Outcome) -> None:
    """Put the import on the list of imports and into the audit log."""
    runs = workspace.records.table("imports")
    number = connection.execute(sa.select(sa.func.coalesce(sa.func.max(runs.c.run), 0))).scalar_one() + 1
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(sa.insert(runs).values(run=number, ts=now, table=table, source=source, **asdict(outcome)))
    stored = outcome.new + outcome.changed
    append(connection, workspace.records.table("audit"), "import", f"{table} from {source}", stored)


def _write_summary(file: Path, table: str, source: str, outcome: Outcome, wishes: Wishes) -> None:
    """Write what was done as a JSON object."""
    said = {"table": table, "source": source, "dry_run": wishes.dry_run, **asdict(outcome)}
    with replacing(file) as out:
        out.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")
