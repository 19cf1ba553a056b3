"""Open a log: which source is it, where does reading go on, and which format has it."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from crm.nearest import did_you_mean, one_of
from logparse.blocks import Block, read_blocks
from logparse.detect import detect
from logparse.errors import FormatError, UnreadableSource
from logparse.headers import HEADED, cut, marks
from logparse.identity import Position, head
from logparse.pattern import compile_pattern, guess_syntax
from logparse.spec import LogFormat
from plugins.logs.ledger import Ledger, Source

BEGINNING = 256 << 10
"""So many bytes of a log are looked at to know it and its format."""


@dataclass(frozen=True)
class Opened:
    """A log that is ready to be read on.

    Attributes:
        source: The source that it continues; None for a new one.
        format: Its log format.
        share: How much of the sample the format fits, where it was detected; else None.
        beginning: Its first lines (see `logparse.identity.head`).
        blocks: Its new lines.
    """

    source: Source | None
    format: LogFormat
    share: float | None
    beginning: bytes
    blocks: Iterator[Block]


def choose_format(given: str, known: Sequence[LogFormat]) -> LogFormat | None:
    """The format that the user asks for by name or pattern; None for auto.

    Raises:
        FormatError: there is no such format, or its pattern cannot be compiled.
    """
    if given == "auto":
        return None
    named = {candidate.name: candidate for candidate in known}
    if given in named:
        return named[given]
    if not any(mark in given for mark in "%$#{"):
        names = ("auto", *named)
        raise FormatError(f"no log format `{given}`{did_you_mean(given, names)}; there are: {one_of(names)}")
    chosen = guess_syntax(given)
    compile_pattern(chosen)
    return chosen


def open_log(
    stream: BinaryIO,
    *,
    plain: bool,
    wanted: LogFormat | None,
    known: Sequence[LogFormat],
    ledger: Ledger | None,
) -> Opened | None:
    """Find out what a log is, and where reading goes on; None while all its lines are empty or comments.

    Args:
        stream: At the log's first byte.
        plain: Whether it is an uncompressed file, whose unterminated last line is still pending.
        wanted: The format to use; None to take that of the source, or to detect it.
        known: The formats to detect.
        ledger: What has been read before; None to read everything.

    Raises:
        UnknownFormat: no known format fits.
        UnreadableSource: the compressed data are damaged.
    """
    seekable = stream.seekable()
    start = stream.tell() if seekable else 0  # a shell may have read some of its standard input
    headers = marks(known if wanted is None else [wanted, *known])
    first, whole = beginning(stream, headers, plain=plain)
    top = head(whole, headers)
    if not top:
        return None
    candidates = ledger.candidates(top) if ledger else []
    if candidates and not seekable:
        stream, seekable = _spooled(first, stream), True
    source, offset = _continued(stream, start, candidates)
    format_, share = _format(source, wanted, known, whole)
    line = source.position.line if source else 1
    rest: BinaryIO = stream
    if seekable:
        stream.seek(start + offset)
    else:
        rest = _Replayed(first, stream)  # type: ignore[assignment]  # it reads, which is all that is asked of it
    blocks = cut(read_blocks(rest, tail_is_line=not plain, offset=offset, line=line), format_)
    return Opened(source, format_, share, top, blocks)


def beginning(stream: BinaryIO, headers: tuple[bytes, ...], *, plain: bool) -> tuple[bytes, bytes]:
    """The first bytes of a log, up to its first lines that are neither empty nor comments, and a sample of these.

    Args:
        stream: At the log's first byte.
        headers: How header lines begin that are no comments.
        plain: Whether the log may grow, so that an unterminated last line is no line yet.

    Returns:
        All bytes that were read, and whole lines from the end of them; the latter hold nothing but comments if
        the log does.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    first = chunk = sample = read(stream, BEGINNING)
    while True:
        ended = len(chunk) < BEGINNING
        lines = sample[: sample.rfind(b"\n") + 1] if plain and ended else sample
        if ended or head(lines, headers):
            return first, lines
        chunk = read(stream, BEGINNING)
        sample = sample[sample.rfind(b"\n") + 1 :].lstrip(b"\0") + chunk
        first += chunk


def read(stream: BinaryIO, size: int) -> bytes:
    """Read some bytes.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    try:
        return stream.read(size)
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error


def _format(
    source: Source | None, wanted: LogFormat | None, known: Sequence[LogFormat], sample: bytes
) -> tuple[LogFormat, float | None]:
    """The format to read with: the one asked for, else the source's, else the one that fits."""
    if wanted is None and source is None:
        return detect(sample, known)
    same = (candidate for candidate in known if source and candidate.name == source.format)
    found = wanted or next(same, None)
    if source is None:
        assert found is not None
        return found, None
    if found is None:
        return guess_syntax(source.pattern), None
    if found.syntax in HEADED and found.name == source.format:
        return replace(found, pattern=source.pattern), None  # the header in force where reading goes on
    return found, None


def _continued(stream: BinaryIO, start: int, candidates: Sequence[Source]) -> tuple[Source | None, int]:
    """The source that a log continues, and where its new lines begin; (None, 0) for a new one."""
    for source in candidates:
        offset = _goes_on(stream, start, source.position)
        if offset is not None:
            return source, offset
    return None, 0


def _goes_on(stream: BinaryIO, start: int, position: Position) -> int | None:
    """Where the lines behind a position begin; None if the bytes before it are not those that were read.

    That is the position itself, or behind the LF of a last line that was read before its LF was written: on
    standard input and in compressed logs the last line counts without one.
    """
    try:
        stream.seek(start + position.offset - position.tail_bytes)
        found = stream.read(position.tail_bytes + 1)
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error
    last, following = found[: position.tail_bytes], found[position.tail_bytes :]
    if not position.ends(last):
        return None
    return position.offset + (following == b"\n" and not last.endswith(b"\n"))


def _spooled(first: bytes, stream: BinaryIO) -> BinaryIO:
    """A stream that can only be read once, as a temporary file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is read after this function, and goes when that ends
    file.write(first)
    while chunk := read(stream, 1 << 20):
        file.write(chunk)
    return file


class _Replayed:
    """A stream whose first bytes, already read, are read again."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._first = first
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        taken, self._first = self._first[:size], self._first[size:]
        return taken + self._stream.read(size - len(taken)) if len(taken) < size else taken
