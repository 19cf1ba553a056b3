"""RFM: customers by recency, frequency and money, as scores from 1 to 5, and the segments that these make.

Source: Hughes (1994), "Strategic database marketing": customers are sorted by each of the three, and cut into fifths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

SCORES: Final = 5
"""Scores go from 1 to this."""

MEASURES: Final = ("recency", "frequency", "monetary")
"""What is scored: days since the last purchase (fewer are better), number of purchases, money (more are better)."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """A name for customers with some scores.

    Attributes:
        name: What they are called.
        recency: The lowest and the highest score of recency.
        frequency: Those of frequency.
        monetary: Those of money.
    """

    name: str
    recency: Span
    frequency: Span
    monetary: Span = (1, SCORES)

    def fits(self) -> pl.Expr:
        """Whether the scores of a customer are in all three spans."""
        spans = {"r": self.recency, "f": self.frequency, "m": self.monetary}
        return pl.all_horizontal(pl.col(name).is_between(*span) for name, span in spans.items())


SEGMENTS: Final = (
    Segment("champions", (4, 5), (4, 5), (4, 5)),
    Segment("loyal", (3, 5), (4, 5)),
    Segment("promising", (4, 5), (2, 3)),
    Segment("new", (4, 5), (1, 1)),
    Segment("needs attention", (3, 3), (2, 3)),
    Segment("about to sleep", (3, 3), (1, 1)),
    Segment("cannot lose", (1, 2), (4, 5), (4, 5)),
    Segment("at risk", (1, 2), (3, 5)),
    Segment("hibernating", (2, 2), (1, 2)),
    Segment("lost", (1, 1), (1, 2)),
)
"""The segments, best first; a customer belongs to the first that fits, and every one belongs to one."""


def scored(customers: pl.DataFrame, cuts: Mapping[str, Sequence[float]] | None = None) -> pl.DataFrame:
    """Customers with the scores `r`, `f` and `m`, these as one text `rfm`, and their `segment`; the best first.

    A score is one more than the number of whole fifths of all customers that are worse: 1 + floor(5 * worse / n). So
    equal customers score the same, and the worst always 1.

    Args:
        customers: `customer`, `recency`, `frequency`, `monetary`, one row each.
        cuts: For measures that are not to be cut into fifths, four rising numbers each: a customer scores one more for
            each of them that they reach; or, of recency, do not exceed.
    """
    given = cuts or {}
    scores = [
        (_by_cuts(name, given[name]) if name in given else _by_fifths(name)).cast(pl.Int64).alias(name[0])
        for name in MEASURES
    ]
    letters = pl.concat_str(pl.col("r", "f", "m").cast(pl.String))
    segment = pl.coalesce(pl.when(each.fits()).then(pl.lit(each.name)) for each in SEGMENTS)
    found = customers.with_columns(scores).with_columns(letters.alias("rfm"), segment.alias("segment"))
    best = pl.col("r") + pl.col("f") + pl.col("m")
    return found.sort(-best, -pl.col("monetary"), "customer")


def summary(scored_customers: pl.DataFrame) -> pl.DataFrame:
    """One row a segment that has customers, best first.

    `share` is its share of all customers, `recency` and `frequency` are means of a customer, `monetary` is the sum of
    all and `monetary_share` its share of all money, null where there is none.

    Args:
        scored_customers: As `scored` makes them.
    """
    order = pl.DataFrame({"segment": [each.name for each in SEGMENTS]}).with_row_index("place")
    money = pl.col("monetary").sum()
    return (
        scored_customers.group_by("segment")
        .agg(pl.len().cast(pl.Int64).alias("customers"), pl.col("recency", "frequency").mean(), money)
        .join(order, on="segment")
        .sort("place")
        .select(
            "segment",
            "customers",
            (pl.col("customers") / pl.col("customers").sum()).alias("share"),
            "recency",
            "frequency",
            "monetary",
            pl.when(money > 0).then(pl.col("monetary") / money).alias("monetary_share"),
        )
    )


def grid(scored_customers: pl.DataFrame) -> pl.DataFrame:
    """One row for each pair of scores of recency and frequency that customers have, best first.

    `share` is that of all customers; `monetary` is the sum of all of them, and `m` their mean score of money.

    Args:
        scored_customers: As `scored` makes them.
    """
    cells = scored_customers.group_by("r", "f").agg(
        pl.len().cast(pl.Int64).alias("customers"), pl.col("m").mean(), pl.col("monetary").sum()
    )
    share = (pl.col("customers") / pl.col("customers").sum()).alias("share")
    return cells.select("r", "f", "customers", share, "m", "monetary").sort("r", "f", descending=True)


def _by_fifths(name: str) -> pl.Expr:
    """The score by rank; worked out in whole numbers, so that no rounding moves a customer."""
    value = -pl.col(name) if name == "recency" else pl.col(name)
    worse = value.rank("min").cast(pl.Int64) - 1
    return 1 + SCORES * worse // pl.len()


def _by_cuts(name: str, cuts: Sequence[float]) -> pl.Expr:
    value = pl.col(name)
    return 1 + pl.sum_horizontal((value <= cut if name == "recency" else value >= cut).cast(pl.Int64) for cut in cuts)
