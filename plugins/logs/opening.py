"""Open a log: which source is it, where does reading go on, and which format has it."""

import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from crm.errors import UsageError
from logparse.blocks import Block, read_blocks
from logparse.detect import detect
from logparse.errors import FormatError, UnreadableSource
from logparse.identity import Position, head
from logparse.pattern import guess_syntax
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
        UsageError: there is no such format.
    """
    if given == "auto":
        return None
    for candidate in known:
        if candidate.name == given:
            return candidate
    try:
        return guess_syntax(given)
    except FormatError as error:
        names = ", ".join(candidate.name for candidate in known)
        raise UsageError(f"{error}; known formats: auto, {names}") from error


def open_log(
    stream: BinaryIO, *, plain: bool, wanted: LogFormat | None, known: Sequence[LogFormat], ledger: Ledger | None
) -> Opened | None:
    """Find out what a log is, and where reading goes on; None while it holds no line but comments.

    Args:
        stream: At its beginning.
        plain: Whether it is an uncompressed file, whose unterminated last line is still pending.
        wanted: The format to use; None to take that of the source, or to detect it.
        known: The formats to detect.
        ledger: What has been read before; None to read everything.

    Raises:
        UnknownFormat: no known format fits.
        UnreadableSource: the compressed data are damaged.
    """
    first = read(stream, BEGINNING)
    whole = first[: first.rfind(b"\n") + 1] if plain and len(first) < BEGINNING else first
    beginning = head(whole)
    if not beginning:
        return None
    candidates = ledger.candidates(beginning) if ledger else []
    if candidates and not stream.seekable():
        stream = _spooled(first, stream)
    source = next((c for c in candidates if _ends(stream, c.position)), None)
    format_, share = _format(source, wanted, known, whole)
    offset, line = (source.position.offset, source.position.line) if source else (0, 1)
    rest: BinaryIO = stream
    if stream.seekable():
        stream.seek(offset)
    else:
        rest = _Replayed(first, stream)  # type: ignore[assignment]  # it reads, which is all that is asked of it
    blocks = read_blocks(rest, tail_is_line=not plain, offset=offset, line=line)
    return Opened(source, format_, share, beginning, blocks)


def read(stream: BinaryIO, size: int) -> bytes:
    """Read some bytes.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    try:
        return stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableSource(f"cannot be read: {error}") from error


def _format(
    source: Source | None, wanted: LogFormat | None, known: Sequence[LogFormat], sample: bytes
) -> tuple[LogFormat, float | None]:
    """The format to read with: the one asked for, else the source's, else the one that fits."""
    if wanted is not None:
        return wanted, None
    if source is None:
        return detect(sample, known)
    same = (candidate for candidate in known if candidate.name == source.format)
    return next(same, None) or guess_syntax(source.pattern), None


def _ends(stream: BinaryIO, position: Position) -> bool:
    """Whether the bytes before a position are those that were read before."""
    try:
        stream.seek(position.offset - position.tail_bytes)
        return position.ends(stream.read(position.tail_bytes))
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableSource(f"cannot be read: {error}") from error


def _spooled(first: bytes, stream: BinaryIO) -> BinaryIO:
    """A stream that can only be read once, as a temporary file."""
    file = tempfile.TemporaryFile()
    file.write(first)
    while chunk := stream.read(1 << 20):
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
