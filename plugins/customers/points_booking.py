"""The ledger of points in the workspace: each booking is one transaction, and books nothing twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.audit import AUDIT, append
from crm.errors import Refused
from crm.schema import polars_schema
from plugins.customers.config import PointsConfig
from plugins.customers.contracts import POINTS
from plugins.customers.loading import now as as_they_are_now
from plugins.customers.points import LEDGER, due, expired, unbooked

if TYPE_CHECKING:
    from crm.workspace import Workspace

_OF_ORDERS: Final = ("customer", "order_id", "ts", "category", "amount", "status")


def ledger_of(
    workspace: "Workspace", ids: Sequence[str] | None = None, connection: sa.Connection | None = None
) -> pl.DataFrame:
    """All entries, or those of one customer under all of its ids, in their order; customers as they are now."""
    records = workspace.records
    where = None if ids is None else records.table(POINTS.name).c.customer.in_(list(ids))
    return as_they_are_now(workspace, records.frame(POINTS.name, where=where, connection=connection)).sort("entry")


def write(workspace: "Workspace", connection: sa.Connection, entries: pl.DataFrame, why: str) -> None:
    """Add entries to the ledger, and one to the audit log.

    Args:
        workspace: The workspace.
        connection: To its records, in a transaction.
        entries: As `points.LEDGER`, in the order in which they are numbered.
        why: What the audit log is told.
    """
    if not entries.height:
        return
    table = workspace.records.table(POINTS.name)
    last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.entry), 0))).scalar_one()
    numbered = entries.with_columns(pl.int_range(last + 1, last + 1 + pl.len(), dtype=pl.Int64).alias("entry"))
    workspace.records.append(connection, POINTS.name, numbered.select(*polars_schema(POINTS)))
    append(connection, workspace.records.table(AUDIT.name), "points", why, entries["customer"].n_unique())


def earn(workspace: "Workspace", config: PointsConfig, moment: datetime, *, dry_run: bool = False) -> pl.DataFrame:
    """Book what orders have earned and is not booked yet; returns the entries."""
    with workspace.records.begin() as connection:
        rows = workspace.records.frame("orders", columns=_OF_ORDERS, connection=connection)
        orders = as_they_are_now(workspace, rows)
        entries = unbooked(due(orders, config, moment), ledger_of(workspace, connection=connection), moment)
        if not dry_run:
            write(workspace, connection, entries, "earn")
    return entries


def expire(workspace: "Workspace", months: int, moment: datetime, *, dry_run: bool = False) -> pl.DataFrame:
    """Book what has expired; returns the entries."""
    with workspace.records.begin() as connection:
        entries = expired(ledger_of(workspace, connection=connection), months, moment)
        if not dry_run:
            write(workspace, connection, entries, "expire")
    return entries


def book(
    workspace: "Workspace", who: str, number: int, reason: str, config: PointsConfig, moment: datetime
) -> pl.DataFrame:
    """Add points to a customer's, or take some; what has expired by then is booked first.

    Args:
        workspace: The workspace.
        who: What the customer is known by.
        number: How many points; negative for what is taken.
        reason: Why.
        config: After how many months points expire.
        moment: When.

    Returns:
        The entries that were added, with `balance` after each.

    Raises:
        NothingFound: there is no such customer.
        Refused: the customer has not so many points.
    """
    from crm.whose import all_ids, customer_of

    with workspace.records.begin() as connection:
        customer = customer_of(workspace, connection, who)
        ledger = ledger_of(workspace, all_ids(workspace, connection, customer), connection)
        entries = [expired(ledger, config.expire_months, moment)] if config.expire_months is not None else []
        gone = sum(int(each["points"].sum()) for each in entries)
        balance = int(ledger["points"].sum())
        if balance + gone + number < 0:
            late = f", {-gone:,} having expired" if gone else ""
            raise Refused(f"the customer has {balance + gone:,} points{late}, and {-number:,} are to be taken")
        new = pl.DataFrame([(customer, moment, number, reason, None)], LEDGER, orient="row")
        added = pl.concat([*entries, new])
        write(workspace, connection, added, reason.partition(":")[0])
    return added.with_columns((balance + pl.col("points").cum_sum()).alias("balance"))
