"""The ledger of points: what orders have earned, what has expired, and what is left.

Entries are added, never changed. All that is taken is taken from the oldest points, so what has expired is what was
earned by then less all that was ever taken.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import polars as pl

from plugins.customers.config import PointsConfig

ORDER, REDEEM, ADJUST, EXPIRE = "order", "redeem", "adjust", "expire"
"""The reasons of entries."""

LEDGER: Final[dict[str, pl.DataType]] = {
    "customer": pl.String(),
    "ts": pl.Datetime("us", "UTC"),
    "points": pl.Int64(),
    "reason": pl.String(),
    "order_id": pl.String(),
}
"""The columns of entries that are to be added."""

_ROUND: Final[dict[str, Callable[[pl.Expr], pl.Expr]]] = {
    "down": lambda value: value.floor(),
    "nearest": lambda value: (value + 0.5).floor(),
    "up": lambda value: value.ceil(),
}


def due(orders: pl.DataFrame, config: PointsConfig, now: datetime) -> pl.DataFrame:
    """What each order has earned: `customer`, `order_id`, `ts` of its first line, `points`.

    The points of an order are the sum over its lines of amount x rate, made a whole number; of an order of returns
    they are negative, and rounded as if they were not.

    Args:
        orders: Lines of orders: `customer`, `order_id`, `ts`, `category`, `amount`, `status`.
        config: Rates, rounding, and what earns nothing.
        now: Later lines do not count yet.
    """
    rates = config.categories
    rate = pl.col("category").replace_strict(
        list(rates), list(rates.values()), default=config.per_unit, return_dtype=pl.Float64
    ) if rates else pl.lit(config.per_unit)  # fmt: skip
    earns = ~pl.col("status").fill_null("").is_in(config.unearned)
    value = pl.when(earns).then(pl.col("amount").fill_null(0) * rate).otherwise(0.0)
    whole = pl.col("value").sum().round(6)  # without what adding fractions leaves in the last digits
    return (
        orders.filter(pl.col("customer").is_not_null(), pl.col("ts") < now)
        .with_columns(value.alias("value"))
        .group_by("order_id")
        .agg(pl.col("customer").sort_by("ts", "customer").first(), pl.col("ts").min(), whole)
        .select(
            "customer",
            "order_id",
            "ts",
            (_ROUND[config.rounding](pl.col("value").abs()) * pl.col("value").sign()).cast(pl.Int64).alias("points"),
        )
        .sort("ts", "order_id")
    )


def unbooked(owed: pl.DataFrame, ledger: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The entries that orders still lack, as `LEDGER`; what is booked already makes none.

    The first entry of an order is as old as the order; what is added or taken back later is of now. Nobody's balance
    goes below zero: what cannot be taken back yet is left for the next time.

    Args:
        owed: As `due` gives it.
        ledger: All entries.
        now: The moment.
    """
    booked = (
        ledger.filter(pl.col("order_id").is_not_null()).group_by("order_id").agg(pl.col("points").sum().alias("had"))
    )
    lacking = owed.join(booked, on="order_id", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("had").is_null()).then("ts").otherwise(pl.lit(now)).alias("ts"),
        (pl.col("points") - pl.col("had").fill_null(0)).alias("points"),
    )
    added = lacking.filter(pl.col("points") > 0)
    taken = _affordable(
        lacking.filter(pl.col("points") < 0),
        pl.concat([ledger.select("customer", "points"), added.select("customer", "points")]),
    )
    # What is taken comes after what is added, so that no balance is below zero on the way.
    whole = pl.concat([added, taken]).with_columns(pl.lit(ORDER).alias("reason"))
    return whole.select(pl.col(name).cast(kind) for name, kind in LEDGER.items())


def _affordable(taken: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """What can be taken back of what should be, by customers' balances, the oldest first."""
    wanted = taken.join(balances(ledger), on="customer", how="left", maintain_order="left").sort("ts", "order_id")
    before = -pl.col("points").cum_sum().over("customer") + pl.col("points")  # taken by the entries before
    left = (pl.col("balance").fill_null(0) - before).clip(0)
    return (
        wanted.with_columns((-pl.min_horizontal(-pl.col("points"), left)).alias("points"))
        .drop("balance")
        .filter(pl.col("points") < 0)
    )


def balances(ledger: pl.DataFrame) -> pl.DataFrame:
    """`customer` and `balance`, one row each who is in the ledger."""
    return ledger.group_by("customer").agg(pl.col("points").sum().alias("balance"))


def expired(ledger: pl.DataFrame, months: int, now: datetime) -> pl.DataFrame:
    """The entries for points that have expired and are still in balances, as `LEDGER`; sorted by customer.

    Args:
        ledger: Entries: `customer`, `ts`, `points`.
        months: After how many months points expire.
        now: The moment.
    """
    points = pl.col("points")
    old = (points > 0) & (pl.col("ts").dt.offset_by(f"{months}mo") <= now)
    return (
        ledger.group_by("customer")
        .agg((points.filter(old).sum() + points.filter(points < 0).sum()).alias("points"))
        .filter(points > 0)
        .sort("customer")
        .select(
            "customer",
            pl.lit(now).cast(LEDGER["ts"]).alias("ts"),
            (-points).alias("points"),
            pl.lit(EXPIRE).alias("reason"),
            pl.lit(None, dtype=pl.String).alias("order_id"),
        )
    )


def accounts(ledger: pl.DataFrame, months: int | None) -> pl.DataFrame:
    """One row a customer: balance, what was earned, redeemed, adjusted and has expired, and what expires next and when.

    Args:
        ledger: Entries: `customer`, `entry`, `ts`, `points`, `reason`.
        months: After how many months points expire; None if never.

    Returns:
        `customer`, `balance`, `earned`, `redeemed`, `adjusted`, `expired` (as they are in the ledger, what was taken
        being negative), `expires`, the next moment at which some do, and `expiring`, how many.
    """
    kind = pl.col("reason").str.extract(r"^(\w+)")
    names = {"earned": ORDER, "redeemed": REDEEM, "adjusted": ADJUST, "expired": EXPIRE}
    sums = [pl.col("points").filter(kind == reason).sum().alias(name) for name, reason in names.items()]
    whole = ledger.group_by("customer").agg(pl.col("points").sum().alias("balance"), *sums)
    if months is None:
        nothing = (pl.lit(None, dtype=LEDGER["ts"]).alias("expires"), pl.lit(None, dtype=pl.Int64).alias("expiring"))
        return whole.with_columns(nothing).sort("customer")
    return whole.join(_next(ledger, months), on="customer", how="left").sort("customer")


def _next(ledger: pl.DataFrame, months: int) -> pl.DataFrame:
    """When the oldest points that are left expire, and how many do so then."""
    spent = ledger.filter(pl.col("points") < 0).group_by("customer").agg((-pl.col("points").sum()).alias("spent"))
    lots = (
        ledger.filter(pl.col("points") > 0)
        .join(spent, on="customer", how="left")
        .sort("customer", "ts", "entry")
        .with_columns(pl.col("points").cum_sum().over("customer").alias("until"))
        .with_columns((pl.col("until") - pl.col("spent").fill_null(0)).clip(0, pl.col("points")).alias("left"))
        .filter(pl.col("left") > 0)
        .with_columns(pl.col("ts").dt.offset_by(f"{months}mo").alias("expires"))
    )
    first = pl.col("expires") == pl.col("expires").min()
    return lots.group_by("customer").agg(
        pl.col("expires").min().cast(LEDGER["ts"]), pl.col("left").filter(first).sum().alias("expiring")
    )
