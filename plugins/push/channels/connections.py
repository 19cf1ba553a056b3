"""Connections of channels: one a thread, kept between messages."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """Something that can be closed."""

    def close(self) -> object:
        """Close it."""


C = TypeVar("C", bound=Closable)


class PerThread(Generic[C]):
    """A connection for each thread that asks, made when it asks.

    Args:
        connect: Makes one.
    """

    def __init__(self, connect: Callable[[], C]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[C] = set()

    def get(self) -> tuple[C, bool]:
        """The thread's connection, and whether it was used before."""
        found: C | None = getattr(self._local, "connection", None)
        if found is not None:
            return found, True
        made = self._connect()
        self._local.connection = made
        with self._lock:
            self._open.add(made)
        return made, False

    def drop(self) -> None:
        """Close the thread's connection, if it has one."""
        found: C | None = getattr(self._local, "connection", None)
        if found is None:
            return
        self._local.connection = None
        with self._lock:
            self._open.discard(found)
        with suppress(Exception):
            found.close()

    def close(self) -> None:
        """Close those of all threads."""
        with self._lock:
            rest, self._open = self._open, set()
        for each in rest:
            with suppress(Exception):
                each.close()
