"""Work on blocks on all cores, results in order, only a few blocks in memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def ordered_map(function: Callable[[int, T], R], items: Iterable[T], workers: int | None = None) -> Iterator[R]:
    """`function(number, item)` for every item on several threads; results in the order of the items.

    At most one item more than there are workers is taken ahead of the result that is waited for.
    """
    count = workers or cores() + 1  # one more than can run, since each also waits for disks and for the interpreter
    with ThreadPoolExecutor(max_workers=count) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for number, item in enumerate(items):
                waiting.append(pool.submit(function, number, item))
                del item
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
