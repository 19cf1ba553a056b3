"""The end of what was read of a log: is it still there, and does reading go on behind it or in its last line?

On standard input and in compressed logs the last line counts although its end may not be written yet. When it goes on:
one that was no hit is read again, whole, and its first account is taken back; one that could be parsed as it was stays
so, and the rest of it is passed over. Either way it is one line.
"""

import json
import sys
from dataclasses import asdict, dataclass
from io import SEEK_END
from typing import BinaryIO

from logparse.blocks import MAX_LINE, Block
from logparse.compression import Unpacked
from logparse.errors import UnreadableSource
from logparse.identity import Position
from logparse.kernel import Account, Parsed

CHUNK = 1 << 16
NOTHING = Account()


@dataclass(frozen=True)
class Cut:
    """A last line that was counted without its end.

    Attributes:
        size: Its bytes.
        rejected: Why it was rejected; empty if it was not.
        blank: It was empty or a comment.
    """

    size: int
    rejected: str = ""
    blank: bool = False

    @classmethod
    def of(cls, block: Block, parsed: Parsed) -> "Cut | None":
        """What became of a block that is a line without its end; None for one of whole lines."""
        if block.data.endswith(b"\n"):
            return None
        account = parsed.account
        return cls(block.end - block.offset, next(iter(account.rejected), ""), account.blank > 0)

    @classmethod
    def parse(cls, text: str | None) -> "Cut | None":
        """What `str` of it has written."""
        return cls(**json.loads(text)) if text else None

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def again(self) -> bool:
        """Whether it is read again when it goes on."""
        return self.blank or bool(self.rejected)

    @property
    def taken_back(self) -> Account:
        """The account that makes up for counting it twice."""
        return Account(-1, 0, -int(self.blank), {}, {self.rejected: -1} if self.rejected else {})


@dataclass(frozen=True)
class Resumed:
    """Where reading goes on: offset and number of the next line, and what of the account so far is taken back."""

    offset: int
    line: int
    taken_back: Account = NOTHING


def resume(stream: BinaryIO, start: int, position: Position, cut: Cut | None) -> Resumed | None:
    """Where reading goes on; None if the bytes before the position are not those that were read.

    Args:
        stream: The log; it can be gone back in.
        start: Where its first byte is.
        position: How far it was read.
        cut: Its last line, if that was read without its end.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    try:
        stream.seek(start + position.offset - position.tail_bytes)
        last, following = stream.read(position.tail_bytes), stream.read(1)
        if not position.ends(last):
            return None
        if last.endswith(b"\n") or not following:
            return Resumed(position.offset, position.line)
        if following == b"\n":
            return Resumed(position.offset + 1, position.line)
        if cut is not None and cut.again:
            return Resumed(position.offset - cut.size, position.line - 1, cut.taken_back)
        return Resumed(position.offset + 1 + _rest_of_line(stream), position.line)
    except OSError as error:
        raise UnreadableSource(f"cannot be read: {error}") from error


def length(stream: BinaryIO, start: int) -> int:
    """How many bytes a log has."""
    return stream.seek(sys.maxsize) if isinstance(stream, Unpacked) else stream.seek(0, SEEK_END) - start


def copied(stream: BinaryIO, start: int, end: int, position: Position, *, plain: bool) -> Resumed | None:
    """The end of a log which was read up to a position at its end, and as another file further since; else None.

    Args:
        stream: The log; it can be gone back in.
        start: Where its first byte is.
        end: Its length.
        position: Where a run has stopped reading.
        plain: Whether its unterminated last line is no line yet.

    Raises:
        UnreadableSource: the compressed data are damaged, or the device fails.
    """
    near = MAX_LINE if plain else len("\n")
    if not 0 <= end - position.offset <= near:
        return None
    at = resume(stream, start, position, None)
    if at is None:
        return None
    stream.seek(start + at.offset)
    rest = stream.read(near)
    return at if not rest or (plain and b"\n" not in rest) else None


def _rest_of_line(stream: BinaryIO) -> int:
    """How many bytes there are up to the end of the line, or of the stream."""
    passed = 0
    while chunk := stream.read(CHUNK):
        end = chunk.find(b"\n") + 1
        if end:
            return passed + end
        passed += len(chunk)
    return passed
