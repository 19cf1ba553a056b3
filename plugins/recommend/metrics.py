"""How good lists are: each person's measures, their means with intervals, and what the lists are like as a whole.

Of somebody with n hidden items and a list of k: recall is the share of the n in the list, and hit whether there is any.
Average precision is the sum, over the hits, of the precision down to the hit, divided by min(k, n); NDCG (Järvelin,
Kekäläinen, 2002) the sum of 1/log2(1 + rank) over the hits, divided by the largest that it can be.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from plugins.recommend.interactions import Floats
from plugins.recommend.splitting import discounts

MEASURES: Final = ("map", "ndcg", "recall", "hit_rate")
_LEVEL: Final = 0.95
_CELLS: Final = 4_000_000


def per_person(lists: pl.DataFrame, hidden: pl.DataFrame, k: int) -> pl.DataFrame:
    """The measures of everybody of whom something is hidden: `who` and `MEASURES`; sorted by who.

    Args:
        lists: `who`, `rank`, `item`; ranks beyond k do not count.
        hidden: `who`, `item`, each pair once.
        k: The length of a list.
    """
    gains = discounts(k)
    ideal = pl.Series(np.cumsum(gains))
    gain = pl.DataFrame({"rank": np.arange(1, k + 1), "gain": gains})
    hits = (
        lists.select("who", "item", pl.col("rank").cast(pl.Int64))
        .join(hidden, on=["who", "item"])
        .join(gain, on="rank")
        .sort("who", "rank")
        .with_columns((pl.int_range(1, pl.len() + 1).over("who") / pl.col("rank")).alias("precision"))
        .group_by("who")
        .agg(pl.col("precision").sum(), pl.col("gain").sum(), pl.len().alias("hits"))
    )
    sizes = hidden.group_by("who").agg(pl.len().alias("size"))
    rows = sizes.join(hits, on="who", how="left").sort("who").fill_null(0)
    most = pl.min_horizontal("size", pl.lit(k)).cast(pl.Int64)
    best = ideal.gather(rows.select(most - 1).to_series())
    return rows.select(
        "who",
        (pl.col("precision") / most).alias("map"),
        (pl.col("gain") / best).alias("ndcg"),
        (pl.col("hits") / pl.col("size")).alias("recall"),
        (pl.col("hits") > 0).cast(pl.Float64).alias("hit_rate"),
    )


def intervals(values: Floats, times: int, seed: int) -> tuple[Floats, Floats]:
    """The percentile bootstrap interval of 95% of means over people (Efron, 1979).

    Args:
        values: Shape (people, measures).
        times: How often people are drawn.
        seed: Where chance begins.

    Returns:
        The lower and the upper end of each measure; NaN without people; shape (measures,).
    """
    people = len(values)
    if not people:
        return (np.full(values.shape[1], np.nan),) * 2
    chance = np.random.default_rng(seed)
    size = max(1, _CELLS // people)
    means = [
        chance.multinomial(people, np.full(people, 1 / people), min(size, times - start)) @ values / people
        for start in range(0, times, size)
    ]
    low, high = np.quantile(np.vstack(means), [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    return low, high


def means(measures: pl.DataFrame, times: int, seed: int) -> Mapping[str, float]:
    """Means of the measures of people, and with `times` above 0 the ends of their intervals."""
    values = measures.select(MEASURES).to_numpy()
    middle = values.mean(axis=0) if len(values) else np.full(len(MEASURES), np.nan)
    low, high = intervals(values, times, seed) if times else (middle, middle)
    found: dict[str, float] = {}
    for at, name in enumerate(MEASURES):
        found[name] = float(middle[at])
        if times:
            found |= {f"{name}_low": float(low[at]), f"{name}_high": float(high[at])}
    return found


def coverage(lists: pl.DataFrame, items: int) -> float:
    """The share of all items that are in some list."""
    return lists["item"].n_unique() / items if items else 0.0


def novelty(lists: pl.DataFrame, training: pl.DataFrame) -> float:
    """The mean self-information of what is recommended, in bits: -log2 of the share of the people who have the item.

    An item that nobody has counts as if one had it. NaN where nothing is recommended.
    """
    people = training["who"].n_unique()
    having = training.group_by("item").agg(pl.col("who").n_unique().alias("people"))
    rows = lists.join(having, on="item", how="left").select(-(pl.col("people").fill_null(1) / people).log(2))
    mean = rows.to_series().mean()
    return float(mean) if isinstance(mean, float) else float("nan")
