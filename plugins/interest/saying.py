"""What customers say that they want, or do not: kept, listed and taken back."""

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from crm.audit import AUDIT, append
from crm.interest.contracts import SUBSCRIPTIONS
from crm.whose import all_ids, customer_of

if TYPE_CHECKING:
    from crm.app import App

_KEY = ["level", "key"]


def whom(app: "App", who: str) -> tuple[str, list[str]]:
    """The customer who is meant, and all ids that this customer has had.

    Raises:
        NothingFound: nobody is known by it.
        UsageError: several customers are.
    """
    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        customer = customer_of(workspace, connection, who)
        return customer, all_ids(workspace, connection, customer)


def said(app: "App", ids: list[str]) -> pl.DataFrame:
    """What a customer has said, by any of its ids: `level`, `key`, `stance`, `ts`, `source`; the last word counts."""
    records = app.workspace().records
    rows = records.frame(SUBSCRIPTIONS.name, where=records.table(SUBSCRIPTIONS.name).c.customer.in_(ids))
    newest = rows.sort("ts", "stance").unique(_KEY, keep="last")
    return newest.select(*_KEY, "stance", pl.col("ts").dt.truncate("1s"), "source").sort(_KEY)


def say(app: "App", customer: str, keys: pl.DataFrame, stance: str, source: str, at: datetime) -> int:
    """Store a word about some keys, and that it was stored.

    Args:
        app: The run of the program.
        customer: The customer's id.
        keys: `level`, `key`.
        stance: wanted or unwanted.
        source: Where it was said.
        at: When, in UTC.

    Returns:
        About how many keys nothing was stored, because the customer has said something later.
    """
    records = app.workspace().records
    table = records.table(SUBSCRIPTIONS.name)
    with records.begin() as connection:
        there = records.frame(SUBSCRIPTIONS.name, where=table.c.customer == customer, connection=connection)
        later = keys.join(there.filter(pl.col("ts") > at), on=_KEY, how="semi")
        rows = keys.join(later, on=_KEY, how="anti", maintain_order="left").select(
            pl.lit(customer).alias("customer"),
            *_KEY,
            pl.lit(stance).alias("stance"),
            pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("ts"),
            pl.lit(source).alias("source"),
        )
        if rows.height:
            records.upsert(connection, SUBSCRIPTIONS.name, rows)
            append(connection, records.table(AUDIT.name), "interest", f"{stance}: said by a customer", rows.height)
    return later.height


def take_back(app: "App", ids: list[str], keys: pl.DataFrame) -> None:
    """Delete what a customer has said about some keys, by any of its ids."""
    records = app.workspace().records
    with records.begin() as connection:
        for each in ids:
            records.delete(connection, SUBSCRIPTIONS.name, keys.with_columns(pl.lit(each).alias("customer")))
        append(connection, records.table(AUDIT.name), "interest", "taken back: words of a customer", keys.height)
