"""What an event is about -> the categories, items and tags that it counts for, and in which shares."""

from typing import Final

import polars as pl

from crm.catalog import SEPARATOR
from crm.interest.terms import fitting, folded

OF: Final = ("item", "category", "term")
"""What an event is about; each may be null."""

LEVELS: Final = ("1", "2", "3", "item", "tag")
"""The levels of keys."""

_DEPTH: Final = 3
_SCHEMA: Final = {
    "thing": pl.UInt32(),
    "level": pl.String(),
    "key": pl.String(),
    "share": pl.Float64(),
    "own": pl.Float64(),
}


def targets(things: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """For what things count.

    Args:
        things: `thing` (a number), and what it is: `item`, `category`, `term`, texts or null; distinct.
        items: The catalogue as `crm.catalog.items` gives it.

    Returns:
        `thing`, `level`, `key`, its `share`, and of it what is its `own`, not that of a category within it. A thing
        has each key once at most; one that counts nowhere has none.
    """
    parts = [_items(things), _categories(things, items), _tags(things, items), *_terms(things, items)]
    return pl.concat([part.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items()) for part in parts])


def categories_of(items: pl.DataFrame) -> pl.DataFrame:
    """The categories of items, wider ones included: `item`, `level`, `key`, and whether it is the narrowest (`own`)."""
    depth = pl.sum_horizontal(pl.col(f"category{level}").is_not_null().cast(pl.Int8) for level in (1, 2, 3))
    parts = [
        items.filter(depth >= level).select(
            "item",
            pl.lit(str(level)).alias("level"),
            pl.col(f"category{level}").alias("key"),
            (depth == level).cast(pl.Float64).alias("own"),
        )
        for level in range(1, _DEPTH + 1)
    ]
    return pl.concat(parts)


def tags_of(items: pl.DataFrame) -> pl.DataFrame:
    """The tags of items: `item`, `key`, and the `share` that each has."""
    tags = items.select("item", pl.col("tags").list.unique(maintain_order=True).alias("key"))
    shared = tags.with_columns((1 / pl.col("key").list.len()).alias("share"))
    return shared.explode("key", empty_as_null=True).filter(pl.col("key").is_not_null())


def paths_of(categories: pl.Series) -> pl.DataFrame:
    """Paths of categories as rules for pages write them, and of those around them.

    Returns:
        `category` as written, `level`, `key`, `own`; what is deeper than level 3 is cut.
    """
    names = pl.col("category").str.split(SEPARATOR).list.eval(pl.element().str.strip_chars()).list
    parts = names.eval(pl.element().filter(pl.element() != "")).list.head(_DEPTH)
    known = categories.alias("category").drop_nulls().unique().to_frame()
    known = known.with_columns(parts.alias("parts")).with_columns(pl.col("parts").list.len().alias("depth"))
    return pl.concat(
        known.filter(pl.col("depth") >= level).select(
            "category",
            pl.lit(str(level)).alias("level"),
            pl.col("parts").list.head(level).list.join(SEPARATOR).alias("key"),
            (pl.col("depth") == level).cast(pl.Float64).alias("own"),
        )
        for level in range(1, _DEPTH + 1)
    )


def _items(things: pl.DataFrame) -> pl.DataFrame:
    return things.filter(pl.col("item").is_not_null()).select(
        "thing", pl.lit("item").alias("level"), pl.col("item").alias("key"), share=1.0, own=1.0
    )


def _categories(things: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The category that the catalogue has for the item, else the category of the page."""
    known = categories_of(items)
    by_item = things.select("thing", "item").join(known, on="item")
    rest = things.filter(~pl.col("thing").is_in(by_item["thing"].unique().implode()))
    by_page = rest.select("thing", "category").join(paths_of(rest["category"]), on="category")
    columns = ["thing", "level", "key", "own"]
    return pl.concat([by_item.select(columns), by_page.select(columns)]).with_columns(share=1.0)


def _tags(things: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    found = things.select("thing", "item").join(tags_of(items), on="item")
    return found.with_columns(pl.lit("tag").alias("level"), pl.col("share").alias("own"))


def _terms(things: pl.DataFrame, items: pl.DataFrame) -> list[pl.DataFrame]:
    """Categories of the items that a term fits, in proportion to their number, and the tag that it is."""
    asked = things.select("thing", "term").filter(pl.col("term").is_not_null())
    if not asked.height:
        return []
    pairs = fitting(asked["term"].unique(), items).join(categories_of(items), on="item")
    number = pairs.filter(pl.col("own") > 0).group_by("term").agg(pl.len().alias("number"))
    shares = (
        pairs.join(number, on="term")
        .group_by("term", "level", "key")
        .agg((1 / pl.col("number")).sum().alias("share"), (pl.col("own") / pl.col("number")).sum().alias("own"))
    )
    tags = tags_of(items).select("key").unique()
    tags = tags.with_columns(folded(tags["key"]).alias("term")).with_columns(
        (1 / pl.len().over("term")).alias("share"), pl.lit("tag").alias("level")
    )
    of_tag = asked.join(tags, on="term").with_columns(pl.col("share").alias("own"))
    return [asked.join(shares, on="term"), of_tag]
