"""Run the registered miners over the sessions that changed."""

from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from crm.hookspecs import Miner
from crm.lake import Lake, Part

BATCH_SESSIONS = 1_000_000
"""Miners are given the dates of about so many sessions at a time."""


def mine(lake: Lake, miners: Sequence[Miner], changed: Sequence[date], run: int) -> None:
    """Bring every miner's tables up to the sessions of a run.

    Args:
        lake: The lake, with the run's sessions committed.
        miners: What plugins have registered.
        changed: The dates whose sessions this run has rebuilt.
        run: Number of the run.
    """
    everything = None
    for miner in miners:
        built = min(lake.transaction(name) for name in miner.tables)
        if built >= run:
            continue
        if built == run - 1 and changed:
            _refresh(lake, miner, changed, run)
            continue
        if everything is None:
            everything = sorted(lake.files("sessions")["date"].unique().to_list())
        _refresh(lake, miner, everything, run, whole=True)


def _refresh(lake: Lake, miner: Miner, dates: Sequence[date], run: int, *, whole: bool = False) -> None:
    """Replace the rows of some dates, or of all."""
    parts: dict[str, list[Part]] = {name: [] for name in miner.tables}
    for number, batch in enumerate(_batches(lake, dates)):
        mined = miner.mine(lake.scan("sessions", dates=batch), batch)
        for name in miner.tables:
            parts[name] += lake.write(name, mined[name].collect(), run, f"{number:04d}")
    for name in miner.tables:
        old = lake.files(name)["date"].unique().to_list()
        lake.commit(name, parts[name], run, replace=old if whole else dates)


def _batches(lake: Lake, dates: Sequence[date]) -> Iterator[list[date]]:
    """The dates in batches of about `BATCH_SESSIONS` sessions."""
    sizes = dict(lake.files("sessions").group_by("date").agg(pl.col("rows").sum()).iter_rows())
    batch: list[date] = []
    held = 0
    for day in dates:
        if batch and held + sizes.get(day, 0) > BATCH_SESSIONS:
            yield batch
            batch, held = [], 0
        batch.append(day)
        held += sizes.get(day, 0)
    if batch:
        yield batch
