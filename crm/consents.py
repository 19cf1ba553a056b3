"""Who may be written to by which channel: what customers have said, when, and where they said it; append-only."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.tables import Column, Table

if TYPE_CHECKING:
    import polars as pl

CONSENTS: Final = Table(
    "consents",
    "What customers have agreed to and withdrawn; the newest row of a customer and channel counts.",
    (
        Column("customer", "string", "id of the customer", mask="name"),
        Column("channel", "string", "by which way: email, sms, feed, ..."),
        Column("ts", "timestamp", "when it was said"),
        Column("granted", "boolean", "whether it was granted, not withdrawn"),
        Column("source", "string", "where it was said: a form, a file, a person"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("customer", "channel", "ts"),
    person="customer",
)

ANY: Final = "all"
"""The channel of a consent, or withdrawal, that is about every channel."""


def allowed(connection: sa.Connection, table: sa.Table, who: str | Collection[str], channel: str) -> bool:
    """Whether a customer has agreed to a channel: what was said last of it, or of all, counts; without a word, no.

    Args:
        connection: To the records.
        table: The table of consents: `records.table(CONSENTS.name)`.
        who: The customer, or better all ids that the customer has had (`crm.whose.all_ids`): what was said as one that
            was merged into another counts as well.
        channel: The channel.
    """
    ids = [who] if isinstance(who, str) else list(who)
    said = sa.select(table.c.granted).where(table.c.customer.in_(ids), table.c.channel.in_([channel, ANY]))
    # Of two at the same moment the withdrawal counts.
    newest = connection.execute(said.order_by(table.c.ts.desc(), table.c.granted).limit(1)).scalar()
    return bool(newest)


def agreed(rows: "pl.DataFrame", channel: str) -> "pl.Series":
    """All customers who have agreed to a channel, as `allowed` tells it of one.

    Args:
        rows: `customer`, `channel`, `ts`, `granted` of all; of merged customers under the id that they have now.
        channel: The channel.
    """
    import polars as pl

    said = rows.filter(pl.col("channel").is_in([channel, ANY]))
    newest = said.sort("ts", ~pl.col("granted")).unique("customer", keep="last", maintain_order=True)
    return newest.filter("granted")["customer"].sort()


def history(rows: "pl.DataFrame") -> "pl.DataFrame":
    """What one customer has said, the newest last: `channel`, `ts`, `granted`, `source`, `holds`.

    `holds` tells which of them count today: of each channel what was said last of it, or of all; of two at the same
    moment the withdrawal.

    Args:
        rows: The customer's rows of the table of consents.
    """
    import polars as pl

    order = rows.sort("ts", ~pl.col("granted"), "channel").with_row_index("at")
    every = order.filter(pl.col("channel") == ANY)["at"].max()
    own = pl.col("at").max().over("channel") == pl.col("at")
    holds = own if every is None else own & (pl.col("at") >= pl.lit(every))
    return order.select("channel", "ts", "granted", "source", holds.alias("holds"))


def say(
    connection: sa.Connection,
    table: sa.Table,
    who: str,
    channel: str,
    source: str,
    *,
    granted: bool,
    at: datetime | None = None,
) -> None:
    """Store what a customer has said.

    Args:
        connection: To the records, in a transaction.
        table: The table of consents.
        who: The customer.
        channel: The channel, or `ANY`.
        source: Where it was said.
        granted: Whether the customer agrees.
        at: When, in UTC, stored to the millisecond; now if None.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    same = sa.and_(table.c.customer == who, table.c.channel == channel, table.c.ts == moment)
    connection.execute(sa.delete(table).where(same))
    connection.execute(
        sa.insert(table).values(customer=who, channel=channel, ts=moment, granted=granted, source=source)
    )
