"""Work on blocks on all cores, results in order, only a few blocks in memory.

The first blocks are worked on here. Longer logs are worth a worker process for each core, which take over as soon as
they are up: a process of one thread each gets more done than threads that share one interpreter and one thread pool.
This module is light, so that workers can be started before the caller has imported what it needs itself.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from plugins.logs.worker import Worker, WorkerLost

if TYPE_CHECKING:
    from logparse.blocks import Block

R = TypeVar("R")
S = TypeVar("S")

MOST_WORKERS = 4
"""So many workers are started where there are more cores: each takes some 200 MB of memory."""

AHEAD = 2
"""So many blocks more than workers are at hand, so that none waits for the next, or for a disk."""

WORTH_WORKERS = 3
"""So many blocks make workers worth their start."""

WORTH_BYTES = 64 << 20
"""So many bytes do, where it is known that they are all new."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def one_ahead(calls: Iterable[Callable[[], R]]) -> Iterator[R]:
    """The results of calls in their order; the next one is made on a thread while a result is worked on."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        ahead: deque[Future[R]] = deque()
        for call in calls:
            ahead.append(thread.submit(call))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


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
        self.close()

    def start(self) -> None:
        """Start the workers, unless they are started."""
        if not self._starts and self.workers > 1:
            self._starts = [Thread(target=self._start) for _ in range(self.workers)]
            for start in self._starts:
                start.start()

    def close(self) -> None:
        """End the workers; what is mapped afterwards is worked on here."""
        for start in self._starts:
            start.join()
        for worker in self._up:
            worker.close()
        self._up, self._idle = [], SimpleQueue()
        self._idle.put(None)

    def map(self, task: "Callable[[Block], R]", blocks: "Iterable[Block]", then: Callable[[int, R], S]) -> Iterator[S]:
        """`then(number, task(block))` for every block; results in the order of the blocks.

        At most two blocks more than there are workers are taken ahead of the result that is waited for.

        Args:
            task: Can be pickled, as its results can; runs in any process.
            blocks: The blocks.
            then: Runs in this process, on any thread and in any order: writes files, say.
        """
        with ThreadPoolExecutor(max_workers=self.workers + AHEAD) as threads:
            waiting: deque[Future[S]] = deque()
            try:
                for number, block in enumerate(blocks):
                    self._take()
                    waiting.append(threads.submit(self._do, task, block, then, number))
                    del block
                    if len(waiting) >= self.workers + AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _do(self, task: "Callable[[Block], R]", block: "Block", then: Callable[[int, R], S], number: int) -> S:
        return then(number, self._run(task, block))

    def _take(self) -> None:
        self._seen += 1
        if self._seen == WORTH_WORKERS:
            self.start()

    def _start(self) -> None:
        try:
            worker = Worker()
        except (OSError, WorkerLost):
            return  # this process goes on
        with self._lock:
            self._up.append(worker)
        self._idle.put(worker)

    def _run(self, task: "Callable[[Block], R]", block: "Block") -> R:
        worker = self._idle.get()
        try:
            if worker is None:
                return task(block)
            return worker.run(task, block)
        except WorkerLost:
            assert worker is not None
            worker.close()  # takes its shared memory back
            with self._lock:
                self._up = [other for other in self._up if other is not worker]
            worker = None
            return task(block)
        finally:
            if worker is not None or len(self._up) < self.workers:
                self._idle.put(worker)
