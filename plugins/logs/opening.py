"""Open a log: which source is it, where does reading go on, and which format has it."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from crm.nearest import did_you_mean, one_of
from logparse.blocks import Block, read_blocks
from logparse.charsets import UTF8, to_utf8
from logparse.detect import detect
from logparse.errors import FormatError, UnreadableSource
from logparse.headers import HEADED, cut, layout_of, marks
from logparse.identity import Position, head
from logparse.kernel import Account
from logparse.pattern import compile_pattern, guess_syntax
from logparse.spec import LogFormat
from logparse.timeformat import has_offset
from plugins.logs.ledger import Ledger, Source
from plugins.logs.tails import NOTHING, Resumed, copied, length, resume

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
        charset: In which it is read.
        tz: The zone of its times; empty where they have an offset.
        taken_back: What has been counted before of a line that is read again.
        at: Where its new lines begin; None if none may be read.
        first: Its first bytes, which stay as long as it is the same log.
    """

    source: Source | None
    format: LogFormat
    share: float | None
    beginning: bytes
    blocks: Iterator[Block]
    charset: str = UTF8
    tz: str = ""
    taken_back: Account = NOTHING
    at: Resumed | None = None
    first: bytes = b""


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
    charset: str = UTF8,
    tz: str = "UTC",
) -> Opened | None:
    """Find out what a log is, and where reading goes on; None while all its lines are empty or comments.

    Args:
        stream: At the log's first byte.
        plain: Whether it is an uncompressed file, whose unterminated last line is still pending.
        wanted: The format to use; None to take that of the source, or to detect it.
        known: The formats to detect.
        ledger: What has been read before; None to read everything.
        charset: Of the log.
        tz: The zone of its times, where they have no offset.

    Raises:
        UnknownFormat: no known format fits.
        UnreadableSource: the compressed data are damaged, or the log was read in another charset or zone before.
    """
    seekable = stream.seekable()
    start = stream.tell() if seekable else 0  # a shell may have read some of its standard input
    headers = marks(known if wanted is None else [wanted, *known])
    first, whole = beginning(stream, headers, plain=plain)
    top = head(whole, headers)
    if not top:
        return None
    read_so_far = head(first, headers)
    candidates, earlier = (ledger.candidates(read_so_far), ledger.earlier(read_so_far)) if ledger else ([], [])
    if (candidates or earlier) and not seekable:
        stream, seekable = _spooled(first, stream), True
    source, at = _continued(stream, start, candidates)
    if source is None:
        source, at = _copied(stream, start, earlier, plain=plain)
    format_, share = _format(source, wanted, known, to_utf8(whole, charset))
    rest: BinaryIO = stream
    if seekable:
        stream.seek(start + at.offset)
    else:
        rest = _Replayed(first, stream)  # type: ignore[assignment]  # it reads, which is all that is asked of it
    blocks = read_blocks(rest, tail_is_line=not plain, offset=at.offset, line=at.line)
    if plain:
        blocks = while_same(blocks, lambda: os.pread(stream.fileno(), len(first), start) == first)
    zone = "" if _says_offset(format_) else tz
    opened = Opened(source, format_, share, top, cut(blocks, format_), charset, zone, at.taken_back, at, first)
    if source and (charset != source.charset or (zone and source.tz and zone != source.tz)):
        return replace(opened, blocks=_none_of(opened.blocks, source, charset, zone), at=None)
    return opened


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


def _says_offset(known: LogFormat) -> bool:
    """Whether the times of a format say how far they are from UTC."""
    return all(has_offset(field.time) for field in layout_of(known).fields if field.role == "time")


def _none_of(blocks: Iterator[Block], source: Source, charset: str, tz: str) -> Iterator[Block]:
    """No blocks, as there are no new lines: what is stored cannot be read otherwise, and shall not be mixed.

    Raises:
        UnreadableSource: there are new lines.
    """
    if next(blocks, None) is not None:
        before, now = (source.charset, charset) if charset != source.charset else (source.tz, tz)
        what = "charset" if charset != source.charset else "time zone"
        raise UnreadableSource(
            f"it was read in the {what} {before} before and cannot go on in {now}; go on in the old one, or "
            f"`crm logs drop {source.number}` and read it again"
        )
    return iter(())


def while_same(blocks: Iterator[Block], same: Callable[[], bool]) -> Iterator[Block]:
    """The blocks up to the moment at which a file is emptied and written anew while it is read.

    A block that was read before its beginning is seen unchanged is the file's own. What comes later is read by the
    next run: the new content as a source of its own, the rest of the old one in the copy that was made of it.

    Args:
        blocks: The blocks, each read when it is asked for.
        same: Whether the file begins as it did.
    """
    for block in blocks:
        if not same():
            return
        yield block


def _continued(stream: BinaryIO, start: int, candidates: Sequence[Source]) -> tuple[Source | None, Resumed]:
    """The source that a log continues, and where its new lines begin; (None, the beginning) for a new one."""
    for source in candidates:
        at = resume(stream, start, source.position, source.cut)
        if at is not None:
            return source, at
    return None, Resumed(0, 1)


def _copied(
    stream: BinaryIO, start: int, earlier: Sequence[tuple[Source, Position]], *, plain: bool
) -> tuple[Source | None, Resumed]:
    """The source of which a log is a copy that was left behind, and its end; (None, the beginning) for a new one."""
    end = length(stream, start) if earlier else 0
    for source, position in earlier:
        at = copied(stream, start, end, position, plain=plain)
        if at is not None:
            return source, at
    return None, Resumed(0, 1)


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
