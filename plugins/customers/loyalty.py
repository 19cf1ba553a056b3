"""Repurchase: which share of customers buys again, and how cohorts of customers go on buying.

A purchase is all that a customer has ordered on one day, as everywhere in this plugin.
"""

from datetime import date
from typing import Final

import polars as pl

PERIODS: Final = {"month": "1mo", "quarter": "1q", "year": "1y"}
"""The lengths of periods, by name, as Polars writes them."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def repurchases(bought: pl.DataFrame, until: date, days: int, period: str, *, new: bool) -> pl.DataFrame:
    """One row a period: how many customers bought again within some days.

    Args:
        bought: Purchases: `customer`, `date`; one a customer and day.
        until: The last day of the observation.
        days: Within how many days of the purchase.
        period: One of `PERIODS`.
        new: Whether a period's customers are those who bought for the first time in it, else all who bought in it; of
            these it is the first purchase in the period from which the days are counted.

    Returns:
        `period`, its first day; `customers`; `known`, those of them whose days are over at `until`; `again`, those of
        the known ones who bought again in time; `rate`, again / known, null where none is known; `median_days`, the
        median of the days from the one purchase to the next of those who bought again in time.
    """
    ordered = bought.sort("customer", "date").with_columns(
        pl.col("date").shift(-1).over("customer").alias("next"),
        pl.col("date").dt.truncate(PERIODS[period]).alias("period"),
        (pl.col("customer") != pl.col("customer").shift()).fill_null(value=True).alias("new"),
    )
    starts = ordered.filter("new") if new else ordered.unique(["customer", "period"], keep="first", maintain_order=True)
    gap = (pl.col("next") - pl.col("date")).dt.total_days()
    known = pl.col("date") + pl.duration(days=days) <= until
    again = known & (gap <= days).fill_null(value=False)
    return (
        starts.group_by("period")
        .agg(
            pl.len().cast(pl.Int64).alias("customers"),
            known.sum().cast(pl.Int64).alias("known"),
            again.sum().cast(pl.Int64).alias("again"),
            gap.filter(again).median().alias("median_days"),
        )
        .sort("period")
        .with_columns(rate=pl.when(pl.col("known") > 0).then(pl.col("again") / pl.col("known")))
        .select("period", "customers", "known", "again", "rate", "median_days")
    )


def cohorts(bought: pl.DataFrame, until: date, period: str) -> pl.DataFrame:
    """One row a cohort and period after its first: how many of the cohort bought in it.

    Args:
        bought: Purchases: `customer`, `date`; one a customer and day.
        until: The last day of the observation; periods that are not over by then are left out.
        period: One of `PERIODS`.

    Returns:
        `cohort`, the first day of the period of the first purchase; `customers` in it; `after`, the number of periods
        since; `buyers`; `share` of the cohort.
    """
    step = PERIODS[period]
    placed = bought.select("customer", pl.col("date").dt.truncate(step).alias("period")).unique()
    first = placed.group_by("customer").agg(pl.col("period").min().alias("cohort"))
    months = {name: pl.col(name).dt.year() * 12 + pl.col(name).dt.month() for name in ("period", "cohort")}
    after = (months["period"] - months["cohort"]) // _MONTHS[period]
    counted = (
        placed.join(first, on="customer")
        .with_columns(after.cast(pl.Int64).alias("after"))
        .group_by("cohort", "after")
        .agg(pl.len().cast(pl.Int64).alias("buyers"))
    )
    sizes = first.group_by("cohort").agg(pl.len().cast(pl.Int64).alias("customers"))
    most = int(counted["after"].max() or 0) if counted.height else 0  # type: ignore[arg-type]  # a whole number
    whole = sizes.join(pl.DataFrame({"after": range(most + 1)}, schema={"after": pl.Int64}), how="cross")
    end = pl.col("cohort").dt.offset_by(pl.format("{}mo", (pl.col("after") + 1) * _MONTHS[period]))
    return (
        whole.filter((end <= pl.lit(until).dt.offset_by("1d")) | (pl.col("after") == 0))
        .join(counted, on=["cohort", "after"], how="left")
        .with_columns(pl.col("buyers").fill_null(0))
        .with_columns(share=pl.col("buyers") / pl.col("customers"))
        .select("cohort", "customers", "after", "buyers", "share")
        .sort("cohort", "after")
    )


def empty(*, cohorts: bool) -> pl.DataFrame:
    """No row of what `cohorts`, or `repurchases`, gives: there is no order."""
    columns = ("cohort", "customers", "after", "buyers", "share") if cohorts else _REPURCHASES
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.Int64))


_REPURCHASES: Final = ("period", "customers", "known", "again", "rate", "median_days")
