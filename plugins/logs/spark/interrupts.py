"""Ctrl-C while a cluster works: it cancels what the cluster does, wherever this program waits for it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

AGAIN_S = 0.5
"""So often is cancelled again: another thread may begin the next job meanwhile."""


@contextmanager
def cancelling(cancel: Callable[[], object]) -> Iterator[None]:
    """Cancel on Ctrl-C, from a thread of its own, until the block ends.

    Python runs handlers of signals between two of its own steps on the main thread. That may be within Polars, which
    waits for rows that a cluster has yet to make; so the signal is read from where the system writes it.

    Args:
        cancel: Cancels all that the cluster works on; may be called again and again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(told, ended, cancel), daemon=True)
    before = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        ended.set()
        os.close(tell)
        thread.join()
        os.close(told)


def _watch(told: int, ended: threading.Event, cancel: Callable[[], object]) -> None:
    while signals := os.read(told, 64):
        if signal.SIGINT in signals:
            break
    while signals and not ended.is_set():
        with suppress(Exception):  # Java may be gone already
            cancel()
        ended.wait(AGAIN_S)
