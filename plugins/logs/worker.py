"""A worker: a process that runs a task on blocks. It is a pure function, and ends with the process that started it."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from logparse.blocks import Block

R = TypeVar("R")

START = "import sys; sys.path[:] = {path!r}; from plugins.logs.worker import serve; serve({pipe}, {memory})"


class WorkerLost(Exception):
    """A worker has died, of want of memory say; what it was to do can be done elsewhere."""


class Worker:
    """A process that runs tasks. The bytes of blocks go to it through shared memory, all else through a pipe.

    Raises:
        OSError: no process can be started.
        WorkerLost: it ends at once.
    """

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        self._memory = _shared_memory()
        self._task: object = None
        start = START.format(path=sys.path, pipe=theirs.fileno(), memory=self._memory)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", start],
                env={**os.environ, "POLARS_MAX_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), self._memory),
            )
        finally:
            theirs.close()
        self._receive()

    def run(self, task: "Callable[[Block], R]", block: "Block") -> R:
        """`task(block)`, or what it raises.

        Raises:
            WorkerLost: the process has ended, or there is no room for the block.
        """
        try:
            _write(self._memory, block.data)
            if task is not self._task:
                self._pipe.send_bytes(pickle.dumps(task))
                self._task = task
            self._pipe.send((len(block.data), replace(block, data=b"")))
        except OSError as error:
            raise WorkerLost from error
        result, raised = self._receive()
        if raised is not None:
            raise raised
        return result  # type: ignore[no-any-return]  # what the task returns

    def close(self) -> None:
        """End the process, which has nothing to lose."""
        self._pipe.close()
        self._process.kill()
        self._process.wait()
        os.close(self._memory)

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.kill()
            raise WorkerLost from error


def _shared_memory() -> int:
    """A file without a name that both processes have open."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("crm-block")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(file: int, data: bytes) -> None:
    view, at = memoryview(data), 0
    while at < len(view):
        at += os.pwrite(file, view[at:], at)


def _read(file: int, size: int) -> bytes:
    data = os.pread(file, size, 0)
    while len(data) < size:
        data += os.pread(file, size - len(data), len(data))
    return data


def serve(pipe: int, memory: int) -> None:
    """The worker's side: run tasks on blocks until the pipe is closed.

    Args:
        pipe: The file descriptor of its end of the pipe.
        memory: The file descriptor of the shared memory.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    import plugins.logs.pieces  # noqa: F401  # the heavy imports, before it reports

    link: Connection[Any, Any] = Connection(pipe)
    link.send(None)
    task: Callable[[Block], object] | None = None
    while True:
        try:
            message = link.recv()
        except EOFError:
            return
        if callable(message):
            task = message
            continue
        size, block = message
        assert task is not None
        try:
            link.send((task(replace(block, data=_read(memory, size))), None))
        except Exception as error:
            link.send((None, error))
