"""Read logs into hits: each log's new lines are parsed block by block and written as parts that wait for a commit."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import polars as pl

from crm.lake import Lake, Part
from logparse.compression import Unpacked
from logparse.errors import LogparseError
from logparse.headers import layout_of
from logparse.identity import Position, digest
from logparse.kernel import Account, Kernel
from logparse.lines import REJECTS
from logparse.robots import Robots
from logparse.rules import Rules
from logparse.spec import LogFormat
from plugins.logs.inputs import Input
from plugins.logs.ledger import Ledger, Reading, Seen, Source
from plugins.logs.opening import Opened, open_log
from plugins.logs.parallel import Pool
from plugins.logs.pieces import KEPT_REJECTS, Piece, Pieces
from plugins.logs.rejects import RejectsFile
from plugins.logs.tails import NOTHING


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        name: As the user named it.
        state: "read", "unchanged", "nothing new", "empty", "nothing to read yet", "gone" (renamed since it was
            found, so a later run reads it under its new name), or "refused".
        reading: Its row of the ledger; None where nothing was read.
        parts: The data files that were written.
        format: Name of the format, and the share of the sample that it fits where it was detected.
        rejects: The first rejected lines (schema `logparse.lines.REJECTS`).
        error: Why it was refused.
    """

    name: str
    state: str
    reading: Reading | None = None
    parts: list[Part] = field(default_factory=list)
    format: str = ""
    share: float | None = None
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTS))
    error: str = ""


@dataclass(frozen=True)
class Ready:
    """An input whose new lines can be read.

    Attributes:
        item: The input.
        number: Its place among the inputs.
        seen: What its file looked like.
        opened: The log; its blocks can be read while it is open.
        source: The number of its source.
        size: Bytes that were there when it was opened, packed ones where it is `packed`.
        packed: Whether it is compressed.
    """

    item: Input
    number: int
    seen: Seen | None
    opened: Opened
    source: int
    size: int
    packed: bool

    @property
    def prefix(self) -> str:
        """How the names of its data files begin, behind the run."""
        return f"{self.number:05d}-"


@dataclass(frozen=True)
class Intake:
    """What it takes to read logs into a lake as one run."""

    lake: Lake
    ledger: Ledger
    rules: Rules
    key: bytes
    robots: Robots
    formats: Sequence[LogFormat]
    wanted: LogFormat | None
    run: int
    verify: bool
    progress: Callable[[int, int], None]
    pool: Pool
    rejects: RejectsFile | None = None

    def read(self, item: Input, number: int) -> Outcome:
        """Read one input; what is wrong with it is in the outcome, not raised.

        Args:
            item: The input.
            number: Its place among the inputs, which names its data files.
        """
        try:
            with self.opened(item, number) as found:
                return found if isinstance(found, Outcome) else self.finish(found, *self._here(found))
        except LogparseError as error:
            return refused(item, error)

    @contextmanager
    def opened(self, item: Input, number: int) -> "Iterator[Ready | Outcome]":
        """Open one input; what became of it, if it is not worth to be read.

        Raises:
            LogparseError: it cannot be read; see `refused`.
        """
        before = item.look()
        if before and not self.verify and self.ledger.unchanged(item.place, before):
            yield Outcome(item.name, "unchanged")
            return
        with item.opened() as (stream, plain):
            seen = None
            if before:
                seen = Seen.of(os.fstat(stream.fileno()) if item.path else before, time.time_ns())
            opened = open_log(
                stream,
                plain=plain and item.path is not None,
                wanted=self.wanted,
                known=self.formats,
                ledger=self.ledger,
                charset=self.rules.charset,
                tz=self.rules.tz,
            )
            if opened is None:
                yield Outcome(item.name, "nothing to read yet" if seen and seen.size else "empty")
                return
            source = opened.source.number if opened.source else self.ledger.next_number()
            yield Ready(item, number, seen, opened, source, seen.size if seen else 0, isinstance(stream, Unpacked))

    def finish(self, log: Ready, pieces: list[Piece], parts: list[Part], error: str) -> Outcome:
        """Note what was read of a log, or delete its data files where nothing of it is to be stored.

        Args:
            log: The log.
            pieces: What its blocks became.
            parts: Their data files.
            error: Why reading has ended before its end; else empty.
        """
        outcome = self._finished(log, pieces, parts, error)
        if self.rejects is not None:
            known = outcome.reading.source if outcome.reading else log.opened.source
            self.rejects.end(log.item.name, known.number if known else None)
        return outcome

    def _finished(self, log: Ready, pieces: list[Piece], parts: list[Part], error: str) -> Outcome:
        opened = log.opened
        account = sum((piece.account for piece in pieces), Account())
        total = opened.source.account + account if opened.source else account
        if pieces:
            total += opened.taken_back
        rejects = [piece.rejects for piece in pieces] or [pl.DataFrame(schema=REJECTS)]
        outcome = Outcome(
            log.item.name,
            "read",
            parts=parts,
            format=opened.format.name,
            share=opened.share,
            rejects=pl.concat(rejects),
        )
        if not error and total.is_mostly_rejected:
            error = f"more than half of its lines do not fit the format {opened.format.name}, so none is stored"
        if error:
            self.lake.discard("hits", self.run, log.prefix)
            return replace(outcome, state="refused", parts=[], error=error)
        if not pieces and opened.source is None:
            return replace(outcome, state="empty")
        reading = _reading(log, pieces, account, total)
        self.ledger.note(reading)
        return replace(outcome, state="read" if pieces else "nothing new", reading=reading)

    def task(self, log: Ready) -> Pieces:
        """What makes the pieces of a log."""
        kernel = Kernel(layout_of(log.opened.format), self.rules, self.key, self.robots)
        return Pieces(kernel, log.source, self.run, all_rejects=self.rejects is not None)

    def gathered(self, stored: Iterable[tuple[Piece, list[Part]]]) -> tuple[list[Piece], list[Part], str]:
        """All pieces of a log as they come: what they became, their data files, and the error that ended it, if any."""
        pieces: list[Piece] = []
        parts: list[Part] = []
        room = KEPT_REJECTS
        try:
            for piece, files in stored:
                parts += files
                if self.rejects is not None:
                    self.rejects.add(piece.rejects)
                rejects = piece.rejects.head(room)
                room -= rejects.height
                pieces.append(replace(piece, rejects=rejects))
                self.progress(piece.account.lines, piece.end)
        except LogparseError as failure:
            return pieces, parts, str(failure)
        return pieces, parts, ""

    def _here(self, log: Ready) -> tuple[list[Piece], list[Part], str]:
        """All blocks parsed and stored by the processes of this machine."""

        def store(at: int, piece: Piece) -> tuple[Piece, list[Part]]:
            stored = self.lake.store("hits", piece.files, self.run, f"{log.prefix}{at:06d}")
            return replace(piece, files=[]), stored

        return self.gathered(self.pool.map(self.task(log), log.opened.blocks, store))


def refused(item: Input, error: LogparseError) -> Outcome:
    """What became of an input that cannot be read."""
    if item.found and item.path and not item.path.exists():
        return Outcome(item.name, "gone")
    return Outcome(item.name, "refused", error=str(error).removeprefix(f"{item.path}: "))


def _reading(log: Ready, pieces: list[Piece], account: Account, total: Account) -> Reading:
    """The ledger's row of what was read."""
    opened, item = log.opened, log.item
    before = opened.source
    if pieces:
        tail, beginning = pieces[-1].tail, opened.beginning
        end, cut = pieces[-1].end, pieces[-1].cut
        position = Position(digest(beginning), len(beginning), end, total.lines + 1, digest(tail), len(tail))
    else:
        assert before is not None
        position, cut = before.position, before.cut
    first = before.first_ts if before else None
    first = first or next((piece.first_ts for piece in pieces if piece.first_ts), None)
    newest = max((piece.newest_ts for piece in pieces if piece.newest_ts), default=None)
    pattern = pieces[-1].header if pieces and pieces[-1].header else opened.format.pattern
    source = Source(
        log.source,
        position,
        opened.format.name,
        pattern,
        item.place or item.name,
        first,
        total,
        opened.charset if pieces or before is None else before.charset,
        opened.tz if pieces or before is None else before.tz,
        cut,
    )
    return Reading(source, account, newest, log.seen, item.place, opened.taken_back if pieces else NOTHING)
