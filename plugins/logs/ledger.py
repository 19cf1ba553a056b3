"""The ledger: which source a log is, how far it has been read, and what every run read of it.

A row of `sources` or `files` counts once the hits of its run are committed, that is while its run is not
larger than the hits table's transaction; `recover` deletes the others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from crm import __version__
from crm.records import Records
from logparse.charsets import UTF8
from logparse.identity import Position, digest
from logparse.kernel import Account
from plugins.logs.objects import Look
from plugins.logs.tails import NOTHING, Cut

KEPT_ROWS = 64
"""So many rows of a source are kept; the oldest are put together into one."""


COARSE_NS = 2_000_000_000
FINE_NS = 10_000_000
"""A file system notes times to 2 seconds, or where they have fractions of one, to 10 milliseconds at worst."""


@dataclass(frozen=True)
class Source:
    """A source as the last run left it.

    `tz` is the zone of its times, empty where they have an offset; `cut` its last line, if that was read without its
    end.
    """

    number: int
    position: Position
    format: str
    pattern: str
    name: str
    first_ts: datetime | None
    account: Account
    charset: str = UTF8
    tz: str = ""
    cut: Cut | None = None


@dataclass(frozen=True)
class Seen:
    """What a file looked like; `mtime_ns` is -1 where it may change without looking otherwise.

    A file that was changed a moment ago may be changed again, to another one of the same size, in the same tick of its
    file system's clock. So it is opened once more by the next run.
    """

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: Look, now_ns: int) -> "Seen":
        """What `stat` tells at a time."""
        tick = FINE_NS if stat.st_mtime_ns % 1_000_000_000 else COARSE_NS
        settled = now_ns - stat.st_mtime_ns > tick
        return cls(stat.st_size, stat.st_mtime_ns if settled else -1, stat.st_ino)


@dataclass(frozen=True)
class Reading:
    """What one run read of one source: a row of the ledger.

    `taken_back` is what the account of earlier runs has counted of a line that this one has read again.
    """

    source: Source
    account: Account
    newest_ts: datetime | None
    seen: Seen | None
    path: str
    taken_back: Account = NOTHING


@dataclass(frozen=True)
class Run:
    """A run that writes: its number, its kind ("mine", "drop", "prune", "rebuild"), and its rules (JSON).

    `dropped` holds the numbers of the sources that a drop has dropped, or the date that a prune has pruned to.
    """

    number: int
    kind: str
    rules: str
    started: datetime
    dropped: tuple[int | str, ...] = ()


class Ledger:
    """The ledger of a workspace, with what this run has read so far on top."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.sources: dict[int, Source] = {}
        self._files: dict[str, Seen] = {}
        self._owner: dict[str, int] = {}
        self._earlier: dict[int, dict[str, list[tuple[int, Position]]]] = {}
        self._numbers = 0

    def recover(self, committed: int) -> None:
        """Delete the rows of a run that never committed, and load the others.

        Args:
            committed: The hits table's transaction.
        """
        with self.records.begin() as connection:
            for name in ("sources", "files", "runs"):
                table = self.records.table(name)
                connection.execute(sa.delete(table).where(table.c.run > committed))
            self._forget_dropped(connection)
            self._fold(connection)
            self._load(connection)

    def _fold(self, connection: sa.Connection) -> None:
        """Put the rows of each source together, but for the newest, once there are more than `KEPT_ROWS`."""
        table = self.records.table("sources")
        counts = sa.select(table.c.source).group_by(table.c.source).having(sa.func.count() > KEPT_ROWS)
        for source in connection.execute(counts).scalars().all():
            mine = table.c.source == source
            *old, newest = connection.execute(sa.select(table).where(mine).order_by(table.c.run)).mappings().all()
            kept = dict(old[-1]) | _counts(sum((_account(row) for row in old), Account()))
            kept["newest_ts"] = max((row["newest_ts"] for row in old if row["newest_ts"]), default=None)
            connection.execute(sa.delete(table).where(mine & (table.c.run < newest["run"])))
            connection.execute(table.insert().values(kept))

    def _forget_dropped(self, connection: sa.Connection) -> None:
        """Delete the rows of sources that a later run has dropped."""
        runs = self.records.table("runs")
        drops = connection.execute(sa.select(runs.c.run, runs.c.dropped).where(runs.c.kind == "drop")).all()
        for run, dropped in drops:
            for name in ("sources", "files"):
                table = self.records.table(name)
                gone = table.c.source.in_(json.loads(dropped)) & (table.c.run < run)
                connection.execute(sa.delete(table).where(gone))

    def _load(self, connection: sa.Connection) -> None:
        self.sources.clear()
        self._files.clear()
        self._owner.clear()
        self._earlier.clear()
        table = self.records.table("sources")
        accounts: dict[int, Account] = {}
        for row in connection.execute(sa.select(table).order_by(table.c.source, table.c.run)).mappings():
            accounts[row["source"]] = accounts.get(row["source"], Account()) + _account(row)
            self._put(_source(row, accounts[row["source"]]))
        runs = self.records.table("runs")
        dropped = connection.execute(sa.select(runs.c.dropped).where(runs.c.kind == "drop")).scalars()
        self._numbers = max([0, *self.sources, *(number for text in dropped for number in json.loads(text))])
        files = self.records.table("files")
        for row in connection.execute(sa.select(files)).mappings():
            self._files[row["name"]] = Seen(row["size"], row["mtime_ns"], row["inode"])
            self._owner[row["name"]] = row["source"]

    def unchanged(self, path: str, now: Look) -> Source | None:
        """The source behind a path whose size, time of change and inode are as they were; None to open it."""
        if self._files.get(path) != Seen(now.st_size, now.st_mtime_ns, now.st_ino):
            return None
        return self.sources.get(self._owner[path])

    def candidates(self, beginning: bytes) -> list[Source]:
        """Sources that a log with this head may continue, the one read furthest first."""
        found = [source for source in self.sources.values() if source.position.begins(beginning)]
        return sorted(found, key=lambda source: -source.position.offset)

    def _put(self, source: Source) -> None:
        """Take a source's new state in."""
        before = self.sources.get(source.number)
        if before is not None and before.position.offset != source.position.offset:
            heads = self._earlier.setdefault(before.position.head, {})
            heads.setdefault(before.position.fingerprint, []).append((source.number, before.position))
        self.sources[source.number] = source

    def earlier(self, beginning: bytes) -> list[tuple[Source, Position]]:
        """Where reading of sources with this head stopped before; of many runs, only of the last ones."""
        found = [
            pair
            for size, heads in self._earlier.items()
            if size <= len(beginning)
            for pair in heads.get(digest(beginning[:size]), [])
        ]
        return [(self.sources[number], position) for number, position in found if number in self.sources]

    def next_number(self) -> int:
        """A number for a new source."""
        return self._numbers + 1

    def note(self, reading: Reading) -> None:
        """Let later logs of the same run see what has been read."""
        source = reading.source
        self._put(source)
        self._numbers = max(self._numbers, source.number)
        if reading.seen is not None:
            self._files[reading.path] = reading.seen
            self._owner[reading.path] = source.number

    def write(self, run: Run, readings: list[Reading]) -> None:
        """Write a run and its rows as pending, in one transaction."""
        sources, runs = self.records.table("sources"), self.records.table("runs")
        with self.records.begin() as connection:
            rows = _merged(readings)
            if rows:
                connection.execute(sources.insert(), [_row(reading, run.number) for reading in rows])
            self._write_files(connection, run.number, readings)
            rules = "" if run.rules == self.last_rules(connection) else run.rules
            connection.execute(
                runs.insert().values(
                    run=run.number,
                    kind=run.kind,
                    started=_naive(run.started),
                    rules=rules,
                    dropped=json.dumps(list(run.dropped)),
                    version=__version__,
                )
            )

    def last_run(self) -> int:
        """The number of the newest run; 0 before the first."""
        runs = self.records.table("runs")
        with self.records.begin() as connection:
            return connection.execute(sa.select(sa.func.max(runs.c.run))).scalar() or 0

    def write_files(self, run: int, readings: list[Reading]) -> None:
        """Write what files look like now whose lines are all known as of a run."""
        with self.records.begin() as connection:
            self._write_files(connection, run, readings)

    def _write_files(self, connection: sa.Connection, run: int, readings: list[Reading]) -> None:
        files = self.records.table("files")
        for reading in readings:
            if reading.seen is not None:
                connection.execute(sa.delete(files).where(files.c.name == reading.path))
                connection.execute(files.insert().values(_file_row(reading, run)))

    def last_rules(self, connection: sa.Connection | None = None) -> str | None:
        """The rules of the newest run, JSON; None before the first. A run by the same rules as before has none."""
        if connection is None:
            with self.records.begin() as fresh:
                return self.last_rules(fresh)
        runs = self.records.table("runs")
        newest = sa.select(runs.c.rules).where(runs.c.rules != "").order_by(runs.c.run.desc()).limit(1)
        return connection.execute(newest).scalar()

    def kinds_since(self, run: int) -> set[str]:
        """The kinds of the runs after `run`."""
        runs = self.records.table("runs")
        with self.records.begin() as connection:
            return set(connection.execute(sa.select(runs.c.kind).where(runs.c.run > run)).scalars())

    def pruned_since(self, run: int) -> date | None:
        """The date to which the runs after `run` have pruned, if they did nothing else."""
        runs = self.records.table("runs")
        with self.records.begin() as connection:
            found = connection.execute(sa.select(runs.c.kind, runs.c.dropped).where(runs.c.run > run)).all()
        dates = [date.fromisoformat(json.loads(dropped)[0]) for kind, dropped in found if kind == "prune"]
        return max(dates) if dates and len(dates) == len(found) else None


def _merged(readings: list[Reading]) -> list[Reading]:
    """One reading a source: where several logs of a run continued it, their sum and the last position."""
    merged: dict[int, Reading] = {}
    for reading in readings:
        number = reading.source.number
        if number not in merged:
            merged[number] = reading
            continue
        times = [ts for ts in (merged[number].newest_ts, reading.newest_ts) if ts is not None]
        before = merged[number]
        merged[number] = replace(
            reading,
            account=before.account + reading.account,
            taken_back=before.taken_back + reading.taken_back,
            newest_ts=max(times, default=None),
        )
    return list(merged.values())


def _account(row: Mapping[str, Any] | sa.RowMapping) -> Account:
    return Account(row["lines"], row["hits"], row["blank"], json.loads(row["filtered"]), json.loads(row["rejected"]))


def _source(row: Mapping[str, Any] | sa.RowMapping, account: Account) -> Source:
    position = Position(
        row["fingerprint"], row["head"], row["offset"], account.lines + 1, row["tail"], row["tail_bytes"]
    )
    first = row["first_ts"]
    return Source(
        row["source"],
        position,
        row["format"],
        row["pattern"],
        row["name"],
        first.replace(tzinfo=UTC) if first else None,
        account,
        row["charset"] or UTF8,
        row["tz"] or "",
        Cut.parse(row["cut"]),
    )


def _row(reading: Reading, run: int) -> dict[str, object]:
    source, position, account = reading.source, reading.source.position, reading.account
    return {
        "source": source.number,
        "run": run,
        "fingerprint": position.fingerprint,
        "head": position.head,
        "offset": position.offset,
        "tail": position.tail,
        "tail_bytes": position.tail_bytes,
        "format": source.format,
        "pattern": source.pattern,
        "charset": source.charset,
        "tz": source.tz,
        "cut": str(source.cut) if source.cut else "",
        "name": source.name,
        "first_ts": _naive(source.first_ts),
        "newest_ts": _naive(reading.newest_ts),
        **_counts(account + reading.taken_back),
    }


def _counts(account: Account) -> dict[str, object]:
    return {
        "lines": account.lines,
        "hits": account.hits,
        "blank": account.blank,
        "filtered": json.dumps(dict(account.filtered), ensure_ascii=False),
        "rejected": json.dumps(dict(account.rejected), ensure_ascii=False),
    }


def _file_row(reading: Reading, run: int) -> dict[str, object]:
    assert reading.seen is not None
    return {
        "name": reading.path,
        "size": reading.seen.size,
        "mtime_ns": reading.seen.mtime_ns,
        "inode": reading.seen.inode,
        "source": reading.source.number,
        "run": run,
    }


def _naive(ts: datetime | None) -> datetime | None:
    return ts.astimezone(UTC).replace(tzinfo=None) if ts else None
