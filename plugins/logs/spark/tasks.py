"""What a worker does with a log: it opens it by itself, reads a stretch of it, and tells what became of each block.

Nothing here knows the driver, and what is wrong with a log is told and not raised: Spark would only try again.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from crm.lake import Lake, Part
from logparse.blocks import Block, open_stream, read_blocks
from logparse.errors import LogparseError, UnreadableSource
from logparse.headers import cut
from logparse.identity import digest
from logparse.kernel import Account, Kernel, Parsed
from logparse.rejects import parse_placed
from logparse.spec import LogFormat
from plugins.logs import objects
from plugins.logs.opening import while_same
from plugins.logs.pieces import Piece, Pieces
from plugins.logs.spark.jobs import attempt
from plugins.logs.spark.ranges import Counted, Range, Stretch, blocks_of, counted

M = TypeVar("M")

Make = Callable[[Block, str], tuple[Account, M]]
"""Makes something of a block, which has a name of its own among those of the run."""


class MissingError(UnreadableSource):
    """A worker does not find a log."""


@dataclass(frozen=True)
class FarLog:
    """A log as a worker finds it.

    Attributes:
        place: Its path or URI.
        spec: Its format.
        start: Where its first new line begins.
        packed: Whether it is compressed.
        grows: Whether more may be written to it, so that a last line without its end is no line yet.
        first: How many of its first bytes are known, and their hash.
    """

    place: str
    spec: LogFormat
    start: int
    packed: bool
    grows: bool
    first: tuple[int, str]

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The log.

        Raises:
            MissingError: this worker does not find it.
            UnreadableSource: it cannot be opened.
        """
        if objects.is_uri(self.place):
            with objects.opened(self.place) as file, open_stream(file) as (stream, _):
                yield stream
            return
        if not Path(self.place).exists():
            raise MissingError(f"the worker {socket.gethostname()} does not find it")
        with open_stream(Path(self.place)) as (stream, _):
            yield stream

    def count(self, piece: Range) -> Counted:
        """Count the lines of a range; the arguments and errors are those of `counted`."""
        with self.opened() as stream:
            return counted(stream, piece, self.spec, self.start)

    def blocks(self, stretch: Stretch) -> Iterator[Block]:
        """The blocks of a stretch, up to the moment at which the log is another one."""
        with self.opened() as stream:
            if self.packed:
                yield from self._unpacked(stream, stretch)
                return
            blocks = blocks_of(stream, stretch, self.spec, tail_is_line=not self.grows)
            yield from while_same(blocks, partial(self._is_same, stream))

    def _unpacked(self, stream: BinaryIO, stretch: Stretch) -> Iterator[Block]:
        stream.seek(stretch.begin)
        blocks = read_blocks(stream, tail_is_line=True, offset=stretch.begin, line=stretch.line)
        return cut(blocks, self.spec, stretch.header)

    def _is_same(self, stream: BinaryIO) -> bool:
        size, hashed = self.first
        stream.seek(0)
        return digest(stream.read(size)) == hashed


@dataclass(frozen=True)
class Task(Generic[M]):
    """A stretch of a log that becomes something.

    Attributes:
        log: Number of the log.
        far: The log.
        stretch: Of a compressed log, only its beginning counts.
        part: How the names of its blocks begin.
        make: What is made of a block.
    """

    log: int
    far: FarLog
    stretch: Stretch
    part: str
    make: Make[M]


@dataclass(frozen=True)
class Told(Generic[M]):
    """What became of a block of a log, or why there is none.

    Attributes:
        log: Number of the log.
        begin: Where the block begins.
        end: Where it ends.
        line: Number of its first line.
        lines: How many it has.
        made: What was made of it.
        error: Why the log cannot be read on.
        missing: Whether the worker does not find it.
    """

    log: int
    begin: int = 0
    end: int = 0
    line: int = 0
    lines: int = 0
    made: M | None = None
    error: str = ""
    missing: bool = False


def worked(task: Task[M]) -> Iterator[Told[M]]:
    """Work on a stretch of a log; runs on a worker."""
    blocks = task.far.blocks(task.stretch)
    number = 0
    while True:
        try:
            block = next(blocks, None)
        except LogparseError as error:
            yield Told(task.log, error=str(error), missing=isinstance(error, MissingError))
            return
        if block is None:
            return
        account, made = task.make(block, f"{task.part}{number:04d}")
        yield Told(task.log, block.offset, block.end, block.line, account.lines, made)
        number += 1


def count_of(far: FarLog, piece: Range) -> Counted | None:
    """What a range holds; None where it cannot be read, which reading it will tell."""
    try:
        return far.count(piece)
    except LogparseError:
        return None


@dataclass(frozen=True)
class Storing:
    """Makes pieces, and writes their data files into the lake (a `Make`)."""

    pieces: Pieces
    lake: Lake
    run: int

    def __call__(self, block: Block, part: str) -> tuple[Account, tuple[Piece, list[Part]]]:
        """Parse a block, and store its hits."""
        piece = self.pieces(block)
        stored = self.lake.store("hits", piece.files, self.run, attempt(part))
        return piece.account, (replace(piece, files=[]), stored)


@dataclass(frozen=True)
class Parsing:
    """Parses blocks, whose hits go to the driver (a `Make`)."""

    kernel: Kernel
    all_rejects: bool

    def __call__(self, block: Block, _part: str) -> tuple[Account, Parsed]:
        """Parse a block."""
        parsed = parse_placed(self.kernel, block) if self.all_rejects else self.kernel.parse(block)
        return parsed.account, parsed
