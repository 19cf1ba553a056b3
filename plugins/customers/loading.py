"""The workspace's tables -> profiles of its customers; what was of merged people is the customer's they are."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.identities import current_ids
from crm.people import owners
from plugins.customers.config import CustomersConfig
from plugins.customers.profiles import profiles

if TYPE_CHECKING:
    from crm.workspace import Workspace

_USED: Final = {
    "orders": ("customer", "order_id", "ts", "item", "category", "amount"),
    "surveys": ("customer", "ts", "question", "score"),
    "points": ("customer", "ts", "points", "order_id"),
}
"""The columns that profiles are made of."""

_VISITS: Final = ("customer", "start", "end", "views", "duration_s")
_FRAMES: Final = ("customers", "orders", "sessions", "surveys", "points", "tickets")


@dataclass(frozen=True)
class Loaded:
    """What the workspace knows of customers; `customer` is everywhere the id of a customer as it is now.

    Attributes:
        customers: The customers, and a row with an id alone for each that only orders, answers or points know.
        orders: Lines of orders.
        sessions: Visits of people whose login or id is a customer's.
        surveys: Answers.
        points: The ledger of points.
        tickets: When who has needed help, where some plugin keeps a table `tickets`.
    """

    customers: pl.DataFrame
    orders: pl.DataFrame
    sessions: pl.DataFrame
    surveys: pl.DataFrame
    points: pl.DataFrame
    tickets: pl.DataFrame | None = None

    def only(self, people: pl.Series) -> "Loaded":
        """What is known of some customers alone."""
        wanted = people.alias("customer").to_frame()
        frames = {name: frame for name in _FRAMES if (frame := getattr(self, name)) is not None}
        return replace(self, **{name: frame.join(wanted, on="customer", how="semi") for name, frame in frames.items()})

    def profiles(self, as_of: datetime, tz: str, config: CustomersConfig) -> pl.LazyFrame:
        """Their profiles."""
        return profiles(
            self.customers,
            self.orders,
            self.sessions,
            self.surveys,
            self.points,
            as_of,
            tickets=self.tickets,
            tz=tz,
            tiers=config.tiers,
            months=config.tier_months,
        )


def loaded(workspace: "Workspace", needs: Collection[str] | None = None) -> Loaded:
    """Read what the workspace knows of customers.

    Args:
        workspace: The workspace.
        needs: Columns of customers that matter; those that may be encrypted are left out if they are not among them,
            as opening them takes time. None for all.
    """
    contract = workspace.tables["customers"]
    columns = [
        each.name
        for each in contract.columns
        if each.name != "original" and (needs is None or not each.secret or each.name in needs or each.name == "extras")
    ]
    customers = workspace.records.frame("customers", columns=columns)
    others = {name: now(workspace, workspace.records.frame(name, columns=used)) for name, used in _USED.items()}
    whole = pl.concat([customers, _unlisted(customers, list(others.values()))], how="diagonal")
    return Loaded(whole.sort("customer"), sessions=visits(workspace, whole), tickets=_tickets(workspace), **others)


def now(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the ids of customers as they are now."""
    return rows.with_columns(current_ids(workspace, rows["customer"]).alias("customer"))


def _tickets(workspace: "Workspace") -> pl.DataFrame | None:
    """`customer` and `ts` of each ticket: the first time that its table knows; None without a table of such columns."""
    contract = workspace.tables.get("tickets")
    columns = contract.columns if contract is not None else ()
    times = [column.name for column in columns if column.type == "timestamp"]
    if not times or all(column.name != "customer" for column in columns):
        return None
    return now(workspace, workspace.scan("tickets").select("customer", pl.col(times[0]).alias("ts")).collect())


def _unlisted(customers: pl.DataFrame, others: list[pl.DataFrame]) -> pl.DataFrame:
    """Ids that no customer has."""
    ids = pl.concat([each.select("customer") for each in others]).unique().drop_nulls()
    return ids.join(customers, on="customer", how="anti").sort("customer")


def visits(workspace: "Workspace", customers: pl.DataFrame) -> pl.DataFrame:
    """The visits of customers, robots left out: a visit is of the customer whose login, or id, it carries."""
    seen = workspace.scan("sessions").filter(pl.col("customer").is_not_null(), pl.col("bot").is_null())
    rows = seen.select(_VISITS).collect()
    of = owners(workspace, rows["customer"], customers["customer"])
    return rows.join(of, on="customer").select(pl.col("who").alias("customer"), *_VISITS[1:])
