"""Bytes -> blocks. A block is some MiB of whole lines with its place in the stream; no more is read."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from logparse.compression import MAGIC_BYTES, Unpacked, kind_of
from logparse.errors import UnreadableSource

BLOCK_SIZE = 16 << 20
"""Bytes that are read at once, uncompressed."""

TAIL = 4096
"""So much of the last line tells whether a log is the one that was read before."""

NEAR_END = 64 << 10
"""So near to the end of a block a line end is looked for before it is read."""

MAX_LINE = 1 << 20
"""A longer line is rejected; of it, only so many bytes and `CUT` are kept in memory."""

CUT = "…".encode()

LF = ord("\n")
CACHED = 256 << 10


@dataclass(frozen=True)
class Block:
    """Whole lines of one stream.

    Attributes:
        data: The lines with their line ends; the last may lack one at the end of a stream.
        offset: Where the first line begins in the (uncompressed) stream, in bytes.
        end: Where the last line ends. More than `offset + len(data)` where an endless line was cut short.
        line: Number of the first line, from 1.
        header: The header in force, where the log's format has one (see `logparse.headers`).
    """

    data: bytes
    offset: int
    end: int
    line: int
    header: str = ""

    @property
    def last_line(self) -> bytes:
        """The end of the last line, with its line end, as it stands before `end`: at most `TAIL` bytes."""
        end = len(self.data) - self.data.endswith(b"\n")
        line = self.data[self.data.rfind(b"\n", 0, end) + 1 :]
        if len(line) > MAX_LINE and self.end - self.offset != len(self.data):
            return self.data[end:]
        return line[-TAIL:]


@contextmanager
def open_stream(path: Path | BinaryIO) -> Iterator[tuple[BinaryIO, bool]]:
    """A log as (stream of its uncompressed bytes, whether it is plain and so may still grow).

    Raises:
        UnreadableSource: it cannot be opened.
    """
    if not isinstance(path, Path):
        yield _unpacked(path)[0], False
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableSource(f"{path}: {error.strerror}") from error
    with file:
        yield _unpacked(file)


def _unpacked(file: BinaryIO) -> tuple[BinaryIO, bool]:
    """The stream behind the magic bytes, and whether it was plain."""
    reader = file if hasattr(file, "peek") else io.BufferedReader(cast(io.RawIOBase, file))
    try:
        kind = kind_of(reader.peek(MAGIC_BYTES))
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error
    if kind is None:
        return reader, True
    return cast(BinaryIO, Unpacked(reader, kind)), False


def read_blocks(
    stream: BinaryIO, *, tail_is_line: bool, offset: int = 0, line: int = 1, size: int = BLOCK_SIZE
) -> Iterator[Block]:
    """Cut a stream into blocks at line ends.

    Args:
        stream: Positioned at `offset`, which is where line number `line` begins.
        tail_is_line: Whether an unterminated last line counts; else it is pending and left for a later run.
        offset: Bytes before the first that is read.
        line: Number of the first line.
        size: Bytes that are read at once.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    carry = _Carry()
    plain = isinstance(stream, io.BufferedReader) and stream.seekable()
    while chunk := _read(stream, _whole_lines(stream, size) if plain else size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            carry.add(chunk)
            continue
        data, end = carry.close(chunk[:cut]), offset + carry.length + cut
        yield Block(data, offset, end, line)
        offset, line = end, line + count_lines(data)
        carry = _Carry()
        carry.add(chunk[cut:])
    if carry.length and tail_is_line:
        yield Block(carry.data or b"\0", offset, offset + carry.length, line)


def count_lines(data: bytes) -> int:
    """How many LFs there are; piece by piece, which stays in the processor's cache and is faster than `bytes.count`."""
    codes = np.frombuffer(data, dtype=np.uint8)
    return sum(int(np.count_nonzero(codes[at : at + CACHED] == LF)) for at in range(0, len(codes), CACHED))


def _whole_lines(stream: BinaryIO, size: int) -> int:
    """How much to read of a file so that it ends with a line end, which saves copying; else `size`."""
    at = stream.tell()
    window = min(size, NEAR_END)
    stream.seek(at + size - window)
    found = _read(stream, window).rfind(b"\n")
    stream.seek(at)
    return size - window + found + 1 if found >= 0 else size


class _Carry:
    """The beginning of a line whose end is not yet read; of an endless one, only what `MAX_LINE` allows.

    A hole of NUL bytes does not make a line endless: where a log was emptied while its server keeps on
    writing at the old place, one of any length comes before the next line.
    """

    def __init__(self) -> None:
        self.data = b""
        self.length = 0
        self.is_cut = False

    def add(self, chunk: bytes) -> None:
        """Take in more of the line."""
        self.length += len(chunk)
        if self.is_cut:
            return
        self.data += chunk
        if len(self.data) > MAX_LINE:
            self.data = self.data.lstrip(b"\0")
        if len(self.data) > MAX_LINE:
            self.data, self.is_cut = self.data[:MAX_LINE] + CUT, True

    def close(self, chunk: bytes) -> bytes:
        """The line, and what follows it in a chunk; of an endless line, only its beginning and its end."""
        if not self.data:
            return chunk
        return self.data + (chunk[chunk.index(b"\n") :] if self.is_cut else chunk)


def _read(stream: BinaryIO, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error
