"""Read logs without a workspace: their hits stream by, and what became of their lines is remembered."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import msgspec
import polars as pl

from crm.schema import polars_schema
from crm.turns import Turns
from logparse.behaviour import signs
from logparse.errors import LogparseError
from logparse.headers import layout_of
from logparse.identity import digest
from logparse.kernel import HITS, Account, Kernel, Parsed
from logparse.rejects import parse_placed
from logparse.robots import Robots
from logparse.rules import Rules, SessionRules
from logparse.sessions import in_order, is_view
from logparse.sessions import sessions as cut
from logparse.spec import LogFormat
from plugins.logs.contracts import SESSIONS
from plugins.logs.inputs import Input
from plugins.logs.opening import Opened, open_log
from plugins.logs.parallel import Pool
from plugins.logs.pieces import KEPT_REJECTS
from plugins.logs.rejects import RejectsFile
from plugins.logs.words import Told, account_in_words, format_words, logs_in_words

if TYPE_CHECKING:
    from crm.app import App

DEFAULT_KEY = bytes(32)
"""Visitor ids are made with this key where there is no workspace, so that anybody gets the same ones."""


@dataclass(eq=False)
class Log:
    """What is known of a log so far.

    Attributes:
        name: As the user named it.
        opened: Its format and its first lines; None while it is not open, and for one without lines.
        account: Where its lines went.
        rejects: The first rejected lines: number, reason, directive at fault.
        first_ts: Time of its first hit.
        error: Why it cannot be used.
        ended: Whether reading has come to its end.
    """

    name: str
    opened: Opened | None = None
    account: Account = field(default_factory=Account)
    rejects: list[tuple[int, str, str | None]] = field(default_factory=list)
    first_ts: datetime | None = None
    error: str = ""
    ended: bool = False

    @property
    def fingerprint(self) -> str:
        """Hash of its first lines."""
        return digest(self.opened.beginning) if self.opened else ""

    def add(self, parsed: Parsed) -> None:
        """Remember what became of a block."""
        self.account += parsed.account
        room = KEPT_REJECTS - len(self.rejects)
        self.rejects += parsed.rejects.select("line", "reason", "field").head(room).rows()
        if self.first_ts is None and parsed.hits.height:
            self.first_ts = parsed.hits["ts"][0]

    @property
    def told(self) -> Told:
        """What the user is told of it."""
        if self.error:
            return Told(self.name, "refused", error=self.error)
        if self.opened is None:
            return Told(self.name, "empty")
        how = format_words(self.opened.format.name, self.opened.share)
        return Told(self.name, "read", how, self.account, self.rejects)


Parse = Callable[[int, Log], Iterator[Parsed]]
"""What the blocks of a log become, which is the input of this number; first of all it opens the log."""


@contextmanager
def here(reader: "Reader") -> Iterator[Parse]:
    """Parse blocks by the processes of this machine."""
    robots = Robots(reader.rules.robots)
    with Pool() as pool:

        def parse(number: int, log: Log) -> Iterator[Parsed]:
            with reader.inputs[number].opened() as (stream, _):
                log.opened = reader.open(stream)
                if log.opened is None:
                    return
                kernel = reader.kernel(log.opened, robots)
                task = kernel.parse if reader.rejects is None else partial(parse_placed, kernel)
                yield from pool.map(task, log.opened.blocks, lambda _, parsed: parsed)

        yield parse


@dataclass(frozen=True)
class Reader:
    """Logs to be read once, in their order.

    Attributes:
        inputs: The logs.
        formats: The formats to detect.
        wanted: The format to use; None to detect it.
        rules: By which lines become hits.
        key: The pseudonym key.
        rejects: Takes the rejected lines, if they are wanted.
        place: Where blocks are parsed.
        logs: What is known of each log so far.
    """

    inputs: Sequence[Input]
    formats: Sequence[LogFormat]
    wanted: LogFormat | None
    rules: Rules
    key: bytes
    rejects: RejectsFile | None = None
    place: "Callable[[Reader], AbstractContextManager[Parse]]" = here
    logs: list[Log] = field(default_factory=list)

    def hits(self) -> Iterator[tuple[Log, pl.DataFrame]]:
        """Hits (schema `logparse.kernel.HITS`) by block; what is wrong with a log is noted there, not raised.

        The last line of a log counts also where its end is missing: nobody will come back for it.
        """
        with self.place(self) as parse:
            for number, item in enumerate(self.inputs):
                log = Log(item.name)
                self.logs.append(log)
                try:
                    yield from self._read(log, parse(number, log))
                except OSError as error:
                    log.error = error.strerror or str(error)
                except LogparseError as error:
                    log.error = str(error).removeprefix(f"{item.path}: ")
                finally:
                    if self.rejects is not None:
                        self.rejects.end(item.name, None)
                log.ended = True

    def _read(self, log: Log, blocks: Iterator[Parsed]) -> Iterator[tuple[Log, pl.DataFrame]]:
        for parsed in blocks:
            log.add(parsed)
            if self.rejects is not None:
                self.rejects.add(parsed.rejects)
            yield log, parsed.hits
        if log.opened is not None and log.account.is_mostly_rejected:
            log.error = f"more than half of its lines do not fit the format {log.opened.format.name}"

    def open(self, stream: BinaryIO) -> Opened | None:
        """What a log is; None for one without lines.

        Raises:
            LogparseError: it cannot be read.
        """
        return open_log(
            stream,
            plain=False,
            wanted=self.wanted,
            known=self.formats,
            ledger=None,
            charset=self.rules.charset,
            tz=self.rules.tz,
        )

    def kernel(self, opened: Opened, robots: Robots) -> Kernel:
        """What parses the blocks of a log."""
        return Kernel(layout_of(opened.format), self.rules, self.key, robots)

    @property
    def account(self) -> Account:
        """Where all lines went so far."""
        return sum((log.account for log in self.logs), Account())


def visitor_key(app: "App") -> bytes:
    """The key of the workspace if there is one, else `DEFAULT_KEY`; no key is made."""
    if not (app.workspace_path / "key").exists():
        return DEFAULT_KEY
    return app.workspace().key


FILE = "file"
"""The column that names a hit's log where several are read."""


PARSED = {name: dtype for name, dtype in HITS.items() if name != "line"} | {FILE: pl.String, "line": pl.Int64}
"""Columns of what `crm logs parse` prints."""


@contextmanager
def stream(reader: Reader) -> Iterator[pl.LazyFrame]:
    """The hits of all logs as a table that can be read once, within the block, part by part and in little memory."""
    from polars.io.plugins import register_io_source

    def blocks(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for log, hits in reader.hits():
            frame = hits.with_columns(pl.lit(log.name).alias(FILE)).select(*PARSED)
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if columns is None else frame.select(columns)
            frame = frame if rows is None else frame.head(rows)
            yield frame
            if rows is not None:
                rows -= frame.height
                if rows <= 0:
                    return

    turns = Turns()
    try:
        yield register_io_source(lambda *asked: turns.each(blocks(*asked)), schema=PARSED)
    finally:
        turns.end()


@contextmanager
def merged(reader: Reader) -> Iterator[pl.LazyFrame]:
    """The hits of all logs that can be used, in the order of hits."""
    frames = [(log, hits.with_columns(pl.lit(log.name).alias(FILE)).select(*PARSED)) for log, hits in reader.hits()]
    ranked = _ranked(reader, frames)
    yield ranked.sort("ts", "rank", "line").drop("rank").lazy() if ranked.width else pl.LazyFrame(schema=PARSED)


def ranks(logs: Sequence[Log]) -> dict[Log, int]:
    """The place of each log that can be used among those that have hits of one instant."""
    began = {log: (log.first_ts, log.fingerprint) for log in logs if log.first_ts and not log.error}
    return {log: number for number, log in enumerate(sorted(began, key=lambda log: began[log]))}


def _ranked(reader: Reader, frames: Sequence[tuple[Log, pl.DataFrame]]) -> pl.DataFrame:
    """The hits of usable logs with the `rank` of their log among those that have hits of one instant."""
    rank = ranks(reader.logs)
    ranked = [hits.with_columns(pl.lit(rank[log], dtype=pl.Int32).alias("rank")) for log, hits in frames if log in rank]
    return pl.concat(ranked) if ranked else pl.DataFrame()


def sessions(reader: Reader, rules: SessionRules, *, raw: bool) -> pl.DataFrame:
    """The sessions of all logs together, as the table `sessions` has them, ordered by start.

    Args:
        reader: The logs; those that cannot be used are left out.
        rules: Where to cut.
        raw: Every hit is a view, and nobody is judged by behaviour.
    """
    rules = msgspec.structs.replace(rules, robots=None) if raw else rules
    frames = [(log, needed(hits, rules, raw=raw)) for log, hits in reader.hits()]
    ranked = _ranked(reader, frames)
    del frames
    if not ranked.width:
        return pl.DataFrame(schema=polars_schema(SESSIONS))
    hits = in_order(ranked)
    del ranked
    return ordered(cut(hits, rules))


def ordered(found: pl.DataFrame) -> pl.DataFrame:
    """Sessions as the table `sessions` has them, ordered by start."""
    dated = found.with_columns(pl.col("start").dt.date().alias("date"))
    return dated.select(*polars_schema(SESSIONS)).sort("start", "visitor", "session")


def needed(hits: pl.DataFrame, rules: SessionRules, *, raw: bool) -> pl.DataFrame:
    """What sessions are made of, so that not more is held in memory."""
    columns = ["visitor", "ts", "page", "login", "bot", "line"]
    if rules.new_referrer:
        columns += ["referrer", "host"]
    kept = hits if raw else hits.filter(pl.col("bot").is_null())
    return kept.select(*columns, is_view(raw).alias("view"), signs())


def tell(reader: Reader, note: Callable[[str], None], *, limit: int | None = None) -> None:
    """Tell what became of the lines.

    Args:
        reader: The logs.
        note: Tells the user a line.
        limit: How many rows were asked for; where they were found, the rest was not read.
    """
    for line in logs_in_words([log.told for log in reader.logs]):
        note(line)
    if not reader.logs or not reader.logs[-1].ended or len(reader.logs) < len(reader.inputs):
        note(f"reading ended with row {limit:,}; so far:")
    for line in account_in_words(reader.account):
        note(line)
