"""Interests of all people together."""

import polars as pl


def summary(interests: pl.DataFrame) -> pl.DataFrame:
    """One row a key, by level, the greatest sum of weights first.

    Args:
        interests: `who`, `level`, `key`, `weight`, `stance`.

    Returns:
        `level`, `key`, `people` with a weight above 0, the sum of `weight` over them, for how many it is the `first` of
        the level (of equal weights, all are), and how many have said `wanted` and `unwanted`.
    """
    liked = pl.col("weight") > 0
    best = liked & (pl.col("weight") == pl.col("weight").max().over("who", "level"))
    return (
        interests.with_columns(best.alias("first"))
        .group_by("level", "key")
        .agg(
            liked.sum().cast(pl.Int64).alias("people"),
            pl.col("weight").filter(liked).sum(),
            pl.col("first").sum().cast(pl.Int64),
            *((pl.col("stance") == said).sum().cast(pl.Int64).alias(said) for said in ("wanted", "unwanted")),
        )
        .sort("level", "weight", "key", descending=[False, True, False])
    )
