"""A line of progress on a terminal while logs are read."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from plugins.logs.inputs import Input

INTERVAL_S = 0.2


class Progress:
    """Lines read and lines a second, on stderr, where that is a terminal.

    Args:
        inputs: What is going to be read.
        quiet: Show nothing.
    """

    def __init__(self, inputs: Sequence[Input], *, quiet: bool) -> None:
        self.shown = sys.stderr.isatty() and not quiet
        self.lines = 0
        self.total = len(inputs)
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
            sys.stderr.write(f"\r\x1b[K{self.lines:,} lines read, {rate:,.0f} a second")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown and self.lines:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
