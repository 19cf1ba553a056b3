"""Where parts come from: the dealer's own stock, else the centre's nearest source that has them; and shipments."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from plugins.tickets.contracts import DEALERS, SHIPMENTS, STOCK
from plugins.tickets.flow.case import Actor, Asked, Case
from plugins.tickets.flow.desk import Desk, told
from plugins.tickets.flow.guards import quantity_of

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.tickets.flow.desk import Ask

CENTRE = "centre"
"""Where defective parts go."""


def ship(
    desk: Desk,
    actor: Actor,
    at: datetime,
    remark: str | None,
    *,
    source: str | None,
    carrier: str | None,
    number: str | None,
) -> "Ask":
    """What asks that the part of a ticket is taken from the dealer's stock, or sent.

    Args:
        desk: The desk.
        actor: Who sends it.
        at: When.
        remark: What is said to it.
        source: From where; None for the dealer's stock, else the nearest source that has it.
        carrier: Who carries it.
        number: Number of the shipment; None to make one.
    """
    places, free = _places(desk), _free(desk, number)

    def ask(case: Case) -> Asked | str:
        dealer = case.ticket["dealer"]
        if source is None and case.stock.get(dealer, 0.0) >= quantity_of(case):
            return Asked("use_stock", actor, at, remark)
        if free is not None:
            return free
        chosen = source or nearest(case, places)
        data = {"origin": chosen, "goal": dealer, "carrier": carrier, "shipment": number or _number(case, "P")}
        return Asked("ship", actor, at, remark, data=told(data))

    return ask


def nearest(case: Case, places: list[str]) -> str | None:
    """The first source, in the order that holds for the dealer's region, that has enough of the part; None if none has.

    Args:
        case: The ticket.
        places: Places that are no dealers, for where no order is configured.
    """
    order = case.config.sources
    region = case.dealer.get("region")
    named = order.get(region or "", order.get("default", []) if order else places)
    return next((place for place in named if case.stock.get(place, 0.0) >= quantity_of(case)), None)


def _places(desk: Desk) -> list[str]:
    """Places with stock that are no dealers, in order."""
    stock, dealers = desk.records.table(STOCK.name).c, desk.records.table(DEALERS.name).c
    wanted = sa.select(stock.place).distinct().where(stock.place.not_in(sa.select(dealers.dealer)))
    return list(desk.connection.execute(wanted.order_by(stock.place)).scalars())


def _number(case: Case, letter: str) -> str:
    """A number for a shipment: no other has it, since no ticket has two events of one number."""
    return f"{letter}-{case.id}-{case.standing.events + 1}"


def _free(desk: Desk, number: str | None) -> str | None:
    """Why a shipment cannot have a number; None if it can."""
    return f"there is a shipment {number} already" if number and shipments(desk, [number]) else None


def return_part(
    desk: Desk, actor: Actor, at: datetime, remark: str | None, *, carrier: str | None, number: str | None
) -> "Ask":
    """What asks that the defective part of a ticket is sent back."""
    free = _free(desk, number)

    def ask(case: Case) -> Asked | str:
        if free is not None:
            return free
        data = {"origin": case.ticket["dealer"], "goal": CENTRE, "carrier": carrier}
        return Asked("return_part", actor, at, remark, data=told({**data, "shipment": number or _number(case, "R")}))

    return ask


def shipments(desk: Desk, numbers: list[str]) -> dict[str, dict[str, Any]]:
    """Shipments by their numbers."""
    from plugins.tickets.flow.loading import by_key, rows_where

    return by_key(rows_where(desk.records, desk.connection, SHIPMENTS.name, "shipment", numbers), "shipment")


def kinds(workspace: "Workspace", numbers: list[str]) -> dict[str, str]:
    """Of which kind shipments are, by their numbers; unknown ones are not in it."""
    from plugins.tickets.flow.loading import rows_where

    with workspace.records.engine.connect() as connection:
        rows = rows_where(workspace.records, connection, SHIPMENTS.name, "shipment", numbers)
    return dict(rows.select("shipment", "kind").iter_rows())
