"""What new hits have touched, found on the cluster: the twin of `plugins.logs.derive.touched` and `pruned`.

Ids of visitors stay there, as many as there are; the driver learns dates alone.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from crm.lake import Lake
from logparse.rules import SessionRules
from plugins.logs.derive import DAY, Touched, gone_before, midnight_of
from plugins.logs.spark.jobs import Columns, in_groups, shipped, spread

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

IDS_ROWS = 2_000_000
"""A task that reads nothing but visitors and times takes about so many hits."""

PAIRS: Columns = {"day": pl.Int64(), "visitor": pl.Int64()}
"""Dates, as days since 1970, and who has been there."""

SIDES: Columns = {"day": pl.Int64(), "visitor": pl.Int64(), "last": pl.Int64(), "first": pl.Int64()}
"""A visitor's last hit before the midnight with which a date begins, and the first one after it, in microseconds."""

EPOCH = date(1970, 1, 1)


def touched(spark: "SparkSession", lake: Lake, built: int, rules: SessionRules) -> "Touched[DataFrame]":
    """What the runs after `built` have touched; with 0, everything."""
    if not built:
        return Touched(sorted(lake.files("hits")["date"].unique().to_list()), None)
    pairs = _pairs(spark, lake, lake.written_since("hits", built), pl.col("run") > built)
    return _with_neighbours(spark, lake, pairs, rules.idle, (-1, 1))


def pruned(spark: "SparkSession", lake: Lake, before: date, rules: SessionRules) -> "Touched[DataFrame]":
    """What taking out all hits before a date has touched: also the runs that may have gone on over its midnight."""
    files = lake.files("hits").filter(pl.col("date").is_in([before, before + DAY]))
    pairs = _pairs(spark, lake, files, pl.col("ts") <= midnight_of(before) + rules.idle)
    found = _with_neighbours(spark, lake, pairs, rules.idle, (1,))
    return Touched(found.dates, found.visitors, gone_before(lake, before))


def _pairs(spark: "SparkSession", lake: Lake, files: pl.DataFrame, which: pl.Expr) -> "DataFrame":
    """Dates and visitors of people's hits in some files, each pair once; kept, since several questions are asked."""
    groups, lake = in_groups(files, IDS_ROWS), shipped(lake)

    def work(number: int) -> Iterator[pl.DataFrame]:
        people = lake.read("hits", groups[number]).filter(which, pl.col("bot").is_null())
        yield people.select(_days(pl.col("date")).alias("day"), "visitor").unique().collect()

    return spread(spark, len(groups), work, PAIRS).distinct().persist()


def _with_neighbours(
    spark: "SparkSession", lake: Lake, pairs: "DataFrame", idle: timedelta, steps: tuple[int, ...]
) -> "Touched[DataFrame]":
    """The dates of some visitors' hits, and those that their runs reach over midnights.

    Args:
        spark: The session.
        lake: The lake.
        pairs: Dates and visitors.
        idle: A longer gap ends a run.
        steps: Where to look from each date: -1 for the one before, 1 for the one behind.
    """
    days = {row.day for row in pairs.select("day").distinct().collect()}
    visitors = pairs.select("visitor").distinct()
    new = days
    while new:
        midnights = {day + (step > 0): day + step for day in new for step in steps if day + step not in days}
        crossed = _crossed(spark, lake, sorted(midnights), visitors, idle)
        new = {midnights[day] for day in crossed}
        days = days | new
    return Touched([_date(day) for day in sorted(days)], visitors)


def _crossed(
    spark: "SparkSession", lake: Lake, midnights: list[int], visitors: "DataFrame", idle: timedelta
) -> set[int]:
    """The midnights, named by the days that begin there, over which a run of one of the visitors goes."""
    from pyspark.sql import functions as f

    near = {_date(day + side) for day in midnights for side in (-1, 0)}
    groups = in_groups(lake.files("hits").filter(pl.col("date").is_in(list(near))), IDS_ROWS)
    if not groups:
        return set()
    lake = shipped(lake)

    def work(number: int) -> Iterator[pl.DataFrame]:
        people = lake.read("hits", groups[number]).filter(pl.col("bot").is_null())
        yield from sides(people.select("date", "visitor", "ts").collect(), midnights, idle)

    found = spread(spark, len(groups), work, SIDES).groupBy("day", "visitor").agg(f.max("last"), f.min("first"))
    micros = idle // timedelta(microseconds=1)
    runs = found.toDF("day", "visitor", "last", "first").filter(f.col("first") - f.col("last") <= micros)
    return {row.day for row in runs.join(visitors, "visitor", "left_semi").select("day").distinct().collect()}


def sides(hits: pl.DataFrame, midnights: list[int], idle: timedelta) -> Iterator[pl.DataFrame]:
    """Of each visitor the last hit before each midnight and the first one after it (`SIDES`), if near enough."""
    ts, midnight = pl.col("ts"), pl.col("date").cast(pl.Datetime("us", "UTC"))
    after = hits.filter(ts - midnight <= idle).with_columns(_days(pl.col("date")).alias("day"), first=_micros(ts))
    before = hits.filter(midnight + DAY - ts <= idle).with_columns(
        (_days(pl.col("date")) + 1).alias("day"), last=_micros(ts)
    )
    for side in (after, before):
        found = side.filter(pl.col("day").is_in(midnights)).with_columns(
            pl.lit(None, dtype=pl.Int64).alias(name) for name in {"first", "last"} - set(side.columns)
        )
        yield found.group_by("day", "visitor").agg(pl.col("last").max(), pl.col("first").min())


def _micros(ts: pl.Expr) -> pl.Expr:
    return ts.dt.epoch("us")


def _days(day: pl.Expr) -> pl.Expr:
    return day.cast(pl.Int32).cast(pl.Int64)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)
