"""Miners whose tables are by date, run on the cluster: a date is a task, its tables' files are written there."""

import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from crm.datafiles import encode
from crm.discovery import is_single_file
from crm.hookspecs import Miner
from crm.lake import Lake, Part
from plugins.logs.miners import in_batches, mined_by, reached, rows_of
from plugins.logs.spark.jobs import REPORT, attempt, report, reported, shipped, spread

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class MinerFailed(Exception):
    """A miner does not work, and what it has raised cannot travel."""


@dataclass(frozen=True)
class Day:
    """What a miner made of a date: its data files by table, what it has to say, or what it has raised."""

    parts: dict[str, list[Part]]
    notes: tuple[str, ...] = ()
    missing: str = ""
    raised: Exception | None = None


@dataclass(frozen=True)
class Task:
    """A date and the data files that a miner of it reads."""

    day: date
    sessions: pl.DataFrame
    hits: pl.DataFrame | None


@dataclass(frozen=True)
class OnCluster:
    """Runs miners over dates, a task each (a `ByDate`); one that the workers cannot import runs here.

    Attributes:
        spark: The session.
    """

    spark: "SparkSession"

    def __call__(
        self, lake: Lake, miner: Miner, tables: Sequence[str], dates: Sequence[date], run: int
    ) -> tuple[dict[str, list[Part]], list[str]]:
        """The data files of each of the tables, and what the miner has to say."""
        try:
            packed = _packed(miner)
        except Exception as error:  # whatever its author has put into it
            return self._here(lake, miner, tables, dates, run, f"it cannot be sent there ({error})")
        days = list(self._days(lake, packed, tables, _tasks(lake, miner, dates), run))
        missing = next((day.missing for day in days if day.missing), "")
        if missing:
            return self._here(lake, miner, tables, dates, run, f"what it needs is not installed there ({missing})")
        for day in days:
            if day.raised is not None:
                raise day.raised
        notes = dict.fromkeys(note for day in days for note in day.notes)
        parts = {name: [part for day in days for part in day.parts[name]] for name in tables}
        for name, files in parts.items():
            lake.keep(name, run, files)
        return parts, list(notes)

    def _here(
        self, lake: Lake, miner: Miner, tables: Sequence[str], dates: Sequence[date], run: int, why: str
    ) -> tuple[dict[str, list[Part]], list[str]]:
        parts, notes = in_batches(lake, miner, tables, dates, run)
        return parts, [f"{', '.join(miner.tables)}: made here instead of on the workers: {why}", *notes]

    def _days(self, lake: Lake, packed: bytes, tables: Sequence[str], tasks: Sequence[Task], run: int) -> Iterator[Day]:
        far = shipped(lake)

        def work(number: int) -> Iterator[pl.DataFrame]:
            yield report(_mined(far, packed, tables, tasks[number], run))

        return reported(spread(self.spark, len(tasks), work, REPORT), Day)


def _packed(miner: Miner) -> bytes:
    """The miner as bytes: by its name where its module is installed, and whole where it is a plugin of one file."""
    from pyspark import cloudpickle

    module = sys.modules.get(getattr(miner.mine, "__module__", ""))
    if module is not None and is_single_file(module.__name__):
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]  # it has no types
    packed: bytes = cloudpickle.dumps(miner)  # type: ignore[no-untyped-call]
    return packed


def _tasks(lake: Lake, miner: Miner, dates: Sequence[date]) -> list[Task]:
    """One task for each date that has sessions."""
    sessions = lake.files("sessions").partition_by("date", as_dict=True)
    found = []
    for day in dates:
        if (day,) in sessions:
            hits = lake.files("hits").filter(pl.col("date").is_in(reached([day]))) if miner.hits else None
            found.append(Task(day, sessions[day,], hits))
    return found


def _mined(lake: Lake, packed: bytes, tables: Sequence[str], task: Task, run: int) -> Day:
    """Run a miner over a date, and write what it makes; runs on a worker."""
    from pyspark import cloudpickle

    try:
        miner = cloudpickle.loads(packed)
    except (ImportError, AttributeError) as error:
        return Day({}, missing=str(error))
    try:
        hits = None if task.hits is None else lake.read("hits", task.hits)
        mined = mined_by(miner, lake.read("sessions", task.sessions), [task.day], hits)
        rows = {name: rows_of(lake, name, mined.tables, [task.day]) for name in tables}
    except Exception as error:  # whatever its author has not thought of; the driver raises it once
        return Day({}, raised=_travelling(error))
    part = attempt(f"{task.day:%Y%m%d}")
    parts = {name: lake.store(name, encode(lake.contracts[name], found), run, part) for name, found in rows.items()}
    return Day(parts, mined.notes)


def _travelling(error: Exception) -> Exception:
    """The error, or one that says the same, if it does not survive pickling."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # its class wants arguments, or is known here alone
        return MinerFailed(f"{type(error).__name__}: {error}")
    return error
