"""Pages -> the items and categories that they are of, and those of which nothing is known."""

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crm.site import SiteConfig


def known(pages: pl.Series, site: "SiteConfig", items: pl.DataFrame) -> pl.DataFrame:
    """What pages are of.

    Args:
        pages: Distinct pages; shape (pages,).
        site: The rules.
        items: The catalogue, as `crm.catalog.items` gives it.

    Returns:
        `page`, `item`, `category`, and `why` nothing leads from it to a category: null where something does.
    """
    frame = pl.DataFrame({"page": pages}).with_columns(site.item_of(pages).alias("item"), site.category_of(pages))
    frame = frame.join(
        items.select("item", pl.coalesce("category3", "category2", "category1").alias("own"), listed=True),
        on="item",
        how="left",
        maintain_order="left",
    )
    category = pl.coalesce("own", "category")
    why = (
        pl.when(category.is_not_null())
        .then(None)
        .when(pl.col("item").is_null() & site.is_search(frame["page"]))
        .then(pl.lit("a search, of which the term counts"))
        .when(pl.col("item").is_null())
        .then(pl.lit("no rule"))
        .when(pl.col("listed").is_null())
        .then(pl.lit("its item is not in the catalogue"))
        .otherwise(pl.lit("its item has no category"))
    )
    return frame.select("page", "item", category.alias("category"), why.alias("why"))


def unmapped(traffic: pl.DataFrame, site: "SiteConfig", items: pl.DataFrame) -> pl.DataFrame:
    """Pages that lead to no category, most viewed first.

    Args:
        traffic: `page`, `views`, `sessions`.
        site: The rules.
        items: The catalogue.

    Returns:
        `page`, `views`, `sessions`, `share` of all views, `item`, `why`.
    """
    total = max(1, traffic["views"].sum())
    rows = traffic.join(known(traffic["page"], site, items), on="page").filter(pl.col("why").is_not_null())
    share = (pl.col("views") / total if total else pl.lit(0.0)).alias("share")
    return rows.select("page", "views", "sessions", share, "item", "why").sort(
        "views", "page", descending=[True, False]
    )
