"""Tiers of loyalty: which one a customer has reached by money, orders and points, and what is missing to the next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

import polars as pl


class TierLike(Protocol):
    """A tier: its name, and what must be reached for it; None for what does not matter."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def spent(self) -> float | None:
        """So much money."""

    @property
    def orders(self) -> int | None:
        """So many orders."""

    @property
    def points(self) -> int | None:
        """So many points earned."""


MEASURES: Final = ("spent", "orders", "points")
"""What tiers have bounds on."""


def standings(
    orders: pl.LazyFrame, points: pl.LazyFrame, as_of: datetime, tiers: Sequence[TierLike], months: int
) -> pl.LazyFrame:
    """What each customer has reached in the last months, one row each who has ordered or earned something then.

    Args:
        orders: Lines of orders: `customer`, `order_id`, `ts`, `amount`.
        points: The ledger: `customer`, `ts`, `points`, `order_id`.
        as_of: The moment; what happened then or later does not count.
        tiers: The tiers, lowest first. A customer has the last of which all bounds are reached.
        months: How many months back.

    Returns:
        `customer`; `spent`, what was paid less what was returned; `orders`; `points`, earned by orders less what was
        taken back; `tier`, null below the first.
    """
    now = pl.lit(as_of)
    recent = (pl.col("ts") >= now.dt.offset_by(f"-{months}mo")) & (pl.col("ts") < now)
    amount = pl.col("amount").fill_null(0)
    bought = (
        orders.filter(recent, pl.col("customer").is_not_null())
        .group_by("customer")
        .agg(
            (amount.sum().round(6) + 0.0).alias("spent"),
            pl.col("order_id").filter(amount >= 0).n_unique().cast(pl.Int64).alias("orders"),
        )
    )
    earned = (
        points.filter(recent, pl.col("customer").is_not_null(), pl.col("order_id").is_not_null())
        .group_by("customer")
        .agg(pl.col("points").sum())
    )
    both = bought.join(earned, on="customer", how="full", coalesce=True).with_columns(pl.col(*MEASURES).fill_null(0))
    return both.with_columns(tier_of(tiers).alias("tier"))


def tier_of(tiers: Sequence[TierLike]) -> pl.Expr:
    """The name of the last tier of which all bounds are reached by `spent`, `orders` and `points`."""
    if not tiers:
        return pl.lit(None, dtype=pl.String)
    return pl.coalesce(pl.when(reached(tier)).then(pl.lit(tier.name)) for tier in reversed(tiers))


def reached(tier: TierLike) -> pl.Expr:
    """Whether all bounds of a tier are reached."""
    bounds = {name: getattr(tier, name) for name in MEASURES}
    return pl.all_horizontal(pl.col(name) >= bound for name, bound in bounds.items() if bound is not None)


def listed(
    customers: pl.DataFrame,
    orders: pl.DataFrame,
    points: pl.DataFrame,
    as_of: datetime,
    tiers: Sequence[TierLike],
    months: int,
) -> pl.DataFrame:
    """One row a customer, the highest tier first: what was reached, the tier, the next one, and what is missing to it.

    Args:
        customers: All customers, by `customer`.
        orders: As in `standings`.
        points: As in `standings`.
        as_of: As in `standings`.
        tiers: As in `standings`.
        months: As in `standings`.
    """
    found = standings(orders.lazy(), points.lazy(), as_of, tiers, months).collect()
    whole = customers.select("customer").join(found, on="customer", how="left").with_columns(
        pl.col(*MEASURES).fill_null(0)
    )  # fmt: skip
    # A bound of 0 is reached by those who have ordered nothing, too.
    ranked = whole.with_columns(tier_of(tiers).alias("tier"), _rank(tiers).alias("rank"))
    missing = [_missing(tiers, name).alias(f"{name}_missing") for name in MEASURES]
    return (
        ranked.with_columns(_next(tiers).alias("next"), *missing)
        .sort("rank", "spent", "customer", descending=[True, True, False])
        .select("customer", "tier", *MEASURES, "next", *(f"{name}_missing" for name in MEASURES))
    )


def summed(found: pl.DataFrame, tiers: Sequence[TierLike]) -> pl.DataFrame:
    """One row a tier, lowest first, below it those without one: customers, their share, and what they have spent.

    Args:
        found: As `listed` gives it.
        tiers: The tiers.
    """
    names = pl.DataFrame({"tier": [None, *(tier.name for tier in tiers)]}, schema={"tier": pl.String})
    counts = found.group_by("tier").agg(pl.len().cast(pl.Int64).alias("customers"), pl.col("spent").sum())
    whole = names.join(counts, on="tier", how="left", nulls_equal=True, maintain_order="left")
    filled = whole.with_columns(pl.col("customers", "spent").fill_null(0))
    return filled.select("tier", "customers", (pl.col("customers") / max(1, found.height)).alias("share"), "spent")


def _rank(tiers: Sequence[TierLike]) -> pl.Expr:
    """The place of the last tier that is reached, from 1; 0 for none."""
    places = [pl.when(reached(tier)).then(at) for at, tier in enumerate(tiers, 1)]
    return pl.max_horizontal(pl.lit(0), *places).cast(pl.Int64)


def _next(tiers: Sequence[TierLike]) -> pl.Expr:
    """The name of the tier behind that which is reached."""
    return pl.col("rank").replace_strict(
        list(range(len(tiers))), [tier.name for tier in tiers], default=None, return_dtype=pl.String
    )


def _missing(tiers: Sequence[TierLike], name: str) -> pl.Expr:
    """How much of a measure is missing to the next tier; null where that has no bound on it, or there is none."""
    bounds = [getattr(tier, name) for tier in tiers]
    bound = pl.col("rank").replace_strict(list(range(len(tiers))), bounds, default=None, return_dtype=pl.Float64)
    left = (bound - pl.col(name)).clip(0)
    return left if name == "spent" else left.cast(pl.Int64)
