"""A line of progress on a terminal while logs are read."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec

from crm.messages import rewrites

P = ParamSpec("P")

INTERVAL_S = 0.2


class Progress:
    """Lines read and lines a second, on stderr, where that is a terminal that can take a line back.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.shown = not quiet and rewrites(sys.stderr)
        self.lines = 0
        self.began = self.last = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def advance(self, lines: int, _offset: int) -> None:
        """Count the lines of a block."""
        self.lines += lines
        now = time.monotonic()
        if self.shown and now - self.last >= INTERVAL_S:
            self.last = now
            rate = self.lines / (now - self.began)
            self._write(f"\r\x1b[K{self.lines:,} lines read, {rate:,.0f} a second")

    def above(self, say: Callable[P, None]) -> Callable[P, None]:
        """`say`, so that what it says does not run into the line of progress."""

        def said(*args: P.args, **kwargs: P.kwargs) -> None:
            self._clear()
            say(*args, **kwargs)

        return said

    def _clear(self) -> None:
        if self.shown and self.lines:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
