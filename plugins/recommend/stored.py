"""What the workspace knows: events of items, what people do not want, who is meant by a word."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.errors import NothingFound, UsageError
from crm.interest.building import catalogue_of, stances
from crm.interest.contracts import BEHAVIOUR
from crm.interest.events import interactions, people
from crm.segments import VISITOR
from crm.whose import CUSTOMERS, customer_of
from plugins.recommend.options import Known

if TYPE_CHECKING:
    from crm.app import App

_VISITS: Final = {"visitor": pl.Int64(), "who": pl.String()}
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


def person(app: "App", who: str, known: pl.Series) -> str:
    """Who is meant, as events name people.

    Args:
        app: The run of the program.
        who: An id, or anything that a customer is known by; a login that is no customer's; or `visitor:` and the id of
            a visitor, which means the customer as whom this visitor has logged in.
        known: The people of events.

    Raises:
        NothingFound: nobody is known by it.
        UsageError: several customers are.
    """
    workspace = app.workspace()
    if who.startswith(VISITOR):
        return _of_visitor(app, who)
    if CUSTOMERS in app.tables:
        try:
            with workspace.records.engine.connect() as connection:
                return customer_of(workspace, connection, who)
        except NothingFound:
            if who not in known:
                raise
    if who in known:
        return who
    raise NothingFound("nobody is known by this id or login")


def _of_visitor(app: "App", who: str) -> str:
    text = who.removeprefix(VISITOR)
    rows = people(app.workspace()) if BEHAVIOUR.name in app.tables else pl.DataFrame(schema=_VISITS)
    found = rows.filter(pl.col("visitor").cast(pl.String) == text)["who"].unique().sort()
    if not len(found):
        raise NothingFound('there is no such visitor; `crm query "select visitor from behaviour"` lists visitors')
    if f"{VISITOR}{text}" in found:
        return f"{VISITOR}{text}"
    if len(found) > 1:
        raise UsageError("this visitor has logged in as several customers; name one of them")
    return str(found[0])
