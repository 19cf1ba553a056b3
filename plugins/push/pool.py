"""What may be offered: the items of a campaign's part of the catalogue, and for each customer without what it had.

Pairs are frames of `customer`, `item` and `why`: had, for what was seen, bought or sent; rule, for all else.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import polars as pl

from crm.catalog import SEPARATOR, offered
from plugins.push.campaign import Part

CATEGORIES: Final = ("category1", "category2", "category3")
HAD: Final = "had"
RULE: Final = "rule"
PAIRS: Final = {"customer": pl.String(), "item": pl.String(), "why": pl.String()}


def pool(items: pl.DataFrame, part: Part, at: datetime) -> pl.DataFrame:
    """The items of a part of the catalogue.

    Args:
        items: The catalogue, as `crm.catalog.items` gives it.
        part: Which part.
        at: The moment.

    Returns:
        The same columns, and `offered`: whether they can be had at the moment.
    """
    fits = [pl.lit(True)]
    if part.categories:
        wanted = [each.strip(SEPARATOR) for each in part.categories]
        fits.append(pl.any_horizontal(pl.col(name).is_in(wanted) for name in CATEGORIES))
    if part.tags:
        fits.append(pl.col("tags").list.set_intersection(list(part.tags)).list.len() > 0)
    if part.ids:
        fits.append(pl.col("item").is_in(list(part.ids)))
    inside = pl.all_horizontal(fits).fill_null(value=False)
    return items.filter(inside).with_columns(offered(at).fill_null(value=False).alias("offered"))


def narrowest() -> pl.Expr:
    """The narrowest category of items."""
    return pl.coalesce(*reversed(CATEGORIES))


def unwanted(interests: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Pairs of customers and the items that they do not want: the item, its tag, or one of its categories.

    Args:
        interests: `customer`, `level`, `key`, `stance`.
        items: The items.
    """
    said = interests.filter(stance="unwanted").select("customer", "level", "key")
    keys = items.select("item", "tags", *CATEGORIES)
    by_category = [
        said.filter(level=str(depth)).join(keys, left_on="key", right_on=name).select("customer", "item")
        for depth, name in enumerate(CATEGORIES, 1)
    ]
    tagged = keys.select("item", "tags").explode("tags")
    by_tag = said.filter(level="tag").join(tagged, left_on="key", right_on="tags").select("customer", "item")
    by_item = said.filter(level="item").select("customer", pl.col("key").alias("item"))
    return pairs(pl.concat([*by_category, by_tag, by_item]), RULE)


def of_categories(bought: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Pairs of customers and the items of the categories of which they have bought.

    Args:
        bought: `customer`, and the `category` or the `item` that was bought; each may be null.
        items: The items.
    """
    own = items.select("item", narrowest().alias("category"))
    told = bought.select("customer", "category").drop_nulls()
    known = bought.select("customer", "item").drop_nulls().join(own, on="item").select("customer", "category")
    wanted = pl.concat([told, known]).drop_nulls().unique()
    return pairs(wanted.join(own, on="category").select("customer", "item"), RULE)


def ended(people: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Pairs of customers and the items that are offered no more when they may be written to.

    Args:
        people: `customer`, `send_after`.
        items: The items, with `until`.
    """
    last = pl.lit(people["send_after"].max(), dtype=people.schema["send_after"])
    some = items.filter(pl.col("until") <= last).select("item", "until")
    moments = people.select("send_after").unique().join(some, how="cross")
    moments = moments.filter(pl.col("until") <= pl.col("send_after"))
    found = people.select("customer", "send_after").join(moments, on="send_after").select("customer", "item")
    return pairs(found, RULE)


def pairs(frame: pl.DataFrame, why: str) -> pl.DataFrame:
    """`customer`, `item` with the reason for which they are apart."""
    return frame.select("customer", "item", pl.lit(why).alias("why")).cast(PAIRS)  # type: ignore[arg-type]  # a mapping


def together(parts: Iterable[pl.DataFrame], items: pl.Series) -> pl.DataFrame:
    """Pairs of items that there are, each once; what was had counts as that."""
    none = pl.DataFrame(schema=PAIRS)
    every = pl.concat([none, *parts]).filter(pl.col("item").is_in(items.implode()))
    return every.sort("customer", "item", "why").unique(["customer", "item"], keep="first", maintain_order=True)
