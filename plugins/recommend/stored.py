"""What the workspace knows: events of items, and what people do not want."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.interest.building import catalogue_of, stances
from crm.interest.events import interactions
from plugins.recommend.options import Known

if TYPE_CHECKING:
    from crm.app import App

_ITEM: Final = {"item": "item", "1": "category1", "2": "category2", "3": "category3"}


def of_workspace(app: "App", until: datetime | None = None) -> Known:
    """Events, what is not wanted, and the catalogue.

    Args:
        app: The run of the program.
        until: Events from this moment on do not count; None for all.
    """
    items = catalogue_of(app)
    rows = interactions(app, until.date() if until is not None else None)
    if until is not None:
        rows = rows.filter(pl.col("ts") < pl.lit(until))
    dismissed = rows.filter(pl.col("weight") < 0).select("who", "item")
    refused = pl.concat([dismissed, _unwanted(stances(app), items)]).unique().sort("who", "item")
    return Known(rows.filter(pl.col("weight") > 0), refused, items)


def _unwanted(said: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The items that people do not want, by themselves, by their category or by a tag: `who`, `item`."""
    no = said.filter(stance="unwanted")
    found = [pl.DataFrame(schema={"who": pl.String, "item": pl.String})]
    for level, column in _ITEM.items():
        about = items.select("item", pl.col(column).alias("key")).drop_nulls()
        found.append(no.filter(level=level).join(about, on="key").select("who", "item"))
    tagged = items.select("item", pl.col("tags").alias("key")).explode("key", empty_as_null=True).drop_nulls()
    found.append(no.filter(level="tag").join(tagged, on="key").select("who", "item"))
    return pl.concat(found)
