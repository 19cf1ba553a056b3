"""The outbox: messages that wait, are on their way, or have gone out; whatever dies meanwhile, none is lost.

A message has its id from the moment it is queued, and keeps it at every try. Its state changes by `TRANSITIONS` alone,
in transactions that hold the records' lock (`Records.begin`), so several senders may work at once. A sender claims
messages for a while, and renews its claim while it lives; a claim that has run out is taken by the next one.
"""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from crm.tables import Column, Table

if TYPE_CHECKING:
    import polars as pl

    from crm.records import Records
    from crm.workspace import Workspace

State = Literal["queued", "sending", "sent", "acknowledged", "failed", "expired"]
STATES: Final[tuple[State, ...]] = ("queued", "sending", "sent", "acknowledged", "failed", "expired")
FINAL: Final[tuple[State, ...]] = ("acknowledged", "failed", "expired")
"""States that nothing leads out of."""

Event = Literal["claim", "sent", "acknowledged", "again", "release", "give up", "overdue", "expire"]

TRANSITIONS: Final[Mapping[Event, tuple[tuple[State, ...], State]]] = {
    "claim": (("queued", "sending"), "sending"),
    "sent": (("queued", "sending"), "sent"),
    "acknowledged": (("queued", "sending", "sent"), "acknowledged"),
    "again": (("sending",), "queued"),
    "release": (("sending",), "queued"),
    "give up": (("queued", "sending", "sent"), "failed"),
    "overdue": (("sent",), "queued"),
    "expire": (("queued", "sending"), "expired"),
}
"""From which states an event leads to which; in any other state it changes nothing.

A message may be sent, or acknowledged, while it is queued: a sender that was slow tells what it has done after another
one has taken its claim and failed. `overdue` is a receipt that was promised and has not come.
"""

OUTBOX: Final = Table(
    "outbox",
    "Messages to customers: those that wait, and those that have gone out.",
    (
        Column("message", "string", "id of the message, fixed when it is queued"),
        Column("customer", "string", "to whom it goes", mask="name"),
        Column("campaign", "string", "what it belongs to"),
        Column("channel", "string", "by which way it goes: email, webhook, file, pull ..."),
        Column("template", "string", "of which template its text is made"),
        Column("items", "string", "ids of the items that it is about, as a JSON list"),
        Column("data", "string", "what the template is given, as a JSON object", mask="hidden", secret=True),
        Column("state", "string", "queued, sending, sent, acknowledged, failed or expired"),
        Column("queued", "timestamp", "when it was queued"),
        Column("send_after", "timestamp", "it goes out no sooner"),
        Column("expires", "timestamp", "it goes out no later; null for any time"),
        Column("tries", "int32", "how often it was tried"),
        Column("next_try", "timestamp", "it is tried again no sooner; null where nothing went wrong"),
        Column("claimed", "timestamp", "until when a sender has it; null where none has"),
        Column("sender", "string", "which sender has it; null where none has"),
        Column("sent", "timestamp", "when it was taken by the server, or written"),
        Column("acknowledged", "timestamp", "when its receipt was acknowledged"),
        Column("error", "string", "what went wrong last"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("message",),
    indexes=(("customer",), ("campaign",), ("state", "send_after", "message")),
    person="customer",
)

_CHUNK: Final = 500
"""So many ids are asked for at once."""

ENDED: Final = "its sender ended while it had it"
"""What is said of a message that is sent alone, since a sender has died that had it."""

_FREE: Final[Mapping[str, None]] = {"claimed": None, "sender": None}


@dataclass(frozen=True)
class Outcome:
    """What became of one try.

    Attributes:
        message: The id of the message.
        event: What happened to it.
        error: What went wrong; None if nothing.
        next_try: It is tried again no sooner.
    """

    message: str
    event: Event
    error: str | None = None
    next_try: datetime | None = None


def message_id(key: bytes, text: str) -> str:
    """The id of a message: 26 letters and digits, which nobody can guess without the key.

    Args:
        key: The workspace's key.
        text: What fixes it: the same text has the same id.
    """
    digest = blake2b(text.encode(), digest_size=16, key=key, person=b"message").digest()
    return b32encode(digest).decode("ascii").rstrip("=").lower()


def next_state(state: State, event: Event) -> State | None:
    """To which state an event leads; None if it changes nothing."""
    origins, goal = TRANSITIONS[event]
    return goal if state in origins else None


def enqueue(workspace: "Workspace", connection: sa.Connection, rows: "pl.DataFrame") -> int:
    """Queue messages; those that are in the outbox already are left alone, whatever has become of them.

    Args:
        workspace: The workspace, whose key makes the ids.
        connection: To its records, in a transaction (`Records.begin`).
        rows: `key` (text that fixes the id), `customer`, `campaign`, `channel`, `template`, `items` (list of texts),
            `data` (a JSON object as text; null for an empty one), `send_after` (null for at once), `expires` (null for
            never). Times are UTC. Of several rows with one key the first counts.

    Returns:
        How many are new.
    """
    import polars as pl

    records = workspace.records
    ids = [message_id(workspace.key, key) for key in rows["key"]]
    new = rows.drop("key").with_columns(pl.Series("message", ids, dtype=pl.String))
    new = new.unique("message", keep="first", maintain_order=True)
    there = _there(connection, records.table(OUTBOX.name), new["message"].to_list())
    new = new.filter(~pl.col("message").is_in(there))
    now = pl.lit(datetime.now(UTC).replace(microsecond=0)).cast(pl.Datetime("us", "UTC"))
    new = new.with_columns(
        pl.col("items").map_elements(_as_json, return_dtype=pl.String, skip_nulls=False),
        pl.col("data").cast(pl.String).fill_null("{}"),
        pl.col("send_after").cast(pl.Datetime("us", "UTC")).fill_null(now),
        pl.col("expires").cast(pl.Datetime("us", "UTC")),
        pl.lit("queued").alias("state"),
        now.alias("queued"),
        pl.lit(0, dtype=pl.Int32).alias("tries"),
    )
    records.append(connection, OUTBOX.name, new)
    return new.height


def _as_json(items: "Sequence[str] | None") -> str:
    import json

    return json.dumps([] if items is None else list(items), ensure_ascii=False)


def _there(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> list[str]:
    """Which ids the outbox has."""
    found: list[str] = []
    for at in range(0, len(ids), _CHUNK):
        wanted = sa.select(table.c.message).where(table.c.message.in_(ids[at : at + _CHUNK]))
        found += connection.execute(wanted).scalars()
    return found


def due(table: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    """Which messages may be sent now: they wait, their time has come, and it is not over."""
    c, moment = table.c, _plain(now)
    return sa.and_(
        c.state == "queued",
        c.send_after <= moment,
        sa.or_(c.next_try.is_(None), c.next_try <= moment),
        sa.or_(c.expires.is_(None), c.expires > moment),
    )


def claim(
    records: "Records",
    connection: sa.Connection,
    now: datetime,
    limit: int,
    lease: timedelta,
    *,
    sender: str,
    where: sa.ColumnElement[bool] | None = None,
    idle: bool = True,
) -> "pl.DataFrame":
    """Take messages to send: one whose sender has died, alone, since it may be what has killed it; else those due.

    Nobody else gets them until the lease has ended. Each claim counts as a try, but for the first one after a sender
    has died, which may not have begun with it.

    Args:
        records: The records.
        connection: To them, in a transaction (`Records.begin`).
        now: The time.
        limit: How many at most.
        lease: For how long.
        sender: Who takes them.
        where: Only messages of which this is true.
        idle: Whether the sender has no others; else it gets none whose sender has died.

    Returns:
        Rows of the outbox, secrets opened, in the order in which they are to be sent.
    """
    import polars as pl

    table = records.table(OUTBOX.name)
    c = table.c
    every = sa.select(c.message).where(*(() if where is None else (where,))).order_by(c.send_after, c.message)
    ids: list[str] = []
    if idle:
        ids += connection.execute(every.where(_dead(table, now, sender)).limit(1)).scalars()
    if not ids:
        ids += connection.execute(every.where(due(table, now)).limit(limit)).scalars()
    tries = sa.case((sa.or_(c.state == "queued", c.error == ENDED), c.tries + 1), else_=c.tries)
    error = sa.case((c.state == "sending", ENDED), (c.error == ENDED, sa.null()), else_=c.error)
    mine = {"claimed": _plain(now + lease), "sender": sender, "tries": tries, "next_try": None, "error": error}
    move(connection, table, "claim", c.message.in_(ids), **mine)
    rows = records.frame(OUTBOX.name, where=c.message.in_(ids), connection=connection)
    return pl.DataFrame({"message": ids}, {"message": pl.String}).join(
        rows, on="message", how="left", maintain_order="left"
    )


def _dead(table: sa.Table, now: datetime, sender: str) -> sa.ColumnElement[bool]:
    """Messages whose sender, another one, has not renewed its claim."""
    c = table.c
    return sa.and_(c.state == "sending", c.claimed <= _plain(now), c.sender != sender)


def deadly(
    connection: sa.Connection,
    table: sa.Table,
    now: datetime,
    most_tries: int,
    *,
    sender: str,
    where: sa.ColumnElement[bool] | None = None,
) -> int:
    """Give up messages of which senders have died that had nothing else, after enough tries; returns how many.

    Args:
        connection: To the records, in a transaction.
        table: The outbox.
        now: The time.
        most_tries: How often one is tried.
        sender: Who asks; its own claims are alive.
        where: Only messages of which this is true.
    """
    alone = sa.and_(_dead(table, now, sender), table.c.error == ENDED, table.c.tries >= most_tries)
    which = alone if where is None else sa.and_(alone, where)
    return move(connection, table, "give up", which, error=f"{ENDED}, and nothing else, time and again", **_FREE)


def renew(connection: sa.Connection, table: sa.Table, sender: str, until: datetime) -> None:
    """Keep what a sender has claimed for longer."""
    mine = sa.and_(table.c.state == "sending", table.c.sender == sender)
    connection.execute(sa.update(table).where(mine).values(claimed=_plain(until)))


def let_go(connection: sa.Connection, table: sa.Table, home: str, now: datetime) -> int:
    """End the claims of senders of one home, all of which are known to be dead; returns how many messages these are.

    Args:
        connection: To the records, in a transaction.
        table: The outbox.
        home: What the names of these senders begin with, before a dot.
        now: The time.
    """
    theirs = sa.and_(table.c.state == "sending", table.c.sender.startswith(f"{home}.", autoescape=True))
    return connection.execute(sa.update(table).where(theirs).values(claimed=_plain(now))).rowcount


def move(
    connection: sa.Connection, table: sa.Table, event: Event, where: sa.ColumnElement[bool], **values: object
) -> int:
    """Let an event happen to messages, as far as their states allow it; returns how many have changed.

    Args:
        connection: To the records, in a transaction.
        table: The outbox.
        event: What happens.
        where: To which messages.
        values: Other columns that change.
    """
    origins, goal = TRANSITIONS[event]
    change = sa.update(table).where(where, table.c.state.in_(origins)).values(state=goal, **values)
    return connection.execute(change).rowcount


def settle(connection: sa.Connection, table: sa.Table, outcomes: Sequence[Outcome], now: datetime, sender: str) -> None:
    """Store what became of tries.

    That a message was sent or acknowledged counts whoever has it now; that a try has failed counts only while the
    sender still has it: another one may be about to send it.

    Args:
        connection: To the records, in a transaction.
        table: The outbox.
        outcomes: What became of each.
        now: The time.
        sender: Whose tries these are.
    """
    c, moment = table.c, second(now)
    changes: Mapping[Event, Mapping[str, object]] = {
        "sent": {"sent": moment, "next_try": None},
        "acknowledged": {"sent": sa.func.coalesce(c.sent, moment), "acknowledged": moment, "next_try": None},
        "again": {"next_try": sa.bindparam("_next_try", type_=sa.DateTime)},
        "release": {"next_try": sa.bindparam("_next_try", type_=sa.DateTime), "tries": c.tries - 1},
        "give up": {"next_try": None},
    }
    for event, change in changes.items():
        rows = [
            {"_message": each.message, "_error": each.error, "_next_try": each.next_try and _plain(each.next_try)}
            for each in outcomes
            if each.event == event
        ]
        if not rows:
            continue
        origins, goal = TRANSITIONS[event]
        which = [c.message == sa.bindparam("_message"), sa.or_(*(c.state == origin for origin in origins))]
        if event not in ("sent", "acknowledged"):
            which.append(c.sender == sender)
        error = sa.bindparam("_error", type_=sa.Text)
        connection.execute(
            sa.update(table).where(*which).values({**_FREE, "state": goal, "error": error, **change}), rows
        )


def expire(
    connection: sa.Connection, table: sa.Table, now: datetime, where: sa.ColumnElement[bool] | None = None
) -> int:
    """Give up messages whose time is over, and which nobody has; returns how many."""
    c, moment = table.c, _plain(now)
    over = sa.and_(c.expires <= moment, sa.or_(c.claimed.is_(None), c.claimed <= moment))
    return move(
        connection, table, "expire", over if where is None else sa.and_(over, where), error="its time was over", **_FREE
    )


def overdue(
    connection: sa.Connection,
    table: sa.Table,
    now: datetime,
    within: Mapping[str, timedelta],
    most_tries: int,
    where: sa.ColumnElement[bool] | None = None,
) -> int:
    """Queue again what was sent and not acknowledged in time; what was tried too often has failed.

    Args:
        connection: To the records, in a transaction.
        table: The outbox.
        now: The time.
        within: How soon messages of a channel are to be acknowledged; those of other channels need not be.
        most_tries: How often one is tried.
        where: Only messages of which this is true.

    Returns:
        How many have failed.
    """
    c, failed = table.c, 0
    for channel, time in within.items():
        late = sa.and_(c.channel == channel, c.sent <= _plain(now - time), *(() if where is None else (where,)))
        error = f"not acknowledged within {time}"
        failed += move(
            connection, table, "give up", sa.and_(late, c.state == "sent", c.tries >= most_tries), error=error
        )
        move(connection, table, "overdue", late, error=error, next_try=None)
    return failed


def acknowledge(connection: sa.Connection, table: sa.Table, ids: Sequence[str], now: datetime) -> int:
    """Store that messages have been received; returns how many were not acknowledged before."""
    moment, c, count = second(now), table.c, 0
    for at in range(0, len(ids), _CHUNK):
        which = c.message.in_(ids[at : at + _CHUNK])
        sent = sa.func.coalesce(c.sent, moment)
        count += move(
            connection, table, "acknowledged", which, acknowledged=moment, sent=sent, error=None, next_try=None, **_FREE
        )
    return count


def second(at: datetime) -> datetime:
    """The second in which something happened, as the records keep it."""
    return _plain(at).replace(microsecond=0)


def _plain(at: datetime) -> datetime:
    """A time as the records keep it: UTC, without a zone, to the millisecond."""
    moment = at.astimezone(UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
