"""What customers are graded by: a few numbers of each, counted from the tables of the workspace."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from crm.identities import current_ids
from crm.people import owners

if TYPE_CHECKING:
    from crm.workspace import Workspace

Source: TypeAlias = "Callable[[Workspace, datetime], pl.DataFrame]"
"""Gives `customer` and columns of those customers of whom there is something, before a moment."""

COUNTS: Final = ("orders", "spent", "visits", "views", "points")
"""Columns that are 0 where there is nothing to count; others are not known then."""


def features(workspace: "Workspace", at: datetime, names: "list[str]") -> pl.DataFrame:
    """`customer` and some features of all customers, sorted by customer; null where one is not known.

    Args:
        workspace: The workspace.
        at: What is of this moment, or later, does not count.
        names: Which, of `FEATURES`.
    """
    found = workspace.records.frame("customers", columns=["customer"]).sort("customer")
    for source in dict.fromkeys(FEATURES[name] for name in names):
        found = found.join(source(workspace, at), on="customer", how="left", maintain_order="left")
    counts = [pl.col(name).fill_null(0) for name in COUNTS if name in found.columns]
    return found.with_columns(counts).select("customer", pl.col(names).cast(pl.Float64))


def _bought(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    rows = _of_customers(workspace, "orders", ["customer", "order_id", "ts", "amount"], at)
    amount = pl.col("amount").fill_null(0)
    orders = pl.col("order_id").filter(amount >= 0).n_unique()
    return rows.group_by("customer").agg(
        orders.alias("orders"),
        amount.sum().round(6).alias("spent"),
        (amount.filter(amount >= 0).sum() / orders).alias("mean_order"),
        _days_since(pl.col("ts").filter(amount >= 0).max(), at).alias("recency"),
    )


def _visited(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    rows = workspace.scan("sessions").filter(pl.col("bot").is_null(), pl.col("customer").is_not_null())
    rows = rows.filter(pl.col("end") < at).select(pl.col("customer").alias("name"), "end", "views")
    visits = rows.collect()
    people = owners(workspace, visits["name"]).rename({"customer": "name", "who": "customer"})
    return (
        visits.join(people, on="name")
        .group_by("customer")
        .agg(
            pl.len().alias("visits"),
            pl.col("views").sum(),
            _days_since(pl.col("end").max(), at).alias("last_visit"),
        )
    )


def _collected(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    rows = _of_customers(workspace, "points", ["customer", "ts", "points"], at)
    return rows.group_by("customer").agg(pl.col("points").sum())


def _answered(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    rows = _of_customers(workspace, "surveys", ["customer", "ts", "question", "score"], at).drop_nulls("score")
    newest = [pl.col("score").filter(question=name).last().alias(name) for name in ("nps", "csat")]
    return rows.sort("ts", "question", "score").group_by("customer").agg(newest)


def _of_customers(workspace: "Workspace", table: str, columns: list[str], at: datetime) -> pl.DataFrame:
    rows = workspace.records.frame(table, columns=columns).filter(pl.col("ts") < at)
    return rows.with_columns(current_ids(workspace, rows["customer"]).alias("customer"))


def _days_since(time: pl.Expr, at: datetime) -> pl.Expr:
    return (pl.lit(at) - time).dt.total_days()


FEATURES: Final[Mapping[str, Source]] = {
    "orders": _bought,
    "spent": _bought,
    "mean_order": _bought,
    "recency": _bought,
    "visits": _visited,
    "views": _visited,
    "last_visit": _visited,
    "points": _collected,
    "nps": _answered,
    "csat": _answered,
}
"""The features, and where each is from: `recency` and `last_visit` are whole days, `nps` and `csat` newest answers."""
