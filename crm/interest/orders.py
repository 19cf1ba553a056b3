"""Lines of orders as events: which item of the catalogue each is of, without what was sent back."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.catalog import SEPARATOR
from crm.identities import current_ids
from crm.interest.terms import folded

if TYPE_CHECKING:
    from crm.workspace import Workspace

ORDERS: Final = "orders"
_COLUMNS: Final = ("order_id", "line", "customer", "ts", "item", "category", "amount")
_SAME: Final = ("who", "item", "category")


def orders(
    workspace: "Workspace", items: pl.DataFrame, behind: datetime | None = None, ids: list[str] | None = None
) -> pl.DataFrame:
    """Lines of orders that were not sent back.

    Args:
        workspace: The workspace.
        items: The catalogue as `crm.catalog.items` gives it.
        behind: The first moment, in UTC, that does not count; None for all.
        ids: Only lines of customers of these ids; None for all.

    Returns:
        `who` (the id of the customer as it is now), `ts`, `kind` (order), `item`, `category` (where the order names one
        of the catalogue), `what` (the id of the order), `count` (1).
    """
    rows = workspace.records.frame(ORDERS, columns=_COLUMNS, where=_where(workspace, behind, ids))
    rows = rows.filter(pl.col("customer").is_not_null(), pl.col("ts").is_not_null())
    named = rows.select(
        current_ids(workspace, rows["customer"]).alias("who"),
        "ts",
        pl.lit("order").alias("kind"),
        items_of(rows["item"], items).alias("item"),
        categories_of(rows["category"], items).alias("category"),
        pl.col("order_id").alias("what"),
        "line",
        "amount",
        pl.lit(1.0).alias("count"),
    )
    return kept(named).drop("line", "amount")


def _where(workspace: "Workspace", behind: datetime | None, ids: list[str] | None) -> sa.ColumnElement[bool]:
    table = workspace.records.table(ORDERS)
    where: sa.ColumnElement[bool] = sa.true()
    if behind is not None:
        where = where & (table.c.ts < behind)
    return where if ids is None else where & table.c.customer.in_(ids)


def items_of(texts: pl.Series, items: pl.DataFrame) -> pl.Series:
    """The item that each text means: by its id, else by its title in any writing; what is neither stays as it is.

    A title that several items have means none of them: null.
    """
    known = texts.alias("text").drop_nulls().unique().to_frame()
    titles = items.select("item", folded(items["title"]).alias("title")).filter(pl.col("title").is_not_null())
    titles = titles.group_by("title").agg(pl.col("item").first().alias("titled"), pl.len().alias("number"))
    found = (
        known.with_columns(folded(known["text"]).alias("title"))
        .join(titles, on="title", how="left")
        .with_columns(pl.col("text").is_in(items["item"].implode()).alias("is_id"))
        .select(
            "text",
            pl.when(pl.col("is_id") | pl.col("number").is_null())
            .then("text")
            .when(pl.col("number") == 1)
            .then("titled")
            .alias("item"),
        )
    )
    return texts.alias("text").to_frame().join(found, on="text", how="left", maintain_order="left")["item"]


def categories_of(texts: pl.Series, items: pl.DataFrame) -> pl.Series:
    """Texts that are the path of a category of the catalogue; null for all others."""
    paths = pl.concat([items[f"category{level}"].alias("path") for level in (1, 2, 3)]).drop_nulls().unique()
    bare = pl.col("text").str.split(SEPARATOR).list.eval(pl.element().str.strip_chars()).list.join(SEPARATOR)
    tidy = bare.str.strip_chars(SEPARATOR)
    return texts.alias("text").to_frame().select(pl.when(tidy.is_in(paths.implode())).then(tidy)).to_series()


def kept(rows: pl.DataFrame) -> pl.DataFrame:
    """Lines without those that were sent back, and without the lines, of a negative amount, that say so.

    The n-th return of something by a customer takes away the n-th line, if that was ordered before.
    """
    number = pl.col("ts").rank("ordinal").over(*_SAME).alias("number")
    back = (pl.col("amount") < 0).fill_null(False)
    ordered = rows.sort("ts", "what", "line")
    lines, returns = ordered.filter(~back).with_columns(number), ordered.filter(back).with_columns(number)
    again = returns.select(*_SAME, "number", pl.col("ts").alias("returned"))
    found = lines.join(again, on=[*_SAME, "number"], how="left", nulls_equal=True, maintain_order="left")
    gone = (pl.col("returned") >= pl.col("ts")).fill_null(False)
    return found.filter(~gone).drop("number", "returned")
