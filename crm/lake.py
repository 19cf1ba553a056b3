"""The lake of a workspace: Delta tables for what is large.

Data files are written by Polars and published by one Delta commit, which carries the number of the run as an
application transaction. Whatever a run that never committed has left behind is named by its number and swept up.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from crm.datafiles import DataFile, encode
from crm.errors import Damaged, Unusable
from crm.schema import delta_schema, polars_schema
from crm.storage.refusals import telling
from crm.tables import Table

if TYPE_CHECKING:
    from crm.storage.places import Place

APPLICATION = "mine"
"""Name of the application transaction whose version is the number of the run."""

COMPACTION = "compact"
"""Name of the application transaction whose version is the number of the compaction."""

_ATTEMPT = re.compile(r"-[0-9a-f]{16}\.parquet$")
"""How the names of files end that one of several attempts has written."""

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
        place: Where its files are; each table has a folder of its name there.
        tables: Contracts of all tables; those with the store "lake" live here.
        claim: Called before the first commit; raises if somebody else writes to the place.
    """

    def __init__(self, place: "Place", tables: Mapping[str, Table], claim: Callable[[], None] | None = None) -> None:
        self.place = place
        self._claim = claim
        self.contracts = {name: table for name, table in tables.items() if table.store == "lake"}
        self._open: dict[str, DeltaTable] = {}
        self._files: dict[str, pl.DataFrame] = {}

    def open(self, name: str) -> DeltaTable | None:
        """The Delta table as it was when this lake opened it or committed to it; None while it was never written.

        Raises:
            Unusable: its log of commits is damaged.
        """
        if name not in self._open:
            found = delta_table(self.place, name)
            if found is None:
                return None
            self._open[name] = found
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
        files = self.files(name) if since_run is None else self.written_since(name, since_run)
        if dates is not None:
            files = files.filter(pl.col("date").is_in(list(dates)))
        frame = self.read(name, files)
        return frame if since_run is None else frame.filter(pl.col("run") > since_run)

    def written_since(self, name: str, run: int) -> pl.DataFrame:
        """The data files (rows of `files`) that hold rows of runs after this one, and maybe others."""
        number = pl.col("path").str.extract(r"r(\d+)-[^/]*$", 1).cast(pl.Int64)
        return self.files(name).filter(number > run)

    def read(self, name: str, files: pl.DataFrame) -> pl.LazyFrame:
        """The rows of some of a table's data files (rows of `files`), columns as in its contract.

        Raises:
            Unusable: one of them is missing or cut short.
        """
        contract = self.contracts[name]
        schema = polars_schema(contract)
        if not files.height:
            return pl.LazyFrame(schema=schema)
        paths = self._whole(name, files.sort("path"))
        partition = {"date": pl.Date()} if contract.by_date else None
        return pl.scan_parquet(
            paths,
            schema={key: kind for key, kind in schema.items() if not contract.by_date or key != "date"},
            cast_options=pl.ScanCastOptions(categorical_to_string="allow"),
            hive_partitioning=contract.by_date,
            hive_schema=partition,
            glob=False,
            storage_options=self.place.options,
            credential_provider=None,  # the keys are those that Delta Lake finds by itself
        ).select(*schema)

    def _whole(self, name: str, files: pl.DataFrame) -> list[str]:
        """Where data files are, once they are known to be there in their length."""
        wanted = {f"{name}/{path}": size for path, size in files.select("path", "size").iter_rows()}
        there = self.place.sizes(wanted)
        for path, size in wanted.items():
            file = self.place.uri(path)
            if path not in there:
                raise Damaged(
                    f"the data file {file} of the table {name} is missing; if `crm logs drop` or `prune` runs at this "
                    "moment, try again, else restore the workspace from a backup"
                )
            if there[path] != size:
                raise Damaged(
                    f"the data file {file} is damaged: it has {there[path]:,} bytes instead of {size:,}; restore it"
                )
        return [self.place.uri(path) for path in wanted]

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
        self.place.write(f"{name}/{path}", file.data)
        return Part(path, len(file.data), file.rows, file.date, file.first, file.last)

    def discard(self, name: str, run: int, part: str) -> None:
        """Delete the data files of a run that shall not be committed.

        Args:
            name: The table.
            run: Number of the run.
            part: How the names of these parts begin.
        """
        begin = f"r{run}-{part}"
        self.place.delete([path for path in self._data_files(name) if _file_name(path).startswith(begin)])

    def _data_files(self, name: str) -> Iterator[str]:
        """The paths of all data files of a table in the place, whoever has written them."""
        return (path for path in self.place.names(name) if path.endswith(".parquet"))

    def keep(self, name: str, run: int, parts: Collection[Part]) -> int:
        """Delete all data files of a run but those that are to be committed; returns how many.

        Where many processes write, some try twice, and those that fail or come second leave files.

        Raises:
            Unusable: what others have written is not here.
        """
        kept = {f"{name}/{part.path}" for part in parts}
        begin = f"r{run}-"
        there = {path for path in self._data_files(name) if _file_name(path).startswith(begin)}
        if lost := len(kept - there):
            raise Unusable(
                f"{lost:,} of {len(kept):,} data files that workers have written are not in the lake "
                f"{self.place.name}, and nothing is stored: name a folder that they and this machine share, or a "
                "bucket, with lake.url"
            )
        self.place.delete(sorted(there - kept))
        return len(there - kept)

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
        if self._claim is not None:
            self._claim()
            self._claim = None
        contract = self.contracts[name]
        table = self.open(name) or self._create(name)
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [_add_action(part, now, changes) for part in add]
        old = gone.select("path", "size", "date").iter_rows()
        actions += [RemoveAction(path, changes, now, size, _partition(day)) for path, size, day in old]
        with telling(self.place, "written"):
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
        self.place.make(name)
        with telling(self.place, "written"):
            return DeltaTable.create(
                self.place.uri(name),
                delta_schema(contract),
                partition_by=["date"] if contract.by_date else None,
                configuration={"delta.logRetentionDuration": "interval 7 days"},
                storage_options=self.place.options,
            )

    def replaced(self, name: str, keep: timedelta) -> dict[str, int]:
        """The data files that commits have replaced and that are still there: their paths in the place, and bytes.

        Args:
            name: The table.
            keep: How long ago at least, in whole hours.
        """
        table = self.open(name)
        if table is None:
            return {}
        hours = max(0, keep // timedelta(hours=1))
        paths = table.vacuum(retention_hours=hours, dry_run=True, enforce_retention_duration=False)
        return self.place.sizes([f"{name}/{path}" for path in paths])

    def vacuum(self, name: str, keep: timedelta) -> int:
        """Delete data files that have been replaced, once nobody reads them; returns how many bytes that frees.

        Args:
            name: The table.
            keep: How long ago they must have been replaced, so that a query that is under way still finds them.
        """
        files = self.replaced(name, keep)
        self.place.delete(files, folders=True)
        return sum(files.values())

    def sweep(self, name: str) -> int:
        """Delete what a run, or a compaction, that never committed has left; returns how many files."""
        last, compacted = self.transaction(name), self.transaction(name, COMPACTION)
        left = []
        for path in self._data_files(name):
            match = _RUN.match(_file_name(path))
            if match and (int(match[1]) > last or int(match[2] or 0) > compacted):
                left.append(path)
        left += self._strays(name)
        self.place.delete(left)
        return len(left)

    def _strays(self, name: str) -> list[str]:
        """Files of attempts that went on writing when their run had ended without them: no commit names them."""
        tried = [path for path in self._data_files(name) if _ATTEMPT.search(path)]
        if not tried:
            return []
        known = {f"{name}/{path}" for path in self.files(name)["path"]} | {*self.replaced(name, timedelta(0))}
        return [path for path in tried if path not in known]


def delta_table(place: "Place", name: str) -> DeltaTable | None:
    """A table of a lake as it is now; None where there is none.

    Raises:
        Unusable: its log of commits is damaged, or it cannot be reached.
    """
    try:
        with telling(place, "read"):
            return DeltaTable(place.uri(name), storage_options=place.options)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        reason = str(error).splitlines()[0][:200]
        raise Damaged(f"the table {place.uri(name)} is damaged; restore it from a backup: {reason}") from error


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _add_action(part: Part, now: int, changes: bool) -> AddAction:
    stats: dict[str, object] = {"numRecords": part.rows}
    if part.first is not None:
        stats |= {"minValues": {"ts": part.first}, "maxValues": {"ts": part.last}, "nullCount": {"ts": 0}}
    return AddAction(part.path, part.size, _partition(part.date), now, changes, json.dumps(stats))


def _partition(day: date | None) -> dict[str, str | None]:
    return {} if day is None else {"date": day.isoformat()}
