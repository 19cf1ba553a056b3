"""Logs read on a cluster: the driver plans, the workers count and parse, and reports come in the order of the logs."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

import polars as pl

from logparse.errors import UnreadableSource
from logparse.identity import digest
from plugins.logs.spark.jobs import REPORT, report, reported, spread
from plugins.logs.spark.ranges import Counted, Joining, Range, Stretch, ranges_of
from plugins.logs.spark.tasks import FarLog, Make, MissingError, Task, Told, count_of, worked

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from plugins.logs.opening import Opened

M = TypeVar("M")
R = TypeVar("R")


@dataclass
class Planned(Generic[M]):
    """A log that is read in ranges.

    Attributes:
        number: Its number; the logs of one reading come in this order.
        far: The log, as workers find it.
        ranges: What is to be read of it.
        make: What is made of its blocks.
        part: How the names of its blocks begin.
        joining: How far the ranges have become stretches; None once one could not be counted.
    """

    number: int
    far: FarLog
    ranges: Sequence[Range]
    make: Make[M]
    part: str
    joining: Joining | None

    def ended(self, at: int, found: Counted | None) -> Iterator[Task[M]]:
        """The task whose stretch ends in the range number `at`, if one does.

        Args:
            at: The ranges come in their order.
            found: What it holds; None for the last range, and for one that cannot be counted: the worker that reads
                it will tell why.
        """
        if self.joining is None:
            return
        stretch: Stretch | None
        if found is None:
            stretch = replace(self.joining.next, end=self.ranges[at].end)
            self.joining = None
        else:
            self.joining, stretch = self.joining.add(found)
        if stretch is not None:
            yield Task(self.number, self.far, stretch, f"{self.part}{at:06d}", self.make)


Piece = tuple[Planned[M], int]
"""A range: the log and its number there."""

Work = Callable[["SparkSession", Sequence[Task[M]]], list[Told[M]]]
"""Runs tasks on the cluster, and returns what they tell, in their order."""


def planned(
    number: int,
    opened: "Opened",
    place: str,
    size: int,
    make: Make[M],
    *,
    step: int,
    packed: bool,
    grows: bool,
) -> Planned[M]:
    """A log in ranges; a compressed one is a single one.

    Args:
        number: Of the log.
        opened: What is known of it; it need not be open any more.
        place: Its path or URI.
        size: Its bytes, packed ones if it is compressed.
        make: What is made of its blocks.
        step: About so many bytes are a range.
        packed: Whether it is compressed.
        grows: Whether a last line without its end is no line yet.
    """
    at = opened.at
    begin = at.offset if at else size
    far = FarLog(place, opened.format, begin, packed, grows, (len(opened.first), digest(opened.first)))
    if at is None or (begin >= size and not packed):
        return Planned(number, far, (), make, f"{number:05d}-", None)
    joining = Joining(opened.format, Stretch(begin, size, at.line))
    ranges = [Range(begin, size)] if packed else ranges_of(begin, size, step)
    return Planned(number, far, ranges, make, f"{number:05d}-", joining)


def read(
    spark: "SparkSession", logs: Iterable[Planned[M]], at_once: int, work: "Work[M] | None" = None
) -> "Generator[Told[M], None, None]":
    """What the workers tell of the blocks of logs, in their order.

    Args:
        spark: The session.
        logs: The logs; each is taken when its turn comes, on another thread.
        at_once: So many ranges for each core are one job, whose reports are held in memory.
        work: Runs the tasks of a job; None for nothing but their reports.
    """
    run = work or _parsed
    pieces = ((log, at) for log in logs for at in range(len(log.ranges)))
    size = at_once * spark.sparkContext.defaultParallelism

    def job() -> list[Told[M]] | None:
        chunk = list(islice(pieces, size))
        return run(spark, _stretches(spark, chunk)) if chunk else None

    for found in _one_ahead(spark, job):
        yield from found


def _one_ahead(spark: "SparkSession", job: Callable[[], R | None]) -> Iterator[R]:
    """What jobs find, up to one that finds nothing; the next runs while the caller works on this one's."""
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        ahead: Future[R | None] = thread.submit(job)
        while (found := ahead.result()) is not None:
            ahead = thread.submit(job)
            yield found
    except BaseException:
        spark.sparkContext.cancelAllJobs()  # nobody waits for them any more
        raise
    finally:
        thread.shutdown(cancel_futures=True)


def _stretches(spark: "SparkSession", chunk: Sequence[Piece[M]]) -> list[Task[M]]:
    """Ranges as tasks of whole lines; all but the last range of each log are counted."""
    inner = [(log, at) for log, at in chunk if at + 1 < len(log.ranges)]
    counts = dict(zip(((log.number, at) for log, at in inner), _counts(spark, inner), strict=True))
    return [task for log, at in chunk for task in log.ended(at, counts.get((log.number, at)))]


def _counts(spark: "SparkSession", pieces: Sequence[Piece[M]]) -> Iterator[Counted | None]:
    """What ranges hold; None for those that cannot be read."""
    work = [(log.far, log.ranges[at]) for log, at in pieces]

    def count(number: int) -> Iterator[pl.DataFrame]:
        yield report((count_of(*work[number]),))

    return (found for (found,) in reported(spread(spark, len(work), count, REPORT), tuple)) if work else iter(())


def _parsed(spark: "SparkSession", tasks: Sequence[Task[M]]) -> list[Told[M]]:
    def work(number: int) -> Iterator[pl.DataFrame]:
        for told in worked(tasks[number]):
            yield report(told)

    return list(reported(spread(spark, len(tasks), work, REPORT), Told))


class Reports(Generic[M]):
    """What was told of several logs, log by log.

    Args:
        told: Reports in the order of the logs.
    """

    def __init__(self, told: Generator[Told[M], None, None]) -> None:
        self._told = told
        self._head = next(told, None)

    def of(self, number: int, begin: int, line: int) -> Iterator[Told[M]]:
        """What became of a log's blocks, each of which follows the one before.

        Where one does not, the log has been changed since it was counted; reading has ended before it.

        Args:
            number: The log; those before it are done with.
            begin: Where its first block begins.
            line: Number of its first line.

        Raises:
            MissingError: a worker does not find it.
            UnreadableSource: it cannot be read on.
        """
        while self._head is not None and self._head.log <= number:
            told, self._head = self._head, next(self._told, None)
            if told.log < number:
                continue
            if told.error:
                raise (MissingError if told.missing else UnreadableSource)(told.error)
            if (told.begin, told.line) != (begin, line):
                return
            yield told
            begin, line = told.end, told.line + told.lines

    def close(self) -> None:
        """Nobody wants any more."""
        self._told.close()

    def drain(self) -> None:
        """Wait for what nobody wants any more: workers may be writing it."""
        for _ in self._told:
            pass
