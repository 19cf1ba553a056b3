"""Three levels: what fits an interest at level 3 comes first, then level 2 of the same branch, then level 1."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from crm.catalog import SEPARATOR
from plugins.push.pool import CATEGORIES, HAD

NO_ITEM: Final = "no item"
NOT_NOW: Final = "none offered now"
ALL_HAD: Final = "all had already"
RULED_OUT: Final = "none left by the rules"
NOT_RANKED: Final = "not ranked by the algorithm"
UNKNOWN: Final = "no interest known"

SOUGHT: Final = {"customer": pl.String(), "level": pl.Int64(), "key": pl.String(), "weight": pl.Float64()}
MISSES: Final = {**SOUGHT, "level": pl.String(), "reason": pl.String()}


def sought(interests: pl.DataFrame, items: pl.DataFrame, levels: Sequence[int], least: float = 0.0) -> pl.DataFrame:
    """The categories in which items are looked for, for each customer.

    These are the categories that the customer is interested in, or has asked for; those of items and tags that the
    customer has asked for; and the wider categories that these are in. None is there that is not wanted, or is in one.

    Args:
        interests: `customer`, `level`, `key`, `weight`, `stance`.
        items: The catalogue.
        levels: Which levels.
        least: Interests that weigh no more do not count; those that were asked for do.

    Returns:
        `customer`, `level`, `key` and `weight`: the customer's interest in it; 0 where it is only asked for.
    """
    refused = pl.col("stance").fill_null("") == "unwanted"
    wanted = interests.filter(~refused & ((pl.col("weight") > least) | (pl.col("stance") == "wanted")))
    own = _categories(wanted).select("customer", "level", "key")
    found = pl.concat([own, _of_wishes(wanted, items)]).unique()
    wide = pl.concat(
        found.filter(pl.col("level") >= level).select(
            "customer", pl.lit(level, dtype=pl.Int64).alias("level"), _upto("key", level)
        )
        for level in (1, 2, 3)
    )
    weights = _categories(interests).select("customer", "level", "key", "weight")
    return (
        wide.unique()
        .join(_unwanted(interests.filter(refused), wide), on=["customer", "key"], how="anti")
        .filter(pl.col("level").is_in(list(levels)))
        .join(weights, on=["customer", "level", "key"], how="left")
        .with_columns(pl.col("weight").fill_null(0.0))
        .select(*SOUGHT)
        .sort("customer", "level", "key", descending=[False, True, False])
    )


def _categories(interests: pl.DataFrame) -> pl.DataFrame:
    """The interests in categories, with their levels as numbers."""
    return interests.filter(pl.col("level").is_in(["1", "2", "3"])).with_columns(pl.col("level").cast(pl.Int64))


def _of_wishes(wanted: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The narrowest categories of items and tags that customers have asked for."""
    asked = wanted.filter(stance="wanted")
    keys = items.select("item", "tags", *CATEGORIES)
    of_item = asked.filter(level="item").join(keys, left_on="key", right_on="item")
    of_tag = asked.filter(level="tag").join(keys.explode("tags"), left_on="key", right_on="tags")
    rows = pl.concat([each.select("customer", *CATEGORIES) for each in (of_item, of_tag)])
    key = pl.coalesce(*reversed(CATEGORIES))
    return rows.select("customer", _depth(key).alias("level"), key.alias("key")).drop_nulls()


def _depth(key: pl.Expr) -> pl.Expr:
    return key.str.count_matches(SEPARATOR, literal=True).cast(pl.Int64) + 1


def _upto(key: str, level: int) -> pl.Expr:
    """The category of a level that a narrower one is in."""
    names = pl.col(key).str.split(SEPARATOR).list.head(level)
    return names.list.join(SEPARATOR).alias(key)


def _unwanted(refused: pl.DataFrame, wide: pl.DataFrame) -> pl.DataFrame:
    """The categories, of those looked for, that are not wanted, or are in one that is not."""
    no = refused.select("customer", pl.col("key").alias("no"))
    inside = (pl.col("key") == pl.col("no")) | pl.col("key").str.starts_with(pl.col("no") + SEPARATOR)
    return wide.join(no, on="customer").filter(inside).select("customer", "key").unique()


def fitting(ranked: pl.DataFrame, wanted: pl.DataFrame, items: pl.DataFrame, levels: Sequence[int]) -> pl.DataFrame:
    """Ranked items with the narrowest level at which they fit an interest; without those that fit at none.

    Args:
        ranked: `customer`, `item` and more.
        wanted: What `sought` gives.
        items: The catalogue.
        levels: Which levels; without any, everything fits, at no level.

    Returns:
        The rows in their order, with `level`.
    """
    if not levels:
        return ranked.with_columns(pl.lit(None, dtype=pl.Int64).alias("level"))
    rows = ranked.join(items.select("item", *CATEGORIES), on="item", how="left", maintain_order="left")
    flags = []
    for level in levels:
        keys = wanted.filter(level=level).select("customer", "key", pl.lit(level).alias(f"fits{level}"))
        own = ["customer", f"category{level}"]
        rows = rows.join(keys, left_on=own, right_on=["customer", "key"], how="left", maintain_order="left")
        flags.append(pl.col(f"fits{level}"))
    found = rows.with_columns(pl.coalesce(*flags).cast(pl.Int64).alias("level"))
    return found.filter(pl.col("level").is_not_null()).select(*ranked.columns, "level")


def narrowest_only(fits: pl.DataFrame) -> pl.DataFrame:
    """Of each customer the items of the narrowest level that has any."""
    best = pl.col("level").max().over("customer")
    return fits.filter(pl.col("level").is_null() | (pl.col("level") == best))


def misses(
    people: pl.Series, wanted: pl.DataFrame, pool: pl.DataFrame, apart: pl.DataFrame, levels: Sequence[int]
) -> pl.DataFrame:
    """What was looked for in vain, and why there was nothing.

    Args:
        people: The customers for whom there was nothing.
        wanted: What `sought` gives.
        pool: The items, with `offered`.
        apart: Pairs of customers and items that do not go together.
        levels: The levels at which items were looked for; without any, all items were.

    Returns:
        `customer`, `level` and `key` of the category (empty where no interest is known, or none matters), `weight`,
        `reason`.
    """
    who = people.alias("customer").to_frame()
    looked = wanted.join(who, on="customer", how="semi")
    unknown = who.join(looked, on="customer", how="anti")
    whole = unknown.select(
        "customer", pl.lit(0, dtype=pl.Int64).alias("level"), pl.lit("").alias("key"), pl.lit(None).alias("weight")
    ).cast(SOUGHT)  # type: ignore[arg-type]  # a mapping of types is what it takes
    told = _why(looked, pool, apart) if levels else _why(whole, pool, apart)
    silent = whole.with_columns(pl.lit(UNKNOWN).alias("reason")) if levels else told.clear()
    level = pl.when(pl.col("level") == 0).then(pl.lit("")).otherwise(pl.col("level").cast(pl.String)).alias("level")
    return pl.concat([told, silent]).with_columns(level).select(*MISSES).sort(
        "customer", "level", "key", descending=[False, True, False]
    )  # fmt: skip


def _why(looked: pl.DataFrame, pool: pl.DataFrame, apart: pl.DataFrame) -> pl.DataFrame:
    """Categories with the reason why nothing was found in them."""
    keys = [pool.select("item", "offered", pl.lit("").alias("key"), pl.lit(0, dtype=pl.Int64).alias("level"))]
    keys += [
        pool.select(
            "item", "offered", pl.col(name).alias("key"), pl.lit(depth, dtype=pl.Int64).alias("level")
        ).drop_nulls("key")
        for depth, name in enumerate(CATEGORIES, 1)
    ]
    items = pl.concat(keys)
    counts = items.group_by("level", "key").agg(pl.len().alias("all"), pl.col("offered").sum().alias("now"))
    offered = items.filter("offered").select("level", "key", "item")
    cut = (
        apart.join(looked.select("customer").unique(), on="customer", how="semi")
        .join(offered, on="item")
        .group_by("customer", "level", "key")
        .agg(pl.len().alias("out"), (pl.col("why") == HAD).sum().alias("had"))
    )
    rows = looked.join(counts, on=["level", "key"], how="left").join(cut, on=["customer", "level", "key"], how="left")
    zero = [pl.col(name).fill_null(0) for name in ("all", "now", "out", "had")]
    reason = (
        pl.when(pl.col("all") == 0).then(pl.lit(NO_ITEM))
        .when(pl.col("now") == 0).then(pl.lit(NOT_NOW))
        .when(pl.col("had") == pl.col("now")).then(pl.lit(ALL_HAD))
        .when(pl.col("out") == pl.col("now")).then(pl.lit(RULED_OUT))
        .otherwise(pl.lit(NOT_RANKED))
    )  # fmt: skip
    return rows.with_columns(zero).select(*SOUGHT, reason.alias("reason"))
