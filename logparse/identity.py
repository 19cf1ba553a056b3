"""What tells one log from another: the hash of its first lines, and the hash of the last line that was read."""

from dataclasses import dataclass
from hashlib import blake2b

HEAD_BYTES = 4096
"""So much of a log's beginning, comments aside, names it; of a shorter one, all of it."""


def digest(data: bytes) -> str:
    """A short hash of bytes, in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()


def head(data: bytes) -> bytes:
    """The first `HEAD_BYTES` of the lines that are no comments, which differ where headers are the same.

    Args:
        data: The beginning of a log, whole lines.
    """
    if not data.startswith(b"#") and b"\n#" not in data[: HEAD_BYTES + 1]:
        return data[:HEAD_BYTES]
    taken = bytearray()
    at = 0
    while at < len(data) and len(taken) < HEAD_BYTES:
        end = data.find(b"\n", at) + 1 or len(data)
        if data[at : at + 1] != b"#":
            taken += data[at:end]
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
