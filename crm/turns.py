"""Rows that are read on demand, by a thread of Polars, and only as long as the command runs that wants them."""

import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Lets parts of a source be made one after the other, until it is ended.

    Polars takes parts ahead of what it needs, in a thread of its own, and does not wait for that thread when a limit is
    reached: a part would still be in the making when the program ends, which aborts it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = False

    def each(self, parts: Iterator[T]) -> Iterator[T]:
        """The parts, until `end` is called."""
        while True:
            with self._lock:
                if self._over:
                    return
                part = next(parts, None)
            if part is None:
                return
            yield part

    def end(self) -> None:
        """Have no more parts made, and wait for the one that is in the making."""
        self._over = True
        with self._lock:
            pass
