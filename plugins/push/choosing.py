"""Which items each customer is offered: a recommender ranks, and the levels of interests decide what of it counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from crm.recommending import Allowed
from plugins.push.levels import fitting, narrowest_only

CHOSEN: Final = {
    "customer": pl.String(),
    "rank": pl.Int64(),
    "item": pl.String(),
    "level": pl.Int64(),
    "score": pl.Float64(),
    "reason": pl.String(),
}
_ROWS: Final = 2_000_000
"""So many ranked items are looked at together, so that memory stays within bounds."""
_FIRST: Final = 8
_GROWS: Final = 8
"""So many times as many as wanted are asked for at first, and so many times as many as before whenever too few fit."""


class Ranks(Protocol):
    """What ranks items: a recommender that is fitted."""

    def recommend(self, who: pl.Series, k: int, allowed: Allowed) -> pl.DataFrame:
        """As `crm.recommending.Recommender.recommend`."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What is chosen from, and how.

    Attributes:
        pool: The items that may be offered, with the catalogue's columns.
        apart: Pairs of customers and items that do not go together.
        sought: The categories that each customer is interested in.
        levels: At which levels items are looked for.
        most: How many items for each customer at most.
        spare: How many more are looked at, so that unlike ones can be taken.
    """

    pool: pl.DataFrame
    apart: pl.DataFrame
    sought: pl.DataFrame
    levels: Sequence[int]
    most: int
    spare: int = 0


def chosen(recommender: Ranks, people: pl.Series, wanted: Wanted) -> pl.DataFrame:
    """The items of each customer, of the narrowest level of the customer's interests that has any.

    The recommender is asked for few items first, and only for those who have too few that fit, for more: the result is
    the same as that of all items.

    Args:
        recommender: A recommender that is fitted.
        people: The customers; shape (customers,).
        wanted: What is chosen from.

    Returns:
        `customer`, `rank`, `item`, `level`, `score`, `reason`, sorted; nobody who gets nothing.
    """
    need, size = wanted.most + wanted.spare, wanted.pool.height
    if not size or people.is_empty():
        return pl.DataFrame(schema=CHOSEN)
    without = wanted.apart.select(pl.col("customer").alias("who"), "item")
    allowed = Allowed(wanted.pool["item"].sort(), without)
    parts, k = [], min(size, _FIRST * need)
    while people.len():
        again = [people.clear()]
        for some in people.to_frame().iter_slices(max(1, _ROWS // k)):
            ranked = recommender.recommend(some.to_series().alias("who"), k, allowed).rename({"who": "customer"})
            fits = fitting(ranked, wanted.sought, wanted.pool, wanted.levels)
            open_ = _open(some.to_series(), ranked, fits, need, k, wanted.levels) if k < size else people.clear()
            settled = narrowest_only(fits.filter(~pl.col("customer").is_in(open_.implode())))
            parts.append(settled.group_by("customer", maintain_order=True).head(need))
            again.append(open_)
        people, k = pl.concat(again), min(size, k * _GROWS)
    rows = pl.concat(parts).sort("customer", "rank")
    return rows.with_columns(_rank()).select(*CHOSEN).cast(CHOSEN)  # type: ignore[arg-type]  # a mapping of types


def _open(
    people: pl.Series, ranked: pl.DataFrame, fits: pl.DataFrame, need: int, k: int, levels: Sequence[int]
) -> pl.Series:
    """Who may have more items, or items of a narrower level, behind those that were ranked."""
    top = fits.filter(pl.col("level").is_null() | (pl.col("level") == max(levels, default=0)))
    enough = top.group_by("customer").len().filter(pl.col("len") >= need)["customer"]
    whole = ranked.group_by("customer").len().filter(pl.col("len") >= k)["customer"]
    return people.filter(people.is_in(whole.implode()) & ~people.is_in(enough.implode()))


def _rank() -> pl.Expr:
    """The place of each row among those of its customer, which are in order."""
    return pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("customer").alias("rank")


def within_budget(rows: pl.DataFrame, arms: pl.DataFrame, budget: int | None) -> pl.Series:
    """The customers for whom a budget of messages is enough, best score first, and the control group to compare with.

    A customer of the control group costs nothing, but is in it only with a score with which a message would have been
    sent.

    Args:
        rows: `customer`, `score`: of each customer one row or several, the best of which counts.
        arms: `customer`, `arm`.
        budget: So many messages; None for as many as there are.
    """
    best = rows.group_by("customer").agg(pl.col("score").max()).join(arms, on="customer", how="left")
    best = best.sort("score", "customer", descending=[True, False])
    if budget is None:
        return best["customer"].sort()
    spent = (pl.col("arm") != "control").cum_sum()
    before = spent - (pl.col("arm") != "control").cast(pl.UInt32)
    return best.filter(before < budget)["customer"].sort()
