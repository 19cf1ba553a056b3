"""Work on blocks on all cores, results in order, only a few blocks in memory.

The first blocks are worked on here. A longer log is worth a worker process for each core, which take over as soon as
they are up: a process of one thread each gets more done than threads that share one interpreter and one thread pool.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import TypeVar

from logparse.blocks import Block
from plugins.logs.worker import Worker, WorkerLost

R = TypeVar("R")

MOST_WORKERS = 4
"""So many workers are started where there are more cores: each takes some 200 MB of memory."""

WORTH_WORKERS = 3
"""So many blocks make workers worth their start."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


class Pool:
    """The processes that work on blocks: this one, and later workers in its place.

    Args:
        workers: How many workers to start for a long log; with one, all work is done here.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(cores(), MOST_WORKERS)
        self._idle: SimpleQueue[Worker | None] = SimpleQueue()  # None is this process
        self._idle.put(None)
        self._up: list[Worker] = []
        self._starts: list[Thread] = []
        self._seen = 0
        self._lock = Lock()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for start in self._starts:
            start.join()
        for worker in self._up:
            worker.close()

    def map(self, task: Callable[[Block], R], blocks: Iterable[Block]) -> Iterator[R]:
        """`task(block)` for every block; results in the order of the blocks.

        At most one block more than there are workers is taken ahead of the result that is waited for.

        Args:
            task: Can be pickled, as its results can.
            blocks: The blocks.
        """
        with ThreadPoolExecutor(max_workers=self.workers + 1) as threads:
            waiting: deque[Future[R]] = deque()
            try:
                for block in blocks:
                    self._take()
                    waiting.append(threads.submit(self._run, task, block))
                    del block
                    if len(waiting) > self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _take(self) -> None:
        self._seen += 1
        if self._seen == WORTH_WORKERS and self.workers > 1:
            self._starts = [Thread(target=self._start) for _ in range(self.workers)]
            for start in self._starts:
                start.start()

    def _start(self) -> None:
        try:
            worker = Worker()
        except (OSError, WorkerLost):
            return  # this process goes on
        with self._lock:
            self._up.append(worker)
        self._idle.put(worker)

    def _run(self, task: Callable[[Block], R], block: Block) -> R:
        worker = self._idle.get()
        try:
            if worker is None:
                return task(block)
            return worker.run(task, block)
        except WorkerLost:
            with self._lock:
                self._up = [other for other in self._up if other is not worker]
            worker = None
            return task(block)
        finally:
            if worker is not None or len(self._up) < self.workers:
                self._idle.put(worker)
