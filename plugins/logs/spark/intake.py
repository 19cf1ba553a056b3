"""Logs read into the lake by the workers of a cluster: in waves of logs that are sources of their own.

The driver opens each log and decides what becomes of it, as the local engine does; the blocks are the workers'.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crm.lake import Part
from logparse.errors import LogparseError, UnreadableSource
from logparse.identity import HEAD_BYTES
from plugins.logs.ingest import Intake, Outcome, Ready, refused
from plugins.logs.inputs import Input
from plugins.logs.pieces import Piece
from plugins.logs.spark.jobs import shipped
from plugins.logs.spark.reading import Planned, Reports, planned, read
from plugins.logs.spark.tasks import MissingError, Storing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RANGES_AT_ONCE = 16
"""So many ranges for each core are one job: their reports are small."""

Stored = tuple[Piece, list[Part]]


@dataclass
class Wave:
    """Logs that are read at the same time, because none of them can be, or go on with, the source of another."""

    logs: list[Ready] = field(default_factory=list)
    new: int = 0
    _sources: set[int] = field(default_factory=set)
    _heads: set[bytes] = field(default_factory=set)
    _short: list[bytes] = field(default_factory=list)

    def may_hold(self, log: Ready) -> bool:
        """Whether a log has nothing to do with those that are in it."""
        if log.opened.source is not None and log.source in self._sources:
            return False
        head = log.opened.beginning
        if len(head) < HEAD_BYTES:
            return not any(other.startswith(head) for other in self._heads) and not self._is_longer(head)
        return head not in self._heads and not self._is_longer(head)

    def _is_longer(self, head: bytes) -> bool:
        return any(head.startswith(other) for other in self._short)

    def add(self, log: Ready) -> None:
        """Take a log in; a new source gets the next number that is free."""
        if log.opened.source is None:
            log = replace(log, source=log.source + self.new)
            self.new += 1
        head = log.opened.beginning
        self._sources.add(log.source)
        self._heads.add(head)
        if len(head) < HEAD_BYTES:
            self._short.append(head)
        self.logs.append(log)


@dataclass(frozen=True)
class FarIntake:
    """Reads logs as `Intake` does, on a cluster.

    Attributes:
        spark: The session.
        intake: What it takes.
        step: About so many bytes are a task.
    """

    spark: "SparkSession"
    intake: Intake
    step: int

    def read(self, inputs: Sequence[Input]) -> list[Outcome]:
        """Read all inputs; what is wrong with one is in its outcome, not raised."""
        outcomes: dict[int, Outcome] = {}
        wave = Wave()
        for number, item in enumerate(inputs):
            found = self._opened(item, number)
            if not isinstance(found, Outcome) and (found is None or not wave.may_hold(found)):
                outcomes |= self._worked(wave)
                wave = Wave()
                found = self._opened(item, number) or self.intake.read(item, number)
            if isinstance(found, Outcome):
                outcomes[number] = found
            else:
                wave.add(found)
        outcomes |= self._worked(wave)
        return [outcomes[number] for number in range(len(inputs))]

    def _opened(self, item: Input, number: int) -> Ready | Outcome | None:
        """An input as the driver finds it; None for one that can only be read once, which is read here."""
        if not is_shared(item):
            return None
        try:
            with self.intake.opened(item, number) as found:
                return found
        except LogparseError as error:
            return refused(item, error)

    def _worked(self, wave: Wave) -> dict[int, Outcome]:
        """What became of the logs of a wave."""
        if not wave.logs:
            return {}
        reports = Reports(read(self.spark, map(self._planned, wave.logs), RANGES_AT_ONCE))
        outcomes = {log.number: self._finished(log, reports) for log in wave.logs}
        reports.drain()
        return outcomes

    def _finished(self, log: Ready, reports: Reports[Stored]) -> Outcome:
        outcome = self.intake.finish(log, *self.intake.gathered(self._stored(log, reports)))
        was_renamed = outcome.state == "empty" and not is_there(log.item)
        return replace(outcome, state="gone") if was_renamed else outcome

    def _planned(self, log: Ready) -> Planned[Stored]:
        make = Storing(self.intake.task(log), shipped(self.intake.lake), self.intake.run)
        return planned(
            log.number,
            log.opened,
            far_place(log.item),
            log.size,
            make,
            step=self.step,
            packed=log.packed,
            grows=log.item.path is not None,
        )

    def _stored(self, log: Ready, reports: Reports[Stored]) -> Iterator[Stored]:
        """What the workers have stored of a log, in order.

        Raises:
            UnreadableSource: it cannot be read.
        """
        at = log.opened.at
        if at is None:
            return
        try:
            for told in reports.of(log.number, at.offset, at.line):
                assert told.made is not None
                yield told.made
        except MissingError as error:
            if is_there(log.item):
                raise UnreadableSource(f"{error}; {WHERE_LOGS_LIE}") from error
            # it was renamed meanwhile, and the next run goes on with it under its new name


WHERE_LOGS_LIE = "logs lie in a folder that all workers have, or in an object store, such as s3://bucket/access.log"


def is_shared(item: Input) -> bool:
    """Whether a log may be opened by others: one of standard input or a pipe is read here."""
    return bool(item.uri) or (item.path is not None and not (item.path.exists() and not item.path.is_file()))


def is_there(item: Input) -> bool:
    """Whether a log is still where it was."""
    return item.path is None or item.path.exists()


def far_place(item: Input) -> str:
    """Where workers find a log."""
    return item.uri or item.place
