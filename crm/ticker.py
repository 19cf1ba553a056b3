"""A line on a terminal that says for how long a command has been working."""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from crm.messages import rewrites

PATIENCE_S = 1.0
"""What takes no longer shows nothing."""

INTERVAL_S = 0.5


class Ticker:
    """Writes `text: 12 s` on stderr, where that is a terminal that can take a line back, until it is stopped.

    Args:
        text: What is under way, or what says so at any moment, on another thread.
        quiet: Write nothing.
    """

    def __init__(self, text: str | Callable[[], str], *, quiet: bool = False) -> None:
        self._text = text
        self._shown = not quiet and rewrites(sys.stderr)
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._written = False
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Ticker":
        if self._shown:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tick(self) -> None:
        began = time.monotonic()
        wait = PATIENCE_S
        while not self._end.wait(wait):
            wait = INTERVAL_S
            text = self._text if isinstance(self._text, str) else self._text()
            with self._lock:
                if not self._end.is_set():
                    self._write(f"\r\x1b[K{text}: {time.monotonic() - began:.0f} s")
                    self._written = True

    def clear(self) -> None:
        """Take the line away, so that something else can be written; it comes again."""
        with self._lock:
            if self._written:
                self._write("\r\x1b[K")
                self._written = False

    def stop(self) -> None:
        """Take the line away for good."""
        self._end.set()
        self.clear()

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
