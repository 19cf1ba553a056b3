"""Candidates -> messages in the outbox, arms and misses: all of it in one transaction."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import sqlalchemy as sa

from crm.audit import AUDIT, append
from crm.outbox import enqueue
from plugins.push.candidates import key_of
from plugins.push.contracts import ARMS, MISSES
from plugins.push.quiet import QUIET

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.push.campaign import Campaign
    from plugins.push.candidates import Found


def queue(workspace: "Workspace", campaign: "Campaign", at: datetime, found: "Found") -> int:
    """Put candidates into the outbox, and store arms and misses.

    Args:
        workspace: The workspace.
        campaign: The campaign.
        at: As of which moment.
        found: The candidates.

    Returns:
        How many messages are new.
    """
    rows = messages(campaign, at, found.rows, datetime.now(UTC).replace(microsecond=0))
    records = workspace.records
    with records.begin() as connection:
        new = enqueue(workspace, connection, rows)
        _store_arms(workspace, connection, campaign, at, found.arms)
        _store_misses(workspace, connection, campaign, at, found.misses)
        append(connection, records.table(AUDIT.name), "queue", f"messages of campaign {campaign.name}", new)
    return new


def messages(campaign: "Campaign", at: datetime, rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One message for each customer, as `crm.outbox.enqueue` takes them; `data` is what the template is given.

    A message waits from when it may go out, and no sooner than from now.
    """
    people = rows.group_by("customer", "channel", "send_after", maintain_order=True)
    whole = people.agg(pl.col("item"), pl.struct("item", "reason").alias("about"))
    expires = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    if campaign.expires is not None:
        expires = pl.max_horizontal("send_after", pl.lit(now)) + pl.lit(campaign.expires)
    keys = [key_of(campaign, at, *each) for each in zip(whole["customer"], whole["channel"], strict=True)]
    return whole.select(
        pl.Series("key", keys, dtype=pl.String),
        "customer",
        pl.lit(campaign.name).alias("campaign"),
        "channel",
        pl.lit(campaign.template).alias("template"),
        pl.col("item").alias("items"),
        pl.Series("data", [_data(about, campaign) for about in whole["about"].to_list()], dtype=pl.String),
        "send_after",
        expires.alias("expires"),
    )


def _data(about: list[dict[str, Any]], campaign: "Campaign") -> str:
    """What the template is given besides what the catalogue says of the items, why each is there; and quiet hours."""
    data: dict[str, Any] = {"items": {each["item"]: {"reason": each["reason"]} for each in about}}
    if campaign.quiet is not None:
        data[QUIET] = [moment.isoformat("minutes") for moment in campaign.quiet.times()]
    return json.dumps(data, ensure_ascii=False)


def _store_arms(
    workspace: "Workspace", connection: sa.Connection, campaign: "Campaign", at: datetime, arms: pl.DataFrame
) -> None:
    """Store to which arm customers belong; who has one keeps it, and its time."""
    table = workspace.records.table(ARMS.name)
    there = workspace.records.frame(ARMS.name, where=table.c.campaign == campaign.name, connection=connection)
    new = arms.join(there.select("customer"), on="customer", how="anti")
    workspace.records.append(connection, ARMS.name, _stamped(new, campaign, at))


def _store_misses(
    workspace: "Workspace", connection: sa.Connection, campaign: "Campaign", at: datetime, misses: pl.DataFrame
) -> None:
    """Store what was looked for in vain, in place of what the campaign did not find before."""
    table = workspace.records.table(MISSES.name)
    connection.execute(sa.delete(table).where(table.c.campaign == campaign.name))
    workspace.records.append(connection, MISSES.name, _stamped(misses, campaign, at))


def _stamped(rows: pl.DataFrame, campaign: "Campaign", at: datetime) -> pl.DataFrame:
    moment = pl.lit(at.astimezone(UTC)).cast(pl.Datetime("us", "UTC"))
    return rows.with_columns(pl.lit(campaign.name).alias("campaign"), moment.alias("ts"))
