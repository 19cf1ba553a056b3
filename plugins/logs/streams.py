"""What streams of bytes have in common in which one can go back and forth, whatever they read."""

import io


class Positioned(io.RawIOBase):
    """A stream of a known size that knows where it is; `readinto` of a subclass reads from there.

    Args:
        size: Its bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, which may lie beyond the end."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at
