"""Events -> those to learn from, and the items that are hidden and have to be found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import polars as pl

from plugins.recommend.interactions import Floats

How = Literal["last", "random"]
VALIDATION: Final = 0.2
"""The share of the people whose item is hidden to choose parameters."""


@dataclass(frozen=True)
class Split:
    """What is learnt, and what has to be found.

    Attributes:
        training: Events to learn from.
        profiles: Events of the people who are asked about; where these are others than those that are learnt from.
            None where the people are in `training`.
        hidden: `who`, `item`, each pair once: what has to be found; sorted by who and item.
    """

    training: pl.DataFrame
    profiles: pl.DataFrame | None
    hidden: pl.DataFrame

    @property
    def known(self) -> pl.DataFrame:
        """What is known of the people who are asked about: `who`, `item`."""
        events = self.training if self.profiles is None else self.profiles
        return events.select("who", "item").unique().sort("who", "item")


def pairs(events: pl.DataFrame) -> pl.DataFrame:
    """Each person and item once: `who`, `item`, `place` (of the newest event in time); sorted by who and place."""
    ordered = events.sort("ts", maintain_order=True).with_row_index("place")
    return ordered.group_by("who", "item").agg(pl.col("place").max()).sort("who", "place")


def hide_one(events: pl.DataFrame, how: How, seed: int = 0, share: float = 1.0) -> Split:
    """Hide one item, with all its events, of everybody with at least two.

    Args:
        events: `who`, `item`, `ts`, `weight`.
        how: last: the item of the newest event; random: any.
        seed: Where chance begins.
        share: Of so many of these people, whom chance picks.
    """
    chance = np.random.default_rng(seed)
    several = pairs(events).with_columns(pl.len().over("who").alias("size")).filter(pl.col("size") > 1)
    sizes = several.group_by("who", maintain_order=True).agg(pl.len().alias("size"))
    drawn = chance.integers(sizes["size"].to_numpy()) if sizes.height else np.zeros(0, np.int64)
    at = pl.Series(drawn, dtype=pl.Int64) if how == "random" else sizes["size"].cast(pl.Int64) - 1
    asked = sizes.select("who", at.alias("at"))
    if share < 1:
        kept = np.sort(chance.permutation(asked.height)[: max(1, round(share * asked.height))])
        asked = asked[kept]
    numbered = several.with_columns(pl.int_range(pl.len()).over("who").alias("number"))
    hidden = numbered.join(asked, left_on=["who", "number"], right_on=["who", "at"])
    hidden = hidden.select("who", "item").sort("who", "item")
    return Split(events.join(hidden, on=["who", "item"], how="anti", maintain_order="left"), None, hidden)


def hide_later(events: pl.DataFrame, at: datetime) -> Split:
    """Hide everything from a moment on, of people and items that they have not taken up before.

    People of whom nothing is known before that moment are not asked about.

    Args:
        events: `who`, `item`, `ts`, `weight`; events without a time come before any moment.
        at: The moment.
    """
    earlier = (pl.col("ts") < pl.lit(at)).fill_null(True)
    training = events.filter(earlier)
    later = events.filter(~earlier).select("who", "item").unique()
    hidden = later.join(training, on="who", how="semi").join(training, on=["who", "item"], how="anti")
    return Split(training, None, hidden.sort("who", "item"))


def moment_after(events: pl.DataFrame, share: float = 0.8) -> datetime | None:
    """The moment with this share of the events before it; None where no event has a time."""
    times = events["ts"].drop_nulls().sort()
    found = times[min(len(times) - 1, int(share * len(times)))] if len(times) else None
    return found if isinstance(found, datetime) else None


def others(training: pl.DataFrame, tested: pl.DataFrame, how: How, seed: int = 0) -> Split:
    """Learn from some people, and find a hidden item of each of some others."""
    found = hide_one(tested, how, seed)
    profiles = found.training.join(found.hidden, on="who", how="semi", maintain_order="left")
    return Split(training, profiles, found.hidden)


def validation(split: Split, how: How | Literal["time"], seed: int) -> Split:
    """A split of what is learnt alone, of the same kind, to choose parameters by; nothing hidden is in it."""
    training = split.training
    if split.profiles is not None:
        people = training["who"].unique().sort()
        kept = np.random.default_rng(seed).permutation(len(people))[: max(1, round(VALIDATION * len(people)))]
        picked = people.gather(np.sort(kept)).implode()
        return others(
            training.filter(~pl.col("who").is_in(picked)),
            training.filter(pl.col("who").is_in(picked)),
            "last" if how == "last" else "random",
            seed,
        )
    if how == "time":
        at = moment_after(training)
        return hide_later(training, at) if at is not None else hide_one(training, "last", seed)
    return hide_one(training, how, seed, 1.0)


def discounts(k: int) -> Floats:
    """1 / log2(1 + rank) of the first k ranks; shape (k,)."""
    return np.asarray(1 / np.log2(np.arange(2, k + 2)))
