"""The lake of a workspace: Delta tables for what is large.

Data files are written by Polars and published by one Delta commit, which carries the number of the run as an
application transaction. Whatever a run that never committed has left behind is named by its number and swept up.
"""

import json
import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from crm.datafiles import DataFile, encode
from crm.errors import Unusable
from crm.schema import delta_schema, polars_schema
from crm.tables import Table

APPLICATION = "mine"
"""Name of the application transaction whose version is the number of the run."""

COMPACTION = "compact"
"""Name of the application transaction whose version is the number of the compaction."""

_RUN = re.compile(r"^r(\d+)-(?:c(\d+)-)?")


@dataclass(frozen=True)
class Part:
    """A data file that has been written and waits for its commit."""

    path: str
    size: int
    rows: int
    date: date | None
    first: str | None = None
    last: str | None = None


class Lake:
    """The Delta tables of a workspace.

    Args:
        root: Folder of the lake.
        tables: Contracts of all tables; those with the store "lake" live here.
    """

    def __init__(self, root: Path, tables: Mapping[str, Table]) -> None:
        self.root = root
        self.contracts = {name: table for name, table in tables.items() if table.store == "lake"}
        self._open: dict[str, DeltaTable] = {}
        self._files: dict[str, pl.DataFrame] = {}

    def open(self, name: str) -> DeltaTable | None:
        """The Delta table as it was when this lake opened it or committed to it; None while it was never written.

        Raises:
            Unusable: its log of commits is damaged.
        """
        if name not in self._open:
            try:
                self._open[name] = DeltaTable(self.root / name)
            except TableNotFoundError:
                return None
            except DeltaError as error:
                reason = str(error).splitlines()[0][:200]
                raise Unusable(
                    f"the table {self.root / name} is damaged; restore it from a backup: {reason}"
                ) from error
        return self._open[name]

    def transaction(self, name: str, application: str = APPLICATION) -> int:
        """The number of the last run, or compaction, that this table has; 0 before the first."""
        table = self.open(name)
        return (table.transaction_version(application) or 0) if table else 0

    def scan(self, name: str, *, dates: Collection[date] | None = None, since_run: int | None = None) -> pl.LazyFrame:
        """The table as it is now; empty while it was never written. Columns as in its contract.

        Args:
            name: The table.
            dates: Only rows of these dates.
            since_run: Only rows that were stored by a run after this one (the table has a column `run`).

        Raises:
            Unusable: a data file is missing or cut short.
        """
        files = self.files(name)
        if dates is not None:
            files = files.filter(pl.col("date").is_in(list(dates)))
        if since_run is not None:
            files = files.filter(pl.col("path").str.extract(r"r(\d+)-[^/]*$", 1).cast(pl.Int64) > since_run)
        frame = self.read(name, files)
        return frame if since_run is None else frame.filter(pl.col("run") > since_run)

    def read(self, name: str, files: pl.DataFrame) -> pl.LazyFrame:
        """The rows of some of a table's data files (rows of `files`), columns as in its contract.

        Raises:
            Unusable: one of them is missing or cut short.
        """
        contract = self.contracts[name]
        schema = polars_schema(contract)
        if not files.height:
            return pl.LazyFrame(schema=schema)
        paths = [self._whole(name, path, size) for path, size in files.sort("path").select("path", "size").iter_rows()]
        partition = {"date": pl.Date()} if contract.by_date else None
        return pl.scan_parquet(
            paths,
            schema={key: kind for key, kind in schema.items() if not contract.by_date or key != "date"},
            cast_options=pl.ScanCastOptions(categorical_to_string="allow"),
            hive_partitioning=contract.by_date,
            hive_schema=partition,
            glob=False,
        ).select(*schema)

    def _whole(self, name: str, path: str, size: int) -> Path:
        """A data file, once it is known to be there in its length."""
        file = self.root / name / path
        try:
            found = file.stat().st_size
        except FileNotFoundError:
            raise Unusable(
                f"the data file {file} of the table {name} is missing; if `crm logs drop` or `prune` runs at this "
                "moment, try again, else restore the workspace from a backup"
            ) from None
        if found != size:
            raise Unusable(f"the data file {file} is damaged: it has {found:,} bytes instead of {size:,}; restore it")
        return file

    def files(self, name: str) -> pl.DataFrame:
        """The data files: `path`, `date`, `rows`, `size`, and `first`, `last` (times of `ts`, where it has one)."""
        schema = {
            "path": pl.String,
            "date": pl.Date,
            "rows": pl.Int64,
            "size": pl.Int64,
            "first": pl.String,
            "last": pl.String,
        }
        table = self.open(name)
        if table is None:
            return pl.DataFrame(schema=schema)
        if name in self._files:
            return self._files[name]
        actions = pl.DataFrame(table.get_add_actions(flatten=True))
        times = [
            pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias(alias)
            if column in actions.columns
            else pl.lit(None).alias(alias)
            for column, alias in (("min.ts", "first"), ("max.ts", "last"))
        ]
        day = pl.col("partition.date") if self.contracts[name].by_date else pl.lit(None, dtype=pl.Date)
        self._files[name] = actions.select(
            "path",
            day.alias("date"),
            pl.col("num_records").alias("rows"),
            pl.col("size_bytes").alias("size"),
            *times,
        ).cast(schema)  # type: ignore[arg-type]  # a plain mapping of types is what `cast` takes
        return self._files[name]

    def newest(self, name: str) -> datetime | None:
        """The latest `ts` of a table, from the statistics of its files; None for an empty one."""
        last = self.files(name)["last"].max()
        return datetime.fromisoformat(last) if isinstance(last, str) else None

    def write(self, name: str, frame: pl.DataFrame, run: int, part: str) -> list[Part]:
        """Write rows as data files, one for each date, that wait for `commit`.

        Args:
            name: The table.
            frame: Columns of its contract, in any order; texts may be Categoricals, which are written faster.
            run: Number of the run, which names the files.
            part: Tells the files of one run apart.
        """
        return self.store(name, encode(self.contracts[name], frame), run, part)

    def store(self, name: str, files: Collection[DataFile], run: int, part: str) -> list[Part]:
        """Write data files that wait for `commit`; the arguments are those of `write`."""
        return [self._store_file(name, file, f"r{run}-{part}.parquet") for file in files]

    def _store_file(self, name: str, file: DataFile, path: str) -> Part:
        if file.date is not None:
            path = f"date={file.date}/{path}"
        place = self.root / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as out:
            out.write(file.data)
            out.flush()
            os.fdatasync(out.fileno())
        return Part(path, len(file.data), file.rows, file.date, file.first, file.last)

    def discard(self, name: str, run: int, part: str) -> None:
        """Delete the data files of a run that shall not be committed.

        Args:
            name: The table.
            run: Number of the run.
            part: How the names of these parts begin.
        """
        for file in (self.root / name).rglob(f"r{run}-{part}*.parquet"):
            file.unlink()

    def commit(self, name: str, add: Collection[Part], run: int, *, replace: Collection[date] | None = None) -> None:
        """Publish data files in one step.

        Args:
            name: The table.
            add: What `write` returned.
            run: Number of the run, stored as the application transaction.
            replace: Dates whose present rows go; for a table without dates, any collection replaces all rows.
        """
        gone = self.files(name).head(0) if replace is None else self.files(name)
        if replace is not None and self.contracts[name].by_date:
            gone = gone.filter(pl.col("date").is_in(list(replace)))
        self._publish(name, add, gone, Transaction(APPLICATION, run))

    def compact(self, name: str, add: Collection[Part], gone: pl.DataFrame, number: int) -> None:
        """Publish data files that hold the rows of others, which go, in one step; no row changes.

        Args:
            name: The table.
            add: What `write` returned, with a part that begins with `c` and the number.
            gone: The files that they replace: rows of `files`.
            number: Number of the compaction, one more than that of the last.
        """
        self._publish(name, add, gone, Transaction(COMPACTION, number), changes=False)

    def erase(self, name: str, add: Collection[Part], gone: pl.DataFrame, number: int) -> None:
        """Publish data files that hold what is left of others' rows, which go, in one step; the run stays the last one.

        Args:
            name: The table.
            add: What `write` returned, with a part that begins with `c` and the number.
            gone: The files that they replace: rows of `files`.
            number: Number of the compaction, one more than that of the last.
        """
        self._publish(name, add, gone, Transaction(COMPACTION, number))

    def _publish(
        self, name: str, add: Collection[Part], gone: pl.DataFrame, version: Transaction, *, changes: bool = True
    ) -> None:
        contract = self.contracts[name]
        table = self.open(name) or self._create(name)
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [_add_action(part, now, changes) for part in add]
        old = gone.select("path", "size", "date").iter_rows()
        actions += [RemoveAction(path, changes, now, size, _partition(day)) for path, size, day in old]
        table.create_write_transaction(
            actions,
            "append",
            delta_schema(contract),
            ["date"] if contract.by_date else [],
            commit_properties=CommitProperties(app_transactions=[version]),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=True),
        )
        self._open.pop(name, None)
        self._files.pop(name, None)

    def _create(self, name: str) -> DeltaTable:
        contract = self.contracts[name]
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return DeltaTable.create(
            folder,
            delta_schema(contract),
            partition_by=["date"] if contract.by_date else None,
            configuration={"delta.logRetentionDuration": "interval 7 days"},
        )

    def replaced(self, name: str, keep: timedelta) -> Sequence[Path]:
        """The data files on the disk that commits have replaced.

        Args:
            name: The table.
            keep: How long ago at least, in whole hours.
        """
        table = self.open(name)
        if table is None:
            return []
        hours = max(0, keep // timedelta(hours=1))
        paths = table.vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False)
        return [file for file in (self.root / name / path for path in paths) if file.exists()]

    def vacuum(self, name: str, keep: timedelta) -> int:
        """Delete data files that have been replaced, once nobody reads them; returns how many bytes that frees.

        Args:
            name: The table.
            keep: How long ago they must have been replaced, so that a query that is under way still finds them.
        """
        freed = 0
        for file in self.replaced(name, keep):
            freed += file.stat().st_size
            file.unlink()
            with suppress(OSError):  # other files are left in the folder
                file.parent.rmdir()
        return freed

    def sweep(self, name: str) -> int:
        """Delete what a run, or a compaction, that never committed has left; returns how many files."""
        last, compacted = self.transaction(name), self.transaction(name, COMPACTION)
        count = 0
        for file in (self.root / name).rglob("*.parquet"):
            match = _RUN.match(file.name)
            if match and (int(match[1]) > last or int(match[2] or 0) > compacted):
                file.unlink()
                count += 1
        return count


def _add_action(part: Part, now: int, changes: bool) -> AddAction:
    stats: dict[str, object] = {"numRecords": part.rows}
    if part.first is not None:
        stats |= {"minValues": {"ts": part.first}, "maxValues": {"ts": part.last}, "nullCount": {"ts": 0}}
    return AddAction(part.path, part.size, _partition(part.date), now, changes, json.dumps(stats))


def _partition(day: date | None) -> dict[str, str | None]:
    return {} if day is None else {"date": day.isoformat()}
