"""Hits -> sessions in the lake: the runs that new hits touch are rebuilt, whole, across dates, and no others.

A *window* is a stretch of time whose hits fit in memory. Windows are worked through in order; the hits of runs that may
go on behind a window's end are carried into the next.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import polars as pl

from crm.lake import Lake, Part
from logparse.behaviour import signs
from logparse.distinct import coded
from logparse.rules import SessionRules
from logparse.sessions import in_order, is_view, run_starts, sessions
from plugins.logs.parallel import one_ahead

WINDOW_HITS = 1_000_000
"""About so many hits are worked on at a time."""

DAY = timedelta(days=1)
COLUMNS = ("visitor", "ts", "page", "login", "status", "kind", "bot", "source", "line")
V = TypeVar("V")


@dataclass(frozen=True)
class Touched(Generic[V]):
    """What has to be rebuilt: the dates of the touched runs, and their visitors (None: everybody).

    The sessions of the dates in `gone` go, whosever they are.
    """

    dates: list[date]
    visitors: V | None
    gone: list[date] = field(default_factory=list)


def touched(lake: Lake, built: int, rules: SessionRules) -> Touched[pl.Series]:
    """What the runs after `built` have touched.

    Args:
        lake: The lake.
        built: The run that the sessions were built from; 0 for everything.
        rules: The session rules.
    """
    if not built:
        return Touched(sorted(lake.files("hits")["date"].unique().to_list()), None)
    new = lake.scan("hits", since_run=built).filter(pl.col("bot").is_null())
    pairs = new.select("date", "visitor").unique().collect()
    visitors = pairs["visitor"].unique().sort()
    days = set(pairs["date"].to_list())
    for day in sorted(days):
        for step in (-DAY, DAY):
            edge = day
            while edge + step not in days and _crosses(lake, edge, step, visitors, rules.idle):
                edge += step
                days.add(edge)
    return Touched(sorted(days), visitors)


def pruned(lake: Lake, before: date, rules: SessionRules) -> Touched[pl.Series]:
    """What taking out all hits before a date has touched: also the runs that may have gone on over its midnight.

    Of such a run, the hits since the date are left, and become sessions of their own.
    """
    gone = gone_before(lake, before)
    midnight = midnight_of(before)
    near = lake.scan("hits", dates=[before, before + DAY]).filter(
        pl.col("ts") <= midnight + rules.idle, pl.col("bot").is_null()
    )
    pairs = near.select("date", "visitor").unique().collect()
    visitors = pairs["visitor"].unique().sort()
    days = set(pairs["date"].to_list())
    while days and _crosses(lake, max(days), DAY, visitors, rules.idle):
        days.add(max(days) + DAY)
    return Touched(sorted(days), visitors, gone)


def gone_before(lake: Lake, before: date) -> list[date]:
    """The dates before one that have sessions."""
    return sorted(day for day in lake.files("sessions")["date"].unique().to_list() if day < before)


def _crosses(lake: Lake, day: date, step: timedelta, visitors: pl.Series, idle: timedelta) -> bool:
    """Whether a run of one of the visitors goes over the midnight between `day` and the day before or after."""
    midnight = midnight_of(day if step < timedelta(0) else day + DAY)
    near = (
        lake.scan("hits", dates=[(midnight - DAY).date(), midnight.date()])
        .filter(pl.col("ts").is_between(midnight - idle, midnight + idle), pl.col("bot").is_null())
        .filter(pl.col("visitor").is_in(visitors.implode()))
    )
    sides = (
        near.group_by("visitor")
        .agg(
            pl.col("ts").filter(pl.col("ts") < midnight).max().alias("last"),
            pl.col("ts").filter(pl.col("ts") >= midnight).min().alias("first"),
        )
        .filter(pl.col("first") - pl.col("last") <= idle)
    )
    return bool(sides.select(pl.len()).collect().item())


def rebuild(lake: Lake, rules: SessionRules, sources: pl.DataFrame, run: int, what: Touched[pl.Series]) -> list[date]:
    """Rebuild the sessions of the touched visitors on the touched dates, and commit them as of a run."""
    ranks = ranked(sources)
    with ThreadPoolExecutor(max_workers=1) as writer:
        made = (found for stretch in _stretches(what.dates) for found in _made(lake, stretch, what, ranks, rules))
        written = [writer.submit(_write, lake, found, run, f"new-{at:06d}") for at, found in enumerate(made)]
    parts = [part for future in written for part in future.result()]
    if what.visitors is not None:
        parts += _write(lake, _kept(lake, what), run, "kept")
    return publish(lake, parts, run, what)


def publish(lake: Lake, parts: list[Part], run: int, what: Touched[V]) -> list[date]:
    """Commit new sessions in the place of those that were touched; the dates that this changed."""
    old = set(lake.files("sessions")["date"].to_list())
    touched_dates = {*what.dates, *what.gone}
    lake.commit("sessions", parts, run, replace=sorted(old if what.visitors is None else touched_dates))
    return sorted(touched_dates | (old if what.visitors is None else set()))


def ranked(sources: pl.DataFrame) -> pl.DataFrame:
    """The `rank` of each source, by which hits of one instant are ordered."""
    return sources.sort("first_ts", "fingerprint").select("source").with_row_index("rank")


def _made(
    lake: Lake, stretch: list[date], what: Touched[pl.Series], ranks: pl.DataFrame, rules: SessionRules
) -> Iterator[pl.DataFrame]:
    """The sessions of a stretch of dates, window by window."""
    windows = list(_windows(lake, stretch))
    loads = (partial(_load, lake, start, end, what.visitors, ranks, rules) for start, end in windows)
    carried: pl.DataFrame | None = None
    for (_, end), hits in zip(windows, one_ahead(loads), strict=True):
        if carried is not None:
            hits = pl.concat([carried.cast({"page": pl.String}), hits])
        hits = in_order(hits.with_columns(coded(hits["page"])))
        hits, carried = _carry(hits, end, rules.idle, last=end == windows[-1][1])
        yield sessions(hits, rules)


def _kept(lake: Lake, what: Touched[pl.Series]) -> pl.DataFrame:
    """The sessions of all other visitors on the touched dates."""
    assert what.visitors is not None
    old = lake.scan("sessions", dates=what.dates)
    return old.filter(~pl.col("visitor").is_in(what.visitors.implode())).collect().drop("date")


def _write(lake: Lake, rows: pl.DataFrame, run: int, part: str) -> list[Part]:
    if not rows.height:
        return []
    return lake.write("sessions", rows.with_columns(pl.col("start").dt.date().alias("date")), run, part)


def _stretches(dates: list[date]) -> list[list[date]]:
    """Dates in stretches without a gap."""
    out: list[list[date]] = []
    for day in dates:
        if out and day - out[-1][-1] == DAY:
            out[-1].append(day)
        else:
            out.append([day])
    return out


def _windows(lake: Lake, stretch: list[date]) -> Iterator[tuple[datetime, datetime]]:
    """Times [start, end) that cover a stretch of dates, each with about `WINDOW_HITS` hits."""
    sizes = dict(lake.files("hits").group_by("date").agg(pl.col("rows").sum()).iter_rows())
    start, held = midnight_of(stretch[0]), 0
    for day in stretch:
        size = sizes.get(day, 0)
        if held and held + size > WINDOW_HITS:
            yield start, midnight_of(day)
            start, held = midnight_of(day), 0
        slices = -(-size // WINDOW_HITS)
        for _ in range(slices - 1):
            yield start, start + DAY / slices
            start += DAY / slices
        held = held + size if slices <= 1 else size // slices
    yield start, midnight_of(stretch[-1] + DAY)


def _load(
    lake: Lake, start: datetime, end: datetime, visitors: pl.Series | None, ranks: pl.DataFrame, rules: SessionRules
) -> pl.DataFrame:
    """The hits of people in a window, as `logparse.sessions` takes them, with the rank of their source."""
    last = (end - timedelta(microseconds=1)).date()
    days = [start.date() + timedelta(days=n) for n in range((last - start.date()).days + 1)]
    hits = lake.scan("hits", dates=days).filter(pl.col("bot").is_null())
    if start != midnight_of(start.date()) or end != midnight_of(end.date()):
        hits = hits.filter(pl.col("ts") >= start, pl.col("ts") < end)
    if visitors is not None:
        hits = hits.filter(pl.col("visitor").is_in(visitors.implode()))
    return needed(hits, ranks, rules)


def needed(hits: pl.LazyFrame, ranks: pl.DataFrame, rules: SessionRules) -> pl.DataFrame:
    """Hits of the lake as `logparse.sessions` takes them, with the rank of their source."""
    origin = ("referrer", "host") if rules.new_referrer else ()
    frame = hits.select(*COLUMNS, *origin).with_columns(is_view().alias("view"), signs())
    rank = pl.col("source").replace_strict(ranks["source"], ranks["rank"], return_dtype=pl.Int64).alias("rank")
    kept = frame.select("visitor", "ts", "page", "view", "login", "bot", "signs", "line", *origin, rank).collect()
    return kept.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in {"referrer", "host"} - {*origin})


def _carry(
    hits: pl.DataFrame, end: datetime, idle: timedelta, *, last: bool
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Part the hits into those of finished runs, and those of runs that may go on behind `end`."""
    if last or not hits.height:
        return hits, None if last else hits
    starts = run_starts(hits["visitor"], hits["ts"], idle)
    ends = np.append(np.flatnonzero(starts)[1:], hits.height) - 1
    open_run = (hits["ts"].gather(ends) >= end - idle).to_numpy()
    goes_on = pl.Series(open_run[np.cumsum(starts) - 1])
    return hits.filter(~goes_on), hits.filter(goes_on)


def midnight_of(day: date) -> datetime:
    """When a UTC date begins."""
    return datetime.combine(day, time(), UTC)
