"""What the workspace knows that campaigns ask for; `customer` is everywhere the id of a customer as it is now."""

from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.catalog import items
from crm.consents import CONSENTS
from crm.feedback import FEEDBACK
from crm.identities import current_ids
from crm.interest.orders import categories_of
from crm.outbox import OUTBOX
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm.app import App
    from crm.hookspecs import Channel
    from crm.workspace import Workspace

_UNDONE: Final = ("failed", "expired")
"""States of messages that nobody gets."""


@dataclass(frozen=True)
class Known:
    """What the workspace knows.

    Attributes:
        customers: The customers, sorted, with their fields but those that are secret.
        consents: `customer`, `channel` (as consents name it), `ts`, `granted`; who unsubscribed has withdrawn.
        messages: `message`, `customer`, `campaign`, `items`, `ts`: when each went out, or is to go out; and `alive`:
            whether it has, or will, and has not failed.
        orders: `customer`, `ts`, `category`: lines of orders that are no returns.
        items: The catalogue.
        interests: `customer`, `level`, `key`, `weight`, `stance`.
        events: What people did, for recommenders: `who`, `item`, `kind`, `ts`, `weight`.
        arms: `campaign`, `customer`, `arm`.
    """

    customers: pl.DataFrame
    consents: pl.DataFrame
    messages: pl.DataFrame
    orders: pl.DataFrame
    items: pl.DataFrame
    interests: pl.DataFrame
    events: pl.DataFrame
    arms: pl.DataFrame

    def replaced(self, **frames: pl.DataFrame) -> "Known":
        """The same with other frames."""
        return Known(**{each.name: frames.get(each.name, getattr(self, each.name)) for each in fields(self)})


def loaded(app: "App", as_of: date | None) -> Known:
    """Read it.

    Args:
        app: The run of the program.
        as_of: To which date the age of events is counted; None for the newest event.
    """
    from crm.interest.building import current
    from crm.interest.events import interactions

    workspace = app.workspace()
    things = items(workspace)
    plain = [each.name for each in app.tables["customers"].columns if not each.secret]
    interests = current(app, as_of).rename({"who": "customer"})
    return Known(
        workspace.records.frame("customers", columns=plain).sort("customer"),
        consents(workspace, channels_of(app)),
        messages(workspace),
        orders(workspace, things),
        things,
        interests.select("customer", "level", "key", "weight", "stance"),
        interactions(app, as_of).select("who", "item", "kind", "ts", "weight"),
        _now(workspace, workspace.records.frame("campaign_arms", columns=["campaign", "customer", "arm"])),
    )


def consents(workspace: "Workspace", channels: "Mapping[str, Channel]") -> pl.DataFrame:
    """What customers have agreed to, withdrawn, and unsubscribed from: `customer`, `channel`, `ts`, `granted`.

    Args:
        workspace: The workspace.
        channels: The channels of messages by name.
    """
    said = workspace.records.frame(CONSENTS.name, columns=["customer", "channel", "ts", "granted"])
    gone = workspace.records.frame(FEEDBACK.name, columns=["message", "event", "ts", "customer"])
    sent = workspace.records.frame(OUTBOX.name, columns=["message", "channel"])
    names = {name: channel.consent or name for name, channel in channels.items()}
    withdrawn = (
        gone.filter(event="unsubscribed")
        .join(sent, on="message")
        .select(
            "customer", pl.col("channel").replace(names), "ts", pl.lit(False).alias("granted")
        )
    )  # fmt: skip
    return _now(workspace, pl.concat([said, withdrawn]))


def messages(workspace: "Workspace") -> pl.DataFrame:
    """The messages of the outbox: `message`, `customer`, `campaign`, `items`, `ts`, `alive`."""
    names = ["message", "customer", "campaign", "items", "state", "queued", "send_after", "sent"]
    rows = workspace.records.frame(OUTBOX.name, columns=names)
    when, alive = pl.coalesce("sent", "send_after", "queued"), ~pl.col("state").is_in(_UNDONE)
    columns = ("message", "customer", "campaign", "items")
    return _now(workspace, rows.select(*columns, when.alias("ts"), alive.alias("alive")))


def orders(workspace: "Workspace", items: pl.DataFrame) -> pl.DataFrame:
    """What customers have bought: `customer`, `ts`, `category` where it is one of the catalogue; without returns."""
    rows = workspace.records.frame("orders", columns=["customer", "ts", "category", "amount"])
    bought = rows.filter(pl.col("amount").fill_null(0) >= 0).drop("amount")
    return _now(workspace, bought.with_columns(categories_of(bought["category"], items).alias("category")))


def _now(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(current_ids(workspace, rows["customer"]).alias("customer"))
