"""What waits for whom: tickets that are new, in review, and loops that are not closed."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from plugins.tickets.contracts import PAYMENTS, SHIPMENTS, STATES, TICKETS
from plugins.tickets.flow.table import State

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm.workspace import Workspace
    from plugins.tickets.flow.desk import Desk

_WAITS: Final[dict[State, tuple[str, str]]] = {
    "opened": ("not submitted", "dealer"),
    "in_review": ("in review at a seat", "agent"),
    "sent_back": ("sent back and not submitted again", "dealer"),
    "approved": ("approved and part not sent", "store"),
    "parts_ready": ("part there and not served", "dealer"),
    "served": ("served and not signed", "dealer"),
    "part_returned": ("part back and held", "clerk"),
    "settled": ("settled and not paid", "clerk"),
}
"""What is open in a state that has no shipment or payment on its way, and who must act."""
_ELSE: Final[dict[State, tuple[str, str, str]]] = {
    "in_review": ("seat", "waiting for a seat", "agent"),
    "approved": ("part", "approved and not served", "dealer"),
    "part_returned": ("held", "part back and not settled", "clerk"),
}
"""The same, where a column of the ticket is null."""
_LOOPS: Final = {
    "loop": pl.String(),
    "ticket": pl.String(),
    "number": pl.String(),
    "dealer": pl.String(),
    "since": pl.Datetime("us", "UTC"),
    "days": pl.Float64(),
    "who": pl.String(),
}


def new(desk: "Desk", dealers: "Collection[str] | None") -> list[str]:
    """Tickets to which nothing has happened but changes of the dealer's, the oldest first.

    Args:
        desk: The desk.
        dealers: Only those of these dealers; None for all.
    """
    tickets, states = desk.records.table(TICKETS.name).c, desk.records.table(STATES.name).c
    wanted = (
        sa.select(tickets.ticket)
        .outerjoin(states.ticket.table, states.ticket == tickets.ticket)
        .where(sa.or_(states.state.is_(None), states.state == "opened"))
        .order_by(tickets.opened, tickets.ticket)
    )
    if dealers is not None:
        wanted = wanted.where(tickets.dealer.in_(sorted(dealers)))
    return list(desk.connection.execute(wanted).scalars())


def in_review(workspace: "Workspace", seat: str | None) -> pl.DataFrame:
    """Tickets in review, the oldest first: `ticket`, `opened`, `level`, `seat`, `dealer`, `part_category`, `amount`."""
    records = workspace.records
    where = records.table(STATES.name).c.state == "in_review"
    states = records.frame(STATES.name, columns=["ticket", "level", "seat"], where=where)
    states = states if seat is None else states.filter(seat=seat)
    facts = records.frame(TICKETS.name, columns=["ticket", "opened", "dealer", "part_category", "amount"])
    found = states.join(facts, on="ticket", how="left").sort("opened", "ticket")
    return found.select("ticket", "opened", "level", "seat", "dealer", "part_category", "amount")


def loops(workspace: "Workspace", now: datetime) -> pl.DataFrame:
    """What has begun and not ended, the oldest first.

    Returns:
        `loop` (what is open), `ticket`, `number` (of a shipment or payment), `dealer`, `since`, `days`, `who` must act.
    """
    records = workspace.records
    dealers = records.frame(TICKETS.name, columns=["ticket", "dealer", "part", "opened"])
    states = records.frame(STATES.name, columns=["ticket", "state", "changed", "held", "seat", "payment"])
    parts = records.frame("parts", columns=["part", "returned"])
    known = dealers.join(states, on="ticket", how="left").join(parts, on="part", how="left")
    known = known.with_columns(pl.col("state").fill_null("opened"), pl.col("changed").fill_null(pl.col("opened")))
    found = [_of_states(known), _of_signed(known), _of_shipments(workspace, dealers), _of_payments(workspace)]
    rows = pl.concat(
        [part.select(*_LOOPS.keys() - {"days"}).select(sorted(_LOOPS.keys() - {"days"})) for part in found]
    )
    age = (pl.lit(now).cast(pl.Datetime("us", "UTC")) - pl.col("since")).dt.total_seconds() / 86_400
    return (
        rows.with_columns(age.round(1).alias("days")).select(*_LOOPS).sort("since", "ticket", "number", nulls_last=True)
    )


def _of_states(known: pl.DataFrame) -> pl.DataFrame:
    told = pl.DataFrame(
        [(state, loop, who) for state, (loop, who) in _WAITS.items()],
        schema={"state": pl.String, "loop": pl.String, "who": pl.String},
        orient="row",
    )
    rows = known.filter(pl.col("payment").is_null()).join(told, on="state")  # a payment is told as one
    for state, (column, loop, who) in _ELSE.items():
        lacks = (pl.col("state") == state) & pl.col(column).is_null()
        rows = rows.with_columns(
            pl.when(lacks).then(pl.lit(value)).otherwise(name).alias(name)
            for name, value in (("loop", loop), ("who", who))
        )
    return _plain(rows)


def _of_signed(known: pl.DataFrame) -> pl.DataFrame:
    """Signed tickets: their part must come back first, or they can be settled."""
    signed = known.filter(state="signed")
    back = pl.col("part").is_not_null() & pl.col("returned").fill_null(True)
    held = pl.col("held").is_not_null()
    return _plain(
        signed.with_columns(
            pl.when(back)
            .then(pl.lit("signed and part not sent back"))
            .when(held)
            .then(pl.lit("signed and held"))
            .otherwise(pl.lit("signed and not settled"))
            .alias("loop"),
            pl.when(back).then(pl.lit("dealer")).otherwise(pl.lit("clerk")).alias("who"),
        )
    )


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    number = pl.lit(None, dtype=pl.String).alias("number")
    return rows.select("loop", "ticket", number, "dealer", pl.col("changed").alias("since"), "who")


def _of_shipments(workspace: "Workspace", dealers: pl.DataFrame) -> pl.DataFrame:
    """Parts on their way."""
    rows = workspace.records.frame(SHIPMENTS.name).filter(pl.col("received").is_null() & pl.col("lost").is_null())
    is_part = pl.col("kind") == "part"
    return rows.join(dealers.select("ticket", "dealer"), on="ticket", how="left").select(
        pl.when(is_part)
        .then(pl.lit("part sent and not received"))
        .otherwise(pl.lit("defective part sent and not received"))
        .alias("loop"),
        "ticket",
        pl.col("shipment").alias("number"),
        "dealer",
        pl.col("shipped").alias("since"),
        pl.when(is_part).then(pl.lit("dealer")).otherwise(pl.lit("store")).alias("who"),
    )


def _of_payments(workspace: "Workspace") -> pl.DataFrame:
    """Payments that are not paid, or not confirmed."""
    rows = workspace.records.frame(PAYMENTS.name).filter(pl.col("confirmed").is_null())
    paid = pl.col("paid").is_not_null()
    return rows.select(
        pl.when(paid)
        .then(pl.lit("paid and not confirmed"))
        .otherwise(pl.lit("payment made and not paid"))
        .alias("loop"),
        pl.lit(None, dtype=pl.String).alias("ticket"),
        pl.col("payment").alias("number"),
        "dealer",
        pl.coalesce("paid", "made").alias("since"),
        pl.when(paid).then(pl.lit("dealer")).otherwise(pl.lit("clerk")).alias("who"),
    )
