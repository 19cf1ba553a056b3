"""What tells one log from another: the hash of its first lines, and the hash of the last line that was read."""

from dataclasses import dataclass
from hashlib import blake2b

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

HEAD_BYTES = 4096
"""So much of a log's beginning, comments aside, names it; of a shorter one, all of it."""


def digest(data: bytes) -> str:
    """A short hash of bytes, in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()


def head(data: bytes, headers: tuple[bytes, ...] = ()) -> bytes:
    """The first `HEAD_BYTES` of the lines that are neither comments, headers nor empty.

    Comments and headers are the same in many logs, and so are the NUL bytes that a log begins with which was emptied
    while its server kept on writing at the old place.

    Args:
        data: The beginning of a log, whole lines.
        headers: How header lines begin that are no comments.
    """
    marks = (b"#", *headers)
    taken = bytearray()
    at = 0
    while at < len(data) and len(taken) < HEAD_BYTES:
        end = data.find(b"\n", at) + 1 or len(data)
        line = data[at:end].lstrip(b"\0")
        if line.strip(b"\0\r\n") and not line.removeprefix(BYTE_ORDER_MARK).startswith(marks):
            taken += line
        at = end
    return bytes(taken[:HEAD_BYTES])


@dataclass(frozen=True)
class Position:
    """How far a log has been read.

    Attributes:
        fingerprint: Hash of its head.
        head: Length of the head that was hashed.
        offset: Where the next line begins.
        line: Number of the next line, from 1.
        tail: Hash of the end of the last line read.
        tail_bytes: How many bytes it covers.
    """

    fingerprint: str
    head: int
    offset: int
    line: int
    tail: str
    tail_bytes: int

    def begins(self, beginning: bytes) -> bool:
        """Whether a log whose head is `beginning` may be the one that was read."""
        return self.head <= len(beginning) and digest(beginning[: self.head]) == self.fingerprint

    def ends(self, before: bytes) -> bool:
        """Whether the `tail_bytes` before `offset` are those that were read."""
        return digest(before) == self.tail
