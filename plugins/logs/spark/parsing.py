"""Logs parsed on a cluster whose hits come to the driver, for what leaves the workspace alone."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from logparse.compression import Unpacked
from logparse.errors import LogparseError, UnreadableSource
from logparse.kernel import Parsed
from logparse.robots import Robots
from plugins.logs.opening import Opened
from plugins.logs.reading import Log, Parse, Reader, here
from plugins.logs.spark.intake import WHERE_LOGS_LIE, far_place, is_shared
from plugins.logs.spark.reading import Planned, Reports, Work, planned, read
from plugins.logs.spark.tasks import MissingError, Parsing, Told

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RANGES_AT_ONCE = 2
"""So many ranges for each core are one job: their hits are in memory until they are printed."""


@contextmanager
def far(
    spark: "SparkSession",
    step: int,
    reader: Reader,
    work: Work[Parsed] | None = None,
    at_once: int = RANGES_AT_ONCE,
) -> Iterator[Parse]:
    """Parse blocks on a cluster; those of standard input and of pipes here.

    Args:
        spark: The session.
        step: About so many bytes are a task.
        reader: What is read.
        work: Runs the tasks of a job; None to parse, and nothing else.
        at_once: So many ranges for each core are one job.
    """
    reports = partial(read, spark, at_once=at_once, work=work)
    group = _Group(reports, step, reader, len(reader.inputs))
    with here(reader) as parse_here:

        def parse(number: int, log: Log) -> Iterator[Parsed]:
            nonlocal group
            if not is_shared(reader.inputs[number]):
                yield from parse_here(number, log)
                return
            if number not in group.numbers:
                group.close()
                group = _Group(reports, step, reader, number)
            yield from group.parsed(number, log)

        try:
            yield parse
        finally:
            group.close()


class _Group:
    """Logs that come one after another and can be opened by others: one may be parsed while another is printed.

    Args:
        reports: What is told of logs that are planned.
        step: About so many bytes are a task.
        reader: What is read.
        first: The input with which the group begins.
    """

    def __init__(
        self,
        reports: "Callable[[Iterator[Planned[Parsed]]], Generator[Told[Parsed], None, None]]",
        step: int,
        reader: Reader,
        first: int,
    ) -> None:
        self._reader, self._step = reader, step
        found = takewhile(lambda number: is_shared(reader.inputs[number]), range(first, len(reader.inputs)))
        self.numbers = range(first, first + len(list(found)))
        self._robots = Robots(reader.rules.robots)
        self._opened: dict[int, Opened | None] = {}
        self._ends: dict[int, int] = {}
        self._failed: dict[int, Exception] = {}
        self._reports = Reports(reports(self._planned()))

    def parsed(self, number: int, log: Log) -> Iterator[Parsed]:
        """What the blocks of one of the logs become.

        Raises:
            LogparseError: it cannot be read.
        """
        end = 0
        try:
            for told in self._reports.of(number, 0, 1):
                log.opened = self._opened[number]
                assert told.made is not None
                end = told.end
                yield told.made
        except MissingError as error:
            raise UnreadableSource(f"{error}; {WHERE_LOGS_LIE}") from error
        if number in self._failed:
            raise self._failed[number]
        log.opened = self._opened[number]
        if end < self._ends.get(number, 0):
            raise UnreadableSource("it was changed while it was read; read it again")

    def close(self) -> None:
        """Nobody wants any more of them."""
        self._reports.close()

    def _planned(self) -> Iterator[Planned[Parsed]]:
        """The logs in their order, each opened when its turn comes."""
        for number in self.numbers:
            try:
                found = self._plan(number)
            except (LogparseError, OSError) as error:
                self._failed[number] = error
            else:
                if found is not None:
                    yield found

    def _plan(self, number: int) -> Planned[Parsed] | None:
        item = self._reader.inputs[number]
        look = item.look()
        assert look is not None
        with item.opened() as (stream, _):
            opened = self._opened[number] = self._reader.open(stream)
            packed = isinstance(stream, Unpacked)
        if opened is None:
            return None
        if not packed:
            self._ends[number] = look.st_size
        make = Parsing(self._reader.kernel(opened, self._robots), self._reader.rejects is not None)
        return planned(number, opened, far_place(item), look.st_size, make, step=self._step, packed=packed, grows=False)
