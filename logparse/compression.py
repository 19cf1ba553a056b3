"""Compressed logs as streams of their bytes: gzip, bzip2, xz and zstd, known by their first bytes.

Members (gzip, bzip2), streams (xz) and frames (zstd) that stand one after another are one log. NUL bytes behind the
last one are padding. What is cut off, damaged, or followed by anything else is unreadable.
"""

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import zstandard

from logparse.errors import UnreadableSource

MAGIC_BYTES = 10
"""So many first bytes tell every kind of compression."""

CHUNK = 4096
"""Packed bytes that are unpacked at once: even of the emptiest log they become few hundred MiB."""


FAILURES = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError)
"""What decompressors raise over damaged data."""


class Decompressor(Protocol):
    """What unpacks one member; the standard library's decompressors have this shape, and zstandard's."""

    @property
    def eof(self) -> bool:
        """Whether the member has come to its end."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """The next bytes of the member."""


@dataclass(frozen=True)
class Compression:
    """A kind of compression: its name, how its members begin, and what unpacks one."""

    name: str
    magic: re.Pattern[bytes]
    new: Callable[[], Decompressor]


def _gzip() -> Decompressor:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _zstd() -> Decompressor:
    return zstandard.ZstdDecompressor().decompressobj()


def _magic(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


KINDS = (
    Compression("gzip", _magic(rb"\x1f\x8b"), _gzip),
    Compression("bzip2", _magic(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), bz2.BZ2Decompressor),
    Compression("xz", _magic(rb"\xfd7zXZ\x00"), lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    Compression("zstd", _magic(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _zstd),
)
"""Every kind that is unpacked. A frame of zstd may be one that holds no data (`[\\x50-\\x5f]*M\\x18`)."""


def kind_of(magic: bytes) -> Compression | None:
    """The compression of a stream that begins with these bytes; None for plain text."""
    return next((kind for kind in KINDS if kind.magic.match(magic)), None)


class Unpacked(io.BufferedIOBase):
    """The bytes of a compressed stream. Going back means to unpack it once more from its beginning.

    Args:
        packed: Positioned at the first byte.
        kind: How it is compressed.
    """

    def __init__(self, packed: BinaryIO, kind: Compression) -> None:
        self._packed = packed
        self._kind = kind
        self._start = packed.tell() if packed.seekable() else 0
        self._begin()

    def _begin(self) -> None:
        self._member: Decompressor | None = None
        self._members = 0
        self._given = b""
        self._ready = bytearray()
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Whether the packed stream can be read again."""
        return self._packed.seekable()

    def fileno(self) -> int:
        """The descriptor of the packed file."""
        return self._packed.fileno()

    def tell(self) -> int:
        """How many bytes have been read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place counted from the beginning, or to the end where it lies beyond that."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only from the beginning")
        if offset < self._at:
            self._packed.seek(self._start)
            self._begin()
        while self._at < offset and self.read(min(offset - self._at, io.DEFAULT_BUFFER_SIZE << 7)):
            pass
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes, fewer only at the end; all that are left where it is negative.

        Raises:
            UnreadableSource: the compressed data are damaged or cut off.
            OSError: the device fails.
        """
        wanted = size if size is not None and size >= 0 else None
        while wanted is None or len(self._ready) < wanted:
            more = self._next()
            if more is None:
                break
            self._ready += more
        taken = bytes(self._ready[:wanted])
        del self._ready[:wanted]
        self._at += len(taken)
        return taken

    def _next(self) -> bytes | None:
        """The bytes of the next chunk, perhaps none; None at the end."""
        given = self._given or self._packed.read(CHUNK)
        self._given = b""
        if self._member is None:
            if self._members:
                given = given.lstrip(b"\0") or self._after_padding()
            if not given:
                return None
            given = self._enter(given)
        if not given:
            raise self._damaged("it is cut off")
        assert self._member is not None
        try:
            out = self._member.decompress(given)
        except FAILURES as error:
            raise self._damaged(str(error)) from error
        if self._member.eof:
            self._given = self._member.unused_data
            self._member = None
        return out

    def _after_padding(self) -> bytes:
        """What stands behind NUL bytes that end the chunk before; nothing at the end."""
        while given := self._packed.read(CHUNK):
            if rest := given.lstrip(b"\0"):
                return rest
        return b""

    def _enter(self, given: bytes) -> bytes:
        """Begin a member, of whose first bytes enough are returned."""
        if len(given) < MAGIC_BYTES:
            given += self._packed.read(CHUNK)
        if not self._kind.magic.match(given):
            raise self._damaged("what follows its data is no part of it")
        self._member = self._kind.new()
        self._members += 1
        return given

    def _damaged(self, why: str) -> UnreadableSource:
        return UnreadableSource(f"cannot be read: damaged {self._kind.name} data: {why}")
