"""Read logs into hits: each log's new lines are parsed block by block and written as parts that wait for a commit."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from crm.lake import Lake, Part
from logparse.blocks import open_stream
from logparse.errors import LogparseError, UnreadableSource
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
        path = str(item.path.resolve()) if item.path else ""
        try:
            before = _stat(item.path) if item.path else None
            if before and not self.verify and self.ledger.unchanged(path, before):
                return Outcome(item.name, "unchanged")
            with open_stream(item.stream) as (stream, plain):
                seen = Seen.of(os.fstat(stream.fileno()), time.time_ns()) if item.path else None
                opened = open_log(
                    stream,
                    plain=plain and item.path is not None,
                    wanted=self.wanted,
                    known=self.formats,
                    ledger=self.ledger,
                    charset=self.rules.charset,
                    tz=self.rules.tz,
                )
                outcome = self._read_opened(opened, item, number, path, seen)
            if self.rejects is not None:
                known = outcome.reading.source if outcome.reading else opened and opened.source
                self.rejects.end(item.name, known.number if known else None)
            return outcome
        except LogparseError as error:
            if item.found and item.path and not item.path.exists():
                return Outcome(item.name, "gone")
            return Outcome(item.name, "refused", error=str(error).removeprefix(f"{item.path}: "))

    def _read_opened(self, opened: Opened | None, item: Input, number: int, path: str, seen: Seen | None) -> Outcome:
        if opened is None:
            return Outcome(item.name, "nothing to read yet" if seen and seen.size else "empty")
        source = opened.source.number if opened.source else self.ledger.next_number()
        pieces, parts, error = self._pieces(opened, source, number)
        account = sum((piece.account for piece in pieces), Account())
        total = opened.source.account + account if opened.source else account
        if pieces:
            total += opened.taken_back
        rejects = [piece.rejects for piece in pieces] or [pl.DataFrame(schema=REJECTS)]
        outcome = Outcome(
            item.name,
            "read",
            parts=parts,
            format=opened.format.name,
            share=opened.share,
            rejects=pl.concat(rejects).head(KEPT_REJECTS),
        )
        if not error and total.is_mostly_rejected:
            error = f"more than half of its lines do not fit the format {opened.format.name}, so none is stored"
        if error:
            self.lake.discard("hits", self.run, _prefix(number))
            return replace(outcome, state="refused", parts=[], error=error)
        if not pieces and opened.source is None:
            return replace(outcome, state="empty")
        reading = _reading(opened, source, pieces, account, total, item, path, seen)
        self.ledger.note(reading)
        return replace(outcome, state="read" if pieces else "nothing new", reading=reading)

    def _pieces(self, opened: Opened, source: int, number: int) -> tuple[list[Piece], list[Part], str]:
        """All blocks parsed and stored: what they became, their data files, and the error that ended it, if any."""
        kernel = Kernel(layout_of(opened.format), self.rules, self.key, self.robots)
        task = Pieces(kernel, source, self.run, all_rejects=self.rejects is not None)
        pieces: list[Piece] = []
        parts: list[Part] = []

        def store(at: int, piece: Piece) -> tuple[Piece, list[Part]]:
            stored = self.lake.store("hits", piece.files, self.run, f"{_prefix(number)}{at:06d}")
            return replace(piece, files=[]), stored

        try:
            for piece, stored in self.pool.map(task, opened.blocks, store):
                parts += stored
                if self.rejects is not None:
                    self.rejects.add(piece.rejects)
                rejects = piece.rejects.head(KEPT_REJECTS) if len(pieces) < KEPT_REJECTS else piece.rejects.clear()
                pieces.append(replace(piece, rejects=rejects))
                self.progress(piece.account.lines, piece.end)
        except LogparseError as failure:
            return pieces, parts, str(failure)
        return pieces, parts, ""


def _prefix(number: int) -> str:
    """How the names of the data files of an input begin."""
    return f"{number:05d}-"


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise UnreadableSource(error.strerror or str(error)) from error


def _reading(
    opened: Opened,
    number: int,
    pieces: list[Piece],
    account: Account,
    total: Account,
    item: Input,
    path: str,
    seen: Seen | None,
) -> Reading:
    """The ledger's row of what was read."""
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
        number,
        position,
        opened.format.name,
        pattern,
        path or item.name,
        first,
        total,
        opened.charset if pieces or before is None else before.charset,
        opened.tz if pieces or before is None else before.tz,
        cut,
    )
    return Reading(source, account, newest, seen, path, opened.taken_back if pieces else NOTHING)
