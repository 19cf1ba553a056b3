"""A log in byte ranges, each of which is read by itself: where lines begin, their numbers, the headers in force.

A range is cut at any byte. A first pass counts the line ends in each; with these it is known where the first line that
ends in a range begins, and its number. So ranges become *stretches* of whole lines, which are read in any order.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from logparse.blocks import BLOCK_SIZE, Block, count_lines, read_blocks
from logparse.columns import DATE
from logparse.errors import UnreadableSource
from logparse.headers import HEADED, after, cut, header_lines
from logparse.spec import LogFormat
from plugins.logs.streams import Positioned

CHUNK = 1 << 20
"""So many bytes are counted at a time."""


@dataclass(frozen=True)
class Range:
    """Some bytes of a log, from `begin` up to `end`."""

    begin: int
    end: int


@dataclass(frozen=True)
class Counted:
    """What the first pass finds in a range.

    Attributes:
        lines: How many lines end in it.
        end: Where the last of them ends, behind its line end; -1 if none does.
        headers: Of the header lines that begin in it, the last of each kind.
    """

    lines: int
    end: int
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """Whole lines of a log.

    Attributes:
        begin: Where the first one begins.
        end: Where the last one ends; of the last stretch, where the log ended when it was planned.
        line: Number of the first one.
        header: The header in force before it (`logparse.headers`).
    """

    begin: int
    end: int
    line: int
    header: str = ""


def ranges_of(begin: int, end: int, size: int) -> list[Range]:
    """Some bytes of a log in ranges of about `size` bytes; a last one would not be worth a task if it were short."""
    edges = [*range(begin, max(end - size // 2, begin + 1), size), end]
    return [Range(*pair) for pair in pairwise(edges)]


def counted(stream: BinaryIO, piece: Range, spec: LogFormat, start: int) -> Counted:
    """Count the lines that end in a range, and find its headers where the format has any.

    Args:
        stream: The log.
        piece: The range.
        spec: The format.
        start: Where the first new line of the log begins.

    Raises:
        UnreadableSource: the device fails.
    """
    lines, end, at = 0, -1, piece.begin
    try:
        stream.seek(at)
        while chunk := stream.read(min(CHUNK, piece.end - at)):
            lines += count_lines(chunk)
            if found := chunk.rfind(b"\n") + 1:
                end = at + found
            at += len(chunk)
        headers = tuple(_headers(stream, piece, spec, start)) if spec.syntax in HEADED else ()
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error
    return Counted(lines, end, headers)


def _headers(stream: BinaryIO, piece: Range, spec: LogFormat, start: int) -> Iterator[str]:
    """The last header line of each kind among the lines that begin in a range."""
    last: dict[bool, str] = {}
    stream.seek(max(piece.begin - 1, start))
    begins = piece.begin == start or stream.read(1) == b"\n"
    for block in read_blocks(stream, tail_is_line=True, offset=piece.begin, size=CHUNK):
        if block.offset >= piece.end:
            break
        for at, line in header_lines(block.data, spec):
            place = block.end - (len(block.data) - at) if at else block.offset
            if place < piece.end and (place > piece.begin or begins):
                last.pop(line.startswith(DATE), None)  # the order in which they stand is kept
                last[line.startswith(DATE)] = line
    yield from last.values()


@dataclass(frozen=True)
class Joining:
    """Ranges of a log that become stretches, in their order.

    Attributes:
        spec: The format.
        next: The stretch that is not ended yet.
        headers: Header lines that have been passed since it began.
    """

    spec: LogFormat
    next: Stretch
    headers: tuple[str, ...] = ()

    def add(self, found: Counted) -> "tuple[Joining, Stretch | None]":
        """What follows a range, and the stretch that ends in it, if one does."""
        headers = (*self.headers, *found.headers)
        if found.end < 0:
            return replace(self, headers=headers), None
        header = after(headers, self.spec, self.next.header) if headers else self.next.header
        begun = Stretch(found.end, self.next.end, self.next.line + found.lines, header)
        return Joining(self.spec, begun), replace(self.next, end=found.end)


def blocks_of(
    stream: BinaryIO, stretch: Stretch, spec: LogFormat, *, tail_is_line: bool, size: int = BLOCK_SIZE
) -> Iterator[Block]:
    """The blocks of a stretch, as reading the log in one go would give these lines.

    Args:
        stream: The log.
        stretch: The stretch.
        spec: The format.
        tail_is_line: Whether an unterminated last line of the log counts.
        size: Bytes that are read at once.

    Raises:
        UnreadableSource: the device fails.
    """
    part = io.BufferedReader(Section(stream, stretch.begin, stretch.end))
    blocks = read_blocks(part, tail_is_line=tail_is_line, offset=stretch.begin, line=stretch.line, size=size)
    return cut(blocks, spec, stretch.header)


class Section(Positioned):
    """Some bytes of a stream, as a stream of their own."""

    def __init__(self, stream: BinaryIO, begin: int, end: int) -> None:
        super().__init__(end - begin)
        self._stream = stream
        self._begin = begin

    def readinto(self, buffer: "memoryview[int]", /) -> int:  # type: ignore[override]  # it is given nothing else
        """The next bytes, fewer only at the end."""
        wanted = max(0, min(len(buffer), self._size - self._at))
        self._stream.seek(self._begin + self._at)
        count: int = self._stream.readinto(buffer[:wanted])  # type: ignore[attr-defined]  # all streams have it
        self._at += count
        return count
