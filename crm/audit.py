"""The audit log: who did what to personal data and when, each entry chained to the one before by a hash."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crm.access import user
from crm.tables import Column, Table

if TYPE_CHECKING:
    from crm.app import App

AUDIT = Table(
    "audit",
    "Who did what to personal data, and when; append-only, each entry chained to the one before.",
    (
        Column("entry", "int64", "number of the entry, from 1"),
        Column("ts", "timestamp", "when"),
        Column("who", "string", "the operating system's user"),
        Column("action", "string", "what was done: unmask, ..."),
        Column("what", "string", "to which table and columns"),
        Column("rows", "int64", "how many rows it concerned; null where nobody could know before", unit="rows"),
        Column("hash", "string", "SHA-256 of this entry and of the hash before it"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("entry",),
)


def record(app: "App", action: str, what: str, count: int | None) -> None:
    """Append an entry to the workspace's audit log; without a workspace there is nothing to protect.

    Args:
        app: The run of the program.
        action: What was done.
        what: To which table and columns.
        count: How many rows it concerned; None if that is not known.

    Raises:
        Unusable: the workspace cannot be used, so nothing may be shown that would have to be recorded.
    """
    if not (app.workspace_path / "version").exists():
        return
    records = app.workspace().records
    table = records.table(AUDIT.name)
    with records.begin() as connection:
        last = connection.execute(
            sa.select(table.c.entry, table.c.hash).order_by(table.c.entry.desc()).limit(1)
        ).first()
        number, before = (last.entry + 1, last.hash) if last else (1, "")
        now = datetime.now(UTC).replace(tzinfo=None)
        fields = (number, now.isoformat(), user(), action, what, count)
        digest = sha256("\0".join([before, *map(str, fields)]).encode()).hexdigest()
        connection.execute(
            table.insert().values(
                entry=number, ts=now, who=fields[2], action=action, what=what, rows=count, hash=digest
            )
        )

