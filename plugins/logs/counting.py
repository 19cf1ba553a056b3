"""Stored hits counted by a field, and by time: plain functions over frames."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import polars as pl

from logparse.sessions import is_view

Robots = Literal["include", "exclude", "only"]
Step = Literal["hour", "day", "week"]

HOUR = timedelta(hours=1)
SITE = r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)"
"""The site of a referrer."""


@dataclass(frozen=True)
class Field:
    """What hits are counted by.

    Attributes:
        column: Name of the value in the result.
        value: Where it comes from; the column itself where it is None.
        only: Which hits are counted; None for all.
        by_bytes: The largest by bytes come first, not by hits, and shares are those of bytes.
    """

    column: str
    value: pl.Expr | None = None
    only: pl.Expr | None = None
    by_bytes: bool = False


def field(name: str) -> Field:
    """What a name of `crm logs top` means."""
    special = {
        "404": Field("page", only=pl.col("status") == 404),
        "referrer-site": Field("referrer_site", pl.col("referrer").str.extract(SITE).str.to_lowercase()),
        "bytes": Field("path", by_bytes=True),
    }
    return special.get(name) or Field(name)


def robots(which: Robots) -> pl.Expr:
    """Hits of people and robots, or of people or robots only."""
    if which == "include":
        return pl.lit(True)
    return pl.col("bot").is_null() if which == "exclude" else pl.col("bot").is_not_null()


def top(hits: pl.LazyFrame, by: Field, which: Robots) -> pl.LazyFrame:
    """Hits counted by a field: the value, `hits`, `share`, `visitors`, `bytes`; largest first, then by value.

    Hits without a value are one row, whose value is null.

    Args:
        hits: The table `hits`.
        by: The field.
        which: Whose hits.
    """
    kept = hits.filter(robots(which))
    if by.only is not None:
        kept = kept.filter(by.only)
    value = pl.col(by.column) if by.value is None else by.value
    # Two steps, since the first streams: distinct visitors are the rows of each value.
    pairs = kept.group_by(value.alias(by.column), "visitor").agg(pl.len().alias("hits"), pl.col("bytes").sum())
    sums = pairs.group_by(by.column).agg(
        pl.col("hits").sum().cast(pl.Int64), pl.len().cast(pl.Int64).alias("visitors"), pl.col("bytes").sum()
    )
    measure = pl.col("bytes" if by.by_bytes else "hits")
    share = pl.when(measure.sum() > 0).then(measure / measure.sum())
    columns = (by.column, "hits", share.alias("share"), "visitors", "bytes")
    return sums.select(*columns).sort(measure, by.column, descending=[True, False])


def views_of(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """The views of sessions: `visitor` and `ts`."""
    return sessions.select("visitor", pl.col("times").alias("ts")).explode("ts")


def among(hits: pl.LazyFrame, views: pl.LazyFrame) -> pl.LazyFrame:
    """Those of the views that are among some hits."""
    return hits.filter(is_view()).join(views, on=["visitor", "ts"], how="semi").select("visitor", "ts")


def traffic(
    hits: pl.LazyFrame, sessions: pl.LazyFrame | None, unseen: pl.LazyFrame, step: Step, zone: str
) -> pl.DataFrame:
    """Hits and sessions by time, one row an hour, day or week, also where there were none.

    Args:
        hits: The table `hits`.
        sessions: The table `sessions`; each counts where it starts. None leaves their column out.
        unseen: The views among the hits that do not count, by their `ts`: those of robots by behaviour.
        step: How long the rows are. Weeks begin on Monday (ISO 8601).
        zone: The time zone in which they begin.

    Returns:
        `start` (a time for hours, else a date in the zone), `hits`, `views`, `robots` (hits of robots
        by name), `bytes`, `visitors` (all others), `sessions`; in the order of time.
    """
    person = pl.col("bot").is_null()
    pairs = hits.group_by(_start("ts", step, zone), "visitor").agg(
        pl.len().alias("hits"),
        is_view().sum().alias("views"),
        (~person).sum().alias("robots"),
        pl.col("bytes").sum(),
        person.any().alias("visitors"),
    )
    sums = pairs.group_by("start").agg(pl.col("hits", "views", "robots", "bytes", "visitors").sum())
    counted = sums.collect(engine="streaming")
    more = [unseen.group_by(_start("ts", step, zone)).agg(pl.len().alias("unseen"))]
    if sessions is not None:
        more.append(sessions.group_by(_start("start", step, zone)).agg(pl.len().alias("sessions")))
    rows = _rows(counted["start"], step).join(counted, on="start", how="left")
    for part in more:
        rows = rows.join(part.collect(engine="streaming"), on="start", how="left")
    rows = rows.with_columns(pl.exclude("start").fill_null(0).cast(pl.Int64))
    return rows.with_columns(pl.col("views") - pl.col("unseen")).drop("unseen").sort("start")


def _start(column: str, step: Step, zone: str) -> pl.Expr:
    """When the hour, day or week of a time began."""
    time = pl.col(column)
    local = time.dt.convert_time_zone(zone)
    if step == "hour":
        # By the offset, not by the local time: where clocks are put back an hour comes twice.
        offset = (local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_microseconds()
        past = (time.dt.epoch("us") + offset) % (HOUR // timedelta(microseconds=1))
        return (time - pl.duration(microseconds=past)).alias("start")
    day = local.dt.date()
    return (day if step == "day" else day.dt.truncate("1w")).alias("start")


def _rows(starts: pl.Series, step: Step) -> pl.DataFrame:
    """Every start from the first to the last."""
    first, last = starts.min(), starts.max()
    if first is None:
        return starts.to_frame()
    interval = {"hour": "1h", "day": "1d", "week": "1w"}[step]
    between = pl.datetime_range if step == "hour" else pl.date_range
    every = pl.select(between(pl.lit(first), pl.lit(last), interval).alias("start"))
    # Clocks that are put by half an hour leave hours that are no whole number of hours apart.
    return pl.concat([every, starts.to_frame()]).unique()
