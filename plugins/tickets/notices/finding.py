"""Who is to be told what, as of a moment.

A notice is told from `due` less the time ahead until `due` plus the time after which news is old, both of the
configuration: whoever looks at least that often misses none, and each has a key that makes it go out once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from plugins.tickets.contracts import EVENTS, TICKETS
from plugins.tickets.notices.maintenance import maintenance

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.tickets.config import NoticesConfig

TIME: Final = pl.Datetime("us", "UTC")
NOTICES: Final = {
    "customer": pl.String(),
    "kind": pl.String(),
    "ticket": pl.String(),
    "vin": pl.String(),
    "due": TIME,
    "data": pl.String(),
    "key": pl.String(),
}
"""Columns of notices; `data` is what the text is made of, as a JSON object, and `key` fixes the message."""
KINDS: Final = ("follow-up", "maintenance", "state")
_TOLD: Final = ("ticket", "dealer", "model", "vin", "state", "at")
"""What the text of a notice about a ticket is made of."""


def notices(workspace: "Workspace", config: "NoticesConfig", at: datetime, kinds: Sequence[str]) -> pl.DataFrame:
    """All that is to be told, by the time it is due.

    Args:
        workspace: The workspace.
        config: The section `tickets.notices`.
        at: As of which moment, UTC.
        kinds: Which of `KINDS`.

    Returns:
        `NOTICES`; customers are named as they are now, after merges, and what is of no customer is left out.
    """
    found = pl.concat([_FINDERS[kind](workspace, config, at).select(*NOTICES) for kind in kinds])
    return _now(workspace, found).sort("due", "key")


def _now(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with customers by the ids that they have now."""
    from crm.identities import current_ids
    from crm.whose import MERGES

    if MERGES not in workspace.records.contracts:
        return rows
    return rows.with_columns(current_ids(workspace, rows["customer"]).alias("customer"))


def _follow_ups(workspace: "Workspace", config: "NoticesConfig", at: datetime) -> pl.DataFrame:
    """Signed repairs, some days after."""
    due = pl.col("ts") + pl.lit(config.follow_up)
    rows = _events(workspace, at).filter(pl.col("event") == "sign").with_columns(due.alias("due"))
    return _about_tickets(workspace, _now_due(rows, config, at), "follow-up")


def _states(workspace: "Workspace", config: "NoticesConfig", at: datetime) -> pl.DataFrame:
    """Changes of tickets to one of the states that customers are told of."""
    rows = _events(workspace, at).filter(
        pl.col("after").is_in(list(config.states)), pl.col("after") != pl.col("before")
    )
    return _about_tickets(workspace, _now_due(rows.with_columns(pl.col("ts").alias("due")), config, at), "state")


def _events(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    columns = ["ticket", "number", "ts", "event", "before", "after"]
    events = workspace.records.table(EVENTS.name).c
    return workspace.records.frame(EVENTS.name, columns=columns, where=events.ts <= at.replace(tzinfo=None))


def _now_due(rows: pl.DataFrame, config: "NoticesConfig", at: datetime) -> pl.DataFrame:
    """What is due by now, and not yet old."""
    now = pl.lit(at).cast(TIME)
    return rows.filter(pl.col("due") <= now, now < pl.col("due") + pl.lit(config.within))


def _about_tickets(workspace: "Workspace", rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Notices about events of tickets that have a customer."""
    from plugins.tickets.flow.loading import rows_where

    with workspace.records.engine.connect() as connection:
        facts = rows_where(workspace.records, connection, TICKETS.name, "ticket", rows["ticket"].to_list())
    joined = rows.join(facts.select("ticket", "dealer", "model", "vin", "customer"), on="ticket")
    joined = joined.filter(pl.col("customer").is_not_null()).with_columns(
        pl.col("after").alias("state"), pl.col("ts").dt.strftime("%Y-%m-%d").alias("at")
    )
    return joined.with_columns(
        pl.lit(kind).alias("kind"),
        pl.struct(_TOLD).struct.json_encode().alias("data"),
        pl.format("ticket-{}:{}:{}", pl.lit(kind), "ticket", "number").alias("key"),
    )


_FINDERS: Final[dict[str, Callable[["Workspace", Any, datetime], pl.DataFrame]]] = {
    "follow-up": _follow_ups,
    "maintenance": maintenance,
    "state": _states,
}
