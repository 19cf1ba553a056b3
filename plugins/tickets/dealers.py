"""How dealers work, each beside the dealers of its group: times, shares with Wilson's intervals, cost per repair."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist
from typing import Final

import polars as pl

from crm.proportions import wilson

DECIDED: Final = ("opened", "in_review", "sent_back", "withdrawn")
"""In these states a ticket is not decided yet, or never was."""
FALLEN: Final = ("rejected", "withdrawn")
"""Tickets in these states are no repair."""
SHARES: Final = ("rejected", "repeat", "complaints")
SORTED_BY: Final = (*SHARES, "cost")
_DAY: Final = timedelta(days=1)
_CODES: Final = ("labour_code", "fault_code")
_MOMENTS: Final = (("sign", "signed_at"), ("settle", "settled_at"))


@dataclass(frozen=True)
class Story:
    """What is known of tickets besides their rows.

    Attributes:
        done: `ticket`, `signed_at` and `settled_at`: when that happened first; null where it has not.
        ratings: `ticket`, `kind`, `score`.
        groups: `dealer` and `group`.
    """

    done: pl.DataFrame
    ratings: pl.DataFrame
    groups: pl.DataFrame


def dealers(
    tickets: pl.DataFrame, story: Story, within: timedelta, confidence: float, order: str = "repeat"
) -> pl.DataFrame:
    """A row a dealer, the surely worst first.

    Args:
        tickets: `ticket`, `dealer`, `vin`, `labour_code`, `fault_code`, `opened`, `state`, `loss`; withdrawn ones
            may be among them, and do not count.
        story: What is known besides.
        within: A second repair of a fault so soon is a repeat.
        confidence: How sure intervals are.
        order: By the lower end of whose interval: one of `SORTED_BY`.
    """
    counted = _counted(tickets.filter(pl.col("dealer").is_not_null()), story, within)
    told = pl.concat([counted, *(_share(counted, name, confidence) for name in SHARES)], how="horizontal")
    costs = _costs(tickets, told.select("dealer", "group"), confidence)
    whole = told.join(costs, on="dealer", how="left", maintain_order="left")
    return (
        whole.with_columns(_flags(whole))
        .sort(f"{order}_low", "dealer", descending=[True, False], nulls_last=True)
        .select(COLUMNS)
    )


COLUMNS: Final = (
    *("dealer", "group", "tickets", "signed_days", "settled_days"),
    *(f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")),
    *("score", "scores", "cost", "cost_index", "cost_low", "cost_high", "flags"),
)


def _counted(tickets: pl.DataFrame, story: Story, within: timedelta) -> pl.DataFrame:
    """Counts of each dealer: how often something happened (`NAME_hits`) of how many times (`NAME_trials`)."""
    state, rated = pl.col("state"), _rated(story.ratings)
    marked = (
        tickets.join(_repeats(tickets, within), on="ticket", how="left")
        .filter((state != "withdrawn").fill_null(True))
        .join(story.done, on="ticket", how="left")
        .join(rated, on="ticket", how="left")
    )
    decided = ~state.is_in(DECIDED).fill_null(True)
    found = marked.group_by("dealer").agg(
        pl.len().cast(pl.Int64).alias("tickets"),
        *(
            ((pl.col(f"{name}_at") - pl.col("opened")) / _DAY).median().alias(f"{name}_days")
            for name in ("signed", "settled")
        ),
        (decided & (state == "rejected")).sum().cast(pl.Int64).alias("rejected_hits"),
        decided.sum().cast(pl.Int64).alias("rejected_trials"),
        pl.col("repeat").sum().cast(pl.Int64).alias("repeat_hits"),
        pl.col("repeat").count().cast(pl.Int64).alias("repeat_trials"),
        pl.col("complained").fill_null(False).sum().cast(pl.Int64).alias("complaints_hits"),
        pl.len().cast(pl.Int64).alias("complaints_trials"),
        (pl.col("total").sum() / pl.col("scores").sum()).fill_nan(None).alias("score"),
        pl.col("scores").sum().cast(pl.Int64),
    )
    return found.join(story.groups, on="dealer", how="left").sort("dealer")


def _rated(ratings: pl.DataFrame) -> pl.DataFrame:
    """What customers have said of each ticket."""
    return ratings.group_by("ticket").agg(
        (pl.col("kind") == "complaint").any().alias("complained"),
        pl.col("score").sum().alias("total"),
        pl.col("score").count().alias("scores"),
    )


def _repeats(tickets: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    """`ticket`, `repeat`: whether its vehicle came again with the labour code or the fault code soon after.

    The dealer of the first repair answers for it, wherever the second one was. A repair that was not long enough ago
    for this to be known is not among them.
    """
    repairs = tickets.filter(~pl.col("state").is_in(FALLEN).fill_null(False) & pl.col("vin").is_not_null())
    again = pl.lit(False)
    for code in _CODES:
        following = pl.col("opened").shift(-1).over("vin", code, order_by=["opened", "ticket"])
        again = again | ((following - pl.col("opened") <= within) & pl.col(code).is_not_null()).fill_null(False)
    last = tickets["opened"].max()
    long_ago = pl.col("opened") <= pl.lit(last) - within
    return repairs.with_columns(again.alias("repeat")).filter(long_ago).select("ticket", "repeat")


def _share(counted: pl.DataFrame, name: str, confidence: float) -> pl.DataFrame:
    """A share of each dealer with its interval, and that of its group."""
    pairs = list(zip(counted[f"{name}_hits"], counted[f"{name}_trials"], strict=True))
    ends = [wilson(hits, trials, confidence) if trials else (None, None) for hits, trials in pairs]
    hits, trials = pl.col(f"{name}_hits"), pl.col(f"{name}_trials")
    low, high = ([each[at] for each in ends] for at in range(2))
    return counted.select(
        (hits / trials).fill_nan(None).alias(name),
        pl.Series(f"{name}_low", low, dtype=pl.Float64),
        pl.Series(f"{name}_high", high, dtype=pl.Float64),
        (hits.sum() / trials.sum()).over("group").alias(f"{name}_usual"),
    )


def _costs(tickets: pl.DataFrame, groups: pl.DataFrame, confidence: float) -> pl.DataFrame:
    """What a repair of each dealer costs, and how many times as much as the same work costs at others of its group.

    Indirect standardisation: a repair is expected to cost what its labour code costs on average at the other dealers of
    the group; work that no other does is left out. The interval is normal, from how far repairs are from that.
    """
    repairs = (
        tickets.filter(~pl.col("state").is_in(FALLEN).fill_null(False))
        .join(groups, on="dealer", nulls_equal=False)
        .select("dealer", "group", "labour_code", "loss")
    )
    own, every = ["dealer", "labour_code"], ["group", "labour_code"]
    loss = pl.col("loss")
    others = (loss.sum().over(every) - loss.sum().over(own)) / (pl.len().over(every) - pl.len().over(own))
    usual = pl.when(others.is_finite()).then(others).alias("usual")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    known = pl.col("usual").is_not_null() & loss.is_not_null()
    left, expected = (loss - pl.col("usual")).filter(known), pl.col("usual").filter(known).sum()
    index = (loss.filter(known).sum() / expected).fill_nan(None)
    half = z * left.std() * left.count().sqrt() / expected
    return (
        repairs.with_columns(usual)
        .group_by("dealer")
        .agg(
            loss.mean().alias("cost"),
            index.alias("cost_index"),
            (index - half).alias("cost_low"),
            (index + half).alias("cost_high"),
        )
        .with_columns(pl.lit(1.0).alias("cost_usual"))
    )


def _flags(whole: pl.DataFrame) -> pl.Expr:
    """What the interval of a dealer tells apart from its group: `repeat high`, `cost low` ..."""
    return pl.concat_str(
        [_flag(name) for name in (*SHARES, "cost") if f"{name}_low" in whole.columns], separator=", ", ignore_nulls=True
    ).alias("flags")


def _flag(name: str) -> pl.Expr:
    usual = pl.col(f"{name}_usual")
    above, below = pl.col(f"{name}_low") > usual, pl.col(f"{name}_high") < usual
    return pl.when(above).then(pl.lit(f"{name} high")).when(below).then(pl.lit(f"{name} low"))


def first_times(events: pl.DataFrame, kinds: Sequence[tuple[str, str]] = _MOMENTS) -> pl.DataFrame:
    """When events happened to each ticket first.

    Args:
        events: `ticket`, `event`, `ts`.
        kinds: Events, and what the columns of their times are called.
    """
    return events.group_by("ticket").agg(
        pl.col("ts").filter(pl.col("event") == event).min().alias(name) for event, name in kinds
    )
