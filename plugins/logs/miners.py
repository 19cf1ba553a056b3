"""Run the registered miners over people's sessions that changed; robots' are kept from them here."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

import polars as pl

from crm.hookspecs import Mined, Miner
from crm.lake import Lake, Part
from crm.registry import BROKEN
from crm.schema import polars_schema
from logparse.sessions import chronological

BATCH_SESSIONS = 250_000
"""Miners are given the dates of about so many sessions at a time."""


class ByDate(Protocol):
    """Runs a miner over the sessions of some dates."""

    def __call__(
        self, lake: Lake, miner: Miner, tables: Sequence[str], dates: Sequence[date], run: int
    ) -> tuple[dict[str, list[Part]], list[str]]:
        """The data files of each of the tables, which wait for their commit, and what the miner has to say.

        A table that is not named has the run already: its files bear the same names and are being read.
        """


def in_batches(
    lake: Lake, miner: Miner, tables: Sequence[str], dates: Sequence[date], run: int
) -> tuple[dict[str, list[Part]], list[str]]:
    """Run a miner here, over some dates at a time (a `ByDate`)."""
    parts: dict[str, list[Part]] = {name: [] for name in tables}
    notes: dict[str, None] = {}
    for number, batch in enumerate(_batches(lake, dates)):
        hits = lake.scan("hits", dates=reached(batch)) if miner.hits else None
        mined = mined_by(miner, lake.scan("sessions", dates=batch), batch, hits)
        notes |= dict.fromkeys(mined.notes)
        for name in tables:
            parts[name] += lake.write(name, rows_of(lake, name, mined.tables, batch), run, f"{number:04d}")
    return parts, list(notes)


def mine(
    lake: Lake,
    miners: Sequence[Miner],
    changed: tuple[int, Sequence[date]] | None,
    run: int,
    failed: Callable[[Miner, BaseException], None],
    noted: Callable[[str], None],
    by_date: ByDate = in_batches,
) -> None:
    """Bring every miner's tables up to the sessions of a run.

    Args:
        lake: The lake, with the run's sessions committed.
        miners: What plugins have registered.
        changed: A run, and the dates whose sessions have been rebuilt since; None where that is not known.
        run: Number of the run.
        failed: Told of a miner that raises: its tables stay as they are until it works again, and the
            other miners go on.
        noted: Told what miners have to say.
        by_date: Runs the miners whose tables are by date; those of the newest sessions run here.
    """
    everything: list[date] | None = None
    for miner in miners:
        try:
            built = {name: lake.transaction(name) for name in _in_lake(lake, miner)}
            behind = [name for name, version in built.items() if version < run]
            if not behind:
                continue
            if miner.newest is not None:
                _renew(lake, miner, behind, run, noted)
                continue
            if changed is not None and min(built[name] for name in behind) >= changed[0]:
                _refresh(lake, miner, behind, changed[1], run, noted, by_date)
                continue
            if everything is None:
                everything = sorted(lake.files("sessions")["date"].unique().to_list())
            _refresh(lake, miner, behind, everything, run, noted, by_date, whole=True)
        except BROKEN as error:
            failed(miner, error)


def _in_lake(lake: Lake, miner: Miner) -> Sequence[str]:
    for name in miner.tables:
        if name not in lake.contracts:
            raise ValueError(f"its table {name!r} is not one of the lake")
        by_date = lake.contracts[name].by_date
        if miner.newest is None and not by_date:
            raise ValueError(f"its table {name!r} is not by date, so parts of it cannot be replaced")
        if miner.newest is not None and by_date:
            raise ValueError(f"its table {name!r} is by date, and it mines the newest sessions of all dates")
    return miner.tables


def _renew(lake: Lake, miner: Miner, tables: Sequence[str], run: int, noted: Callable[[str], None]) -> None:
    """Replace all rows of some of a miner's tables by what it makes of the newest sessions."""
    sessions = newest_sessions(lake, miner.newest or 0)
    dates = sessions["date"].unique().sort().to_list()
    hits = lake.scan("hits", dates=reached(dates)) if miner.hits else None
    mined = mined_by(miner, sessions.lazy(), dates, hits)
    for name in tables:
        rows = rows_of(lake, name, mined.tables, ())
        lake.commit(name, lake.write(name, rows, run, "0000"), run, replace=())
    held = int(lake.files("sessions")["rows"].sum())
    if miner.newest and sessions.height == miner.newest < held:
        more = f"; of all: {miner.more}" if miner.more else ""
        noted(f"{', '.join(miner.tables)}: of the newest {miner.newest:,} sessions{more}")
    for note in mined.notes:
        noted(note)


def newest_sessions(lake: Lake, most: int) -> pl.DataFrame:
    """The sessions of people that started last, no more than so many, in order."""
    sizes = lake.files("sessions").group_by("date").agg(pl.col("rows").sum()).sort("date", descending=True)
    found = pl.DataFrame(schema=polars_schema(lake.contracts["sessions"]))
    for day, rows in sizes.iter_rows():
        if found.height >= most:
            break
        if rows:
            found = found.vstack(lake.scan("sessions", dates=[day]).filter(pl.col("bot").is_null()).collect())
    return chronological(found).tail(most)


def mined_by(miner: Miner, sessions: pl.LazyFrame, dates: Collection[date], hits: pl.LazyFrame | None) -> Mined:
    """What a miner makes of people's sessions and hits, among those of some dates.

    Args:
        miner: The miner.
        sessions: The sessions of the dates.
        dates: The dates.
        hits: The hits of the dates that sessions reach into, where the miner wants them.
    """
    people = pl.col("bot").is_null()
    if hits is None:
        found = miner.mine(sessions.filter(people), dates)
    else:
        found = miner.mine(sessions.filter(people), dates, hits.filter(people))
    return found if isinstance(found, Mined) else Mined(found)


def reached(dates: Collection[date]) -> list[date]:
    """The dates on which sessions of some dates have hits: these, and those behind them."""
    return sorted({*dates, *(day + timedelta(days=1) for day in dates)})


def _refresh(
    lake: Lake,
    miner: Miner,
    tables: Sequence[str],
    dates: Sequence[date],
    run: int,
    noted: Callable[[str], None],
    by_date: ByDate,
    *,
    whole: bool = False,
) -> None:
    """Replace the rows of some dates, or of all, in some of a miner's tables."""
    parts, notes = by_date(lake, miner, tables, dates, run)
    for name in tables:
        old = lake.files(name)["date"].unique().to_list()
        lake.commit(name, parts[name], run, replace=old if whole else dates)
    for note in notes:
        noted(note)


def rows_of(lake: Lake, name: str, mined: Mapping[str, pl.LazyFrame], batch: Collection[date]) -> pl.DataFrame:
    """What a miner has made for a table, as the table's contract has it.

    Raises:
        ValueError: rows of other dates than the miner was asked for.
    """
    contract = lake.contracts[name]
    schema = polars_schema(contract)
    rows = mined[name].select(pl.col(column).cast(dtype) for column, dtype in schema.items()).collect()
    if contract.by_date and not rows["date"].is_in(list(batch)).all():
        raise ValueError(f"rows of {name} for a date whose sessions it was not given")
    return rows


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
