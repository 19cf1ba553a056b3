"""Notices -> messages in the outbox, or rows of a file where there is no outbox."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from plugins.tickets.notices.finding import KINDS, TIME

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.tickets.config import NoticesConfig

TEMPLATES: Final[Mapping[str, str]] = {kind: f"ticket-{kind}" for kind in KINDS}
"""The template of each kind of notice."""
CAMPAIGN: Final = "tickets"
FILE: Final = "ticket-notices.ndjson"


def messages(rows: pl.DataFrame, config: "NoticesConfig") -> pl.DataFrame:
    """Notices as `crm.outbox.enqueue` takes them; a state is old news after a while, and then expires."""
    none = pl.lit(None, dtype=TIME)
    old = pl.col("due") + pl.lit(config.within)
    return rows.select(
        "key",
        "customer",
        pl.lit(CAMPAIGN).alias("campaign"),
        pl.lit(config.channel).alias("channel"),
        pl.col("kind").replace_strict(TEMPLATES, return_dtype=pl.String).alias("template"),
        pl.lit([], dtype=pl.List(pl.String)).alias("items"),
        "data",
        none.alias("send_after"),
        old.alias("expires"),
    )


def queue(workspace: "Workspace", rows: pl.DataFrame, config: "NoticesConfig") -> int:
    """Put notices into the outbox; those that are in it already stay as they are.

    Returns:
        How many are new.
    """
    from crm.audit import AUDIT, append
    from crm.outbox import enqueue

    with workspace.records.begin() as connection:
        new = enqueue(workspace, connection, messages(rows, config))
        append(connection, workspace.records.table(AUDIT.name), "queue", "notices of tickets", new)
    return new


def write(workspace: "Workspace", rows: pl.DataFrame, config: "NoticesConfig") -> tuple[Path, int]:
    """Add notices to a file of the workspace, one JSON object a line; those that are in it already are left out.

    Returns:
        The file, and how many are new.
    """
    from crm.outbox import message_id

    file = workspace.path / FILE
    made = messages(rows, config).drop("send_after", "items")
    ids = [message_id(workspace.key, key) for key in made["key"]]
    made = made.with_columns(pl.Series("message", ids, dtype=pl.String)).drop("key")
    known = pl.read_ndjson(file)["message"] if file.exists() and file.stat().st_size else pl.Series([], dtype=pl.String)
    new = made.filter(~pl.col("message").is_in(known.implode())).unique("message", keep="first", maintain_order=True)
    if new.height:
        with open(file, "ab", opener=_private) as out:
            out.write(new.write_ndjson().encode())
    return file, new.height


def _private(name: str, flags: int) -> int:
    """Open a file that nobody but its owner reads: it tells of customers."""
    return os.open(name, flags, 0o600)
