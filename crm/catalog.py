"""The catalogue: what is offered, each item in a category of up to three levels, and when it can be had.

A category is written as the path to it: `food/grain/rice` is of level 3, in `food/grain` of level 2, in `food` of
level 1. Two categories of one name in two branches are two categories.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from crm.tables import Column, Table

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace

CATALOG: Final = Table(
    "catalog",
    "The catalogue: one row an item.",
    (
        Column("item", "string", "id of the item"),
        Column("title", "string", "what it is called"),
        Column("level1", "string", "name of its category of level 1, such as food"),
        Column("level2", "string", "name of its category of level 2, within that"),
        Column("level3", "string", "name of its category of level 3, within that"),
        Column("tags", "string", "what else it is about: words, separated by |"),
        Column("price", "float64", "price of one"),
        Column("currency", "string", "currency, as three letters (ISO 4217)"),
        Column("stock", "float64", "how many there are; null where nobody counts"),
        Column("since", "timestamp", "from when on it is offered, UTC; null for always"),
        Column("until", "timestamp", "until when it is offered, UTC, that moment not included; null for ever"),
        Column("url", "string", "address of its page"),
        Column("language", "string", "language of its title, such as zh or en"),
        Column("extras", "string", "columns that no field is for, as a JSON object of texts"),
        Column("original", "string", "values as they came in, where they were brought into form, as a JSON object"),
        Column("source", "string", "the file or system that the row came from"),
    ),
    owner="catalog",
    store="records",
    by_date=False,
    key=("item",),
)

LEVELS: Final = ("level1", "level2", "level3")
"""The columns that hold the names of an item's categories, from the widest to the narrowest."""

SEPARATOR: Final = "/"
"""Between the names of categories in a path."""

TAG_SEPARATOR: Final = "|"


def items(workspace: "Workspace") -> "pl.DataFrame":
    """The catalogue, sorted by item, with the paths of the categories.

    Returns:
        The columns of the contract but extras, original and source; and `category1`, `category2`, `category3`: the
        paths, null where the item has no category of this level. `tags` is a list of texts. Empty without a catalogue.
    """
    import polars as pl

    names = [column.name for column in CATALOG.columns if column.name not in ("extras", "original", "source")]
    rows = workspace.records.frame(CATALOG.name, columns=names).sort("item")
    tags = pl.col("tags").fill_null("").str.split(TAG_SEPARATOR).list.eval(pl.element().filter(pl.element() != ""))
    return rows.with_columns(tags, *paths())


def paths() -> "list[pl.Expr]":
    """`category1` to `category3` of rows with the names of levels; a level without those above it has none."""
    import polars as pl

    return [
        pl.concat_str(LEVELS[:depth], separator=SEPARATOR).alias(f"category{depth}")
        for depth in range(1, len(LEVELS) + 1)
    ]


def level_of(categories: "pl.Expr") -> "pl.Expr":
    """The level of paths of categories: 1, 2, 3 (or more, where a path is deeper than the catalogue)."""
    return categories.str.count_matches(SEPARATOR, literal=True) + 1


def offered(at: datetime) -> "pl.Expr":
    """Whether items can be had at a moment: within their dates, and not out of stock."""
    import polars as pl

    begun = pl.col("since").is_null() | (pl.col("since") <= pl.lit(at))
    lasts = pl.col("until").is_null() | (pl.col("until") > pl.lit(at))
    there = pl.col("stock").is_null() | (pl.col("stock") > 0)
    return begun & lasts & there
