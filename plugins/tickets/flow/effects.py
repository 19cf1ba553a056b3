"""What events change besides the ticket: stock, shipments, payments. A function for each event that does."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from plugins.tickets.contracts import PAYMENTS, SHIPMENTS, STOCK
from plugins.tickets.flow.case import Case, Step
from plugins.tickets.flow.guards import quantity_of
from plugins.tickets.flow.table import Event

if TYPE_CHECKING:
    from plugins.tickets.flow.desk import Desk

_TAKES: Final[tuple[Event, ...]] = ("use_stock", "ship")
_SHIPS: Final[Mapping[Event, str]] = {"ship": "part", "return_part": "return"}
_ARRIVES: Final[Mapping[Event, str]] = {"receive": "received", "receive_return": "received", "lose": "lost"}
_PAYS: Final[Mapping[Event, str]] = {"pay": "paid", "confirm": "confirmed"}


def at_once(case: Case, made: Step) -> None:
    """Take parts out of the stock that the tickets of one call share, so that the next one sees what is left."""
    place = _place(case, made)
    if place is not None:
        case.stock[place] = case.stock.get(place, 0.0) - quantity_of(case)  # type: ignore[index]  # shared on purpose


def store(desk: "Desk", steps: Sequence[Step], known: Mapping[str, Case]) -> None:
    """Write what steps have changed.

    Args:
        desk: The desk.
        steps: What has happened.
        known: The tickets by id.
    """
    _take(desk, steps, known)
    _send(desk, steps, known)
    _mark(desk, SHIPMENTS.name, "shipment", _ARRIVES, steps)
    _mark(desk, PAYMENTS.name, "payment", _PAYS, steps)


def _place(case: Case, made: Step) -> str | None:
    """Where a step takes parts from; None if it takes none."""
    if made.asked.event not in _TAKES:
        return None
    place = case.ticket["dealer"] if made.asked.event == "use_stock" else made.asked.data["origin"]
    return str(place)


def _take(desk: "Desk", steps: Sequence[Step], known: Mapping[str, Case]) -> None:
    table = desk.records.table(STOCK.name)
    taken: dict[tuple[str, str], float] = {}
    for each in steps:
        case = known[each.ticket]
        place = _place(case, each)
        if place is not None:
            key = place, case.ticket["part"]
            taken[key] = taken.get(key, 0.0) + quantity_of(case)
    for (place, part), quantity in taken.items():
        mine = sa.and_(table.c.place == place, table.c.part == part)
        desk.connection.execute(sa.update(table).where(mine).values(quantity=table.c.quantity - quantity))


def _send(desk: "Desk", steps: Sequence[Step], known: Mapping[str, Case]) -> None:
    import polars as pl

    from crm.schema import polars_schema

    rows = [
        {
            "shipment": each.asked.data["shipment"],
            "ticket": each.ticket,
            "kind": _SHIPS[each.asked.event],
            "part": known[each.ticket].ticket["part"],
            "quantity": quantity_of(known[each.ticket]),
            "origin": each.asked.data["origin"],
            "goal": each.asked.data["goal"],
            "carrier": each.asked.data.get("carrier"),
            "shipped": each.asked.at,
            "received": None,
            "lost": None,
        }
        for each in steps
        if each.asked.event in _SHIPS
    ]
    if rows:
        desk.records.append(desk.connection, SHIPMENTS.name, pl.DataFrame(rows, schema=polars_schema(SHIPMENTS)))


def _mark(desk: "Desk", name: str, key: str, columns: Mapping[Event, str], steps: Sequence[Step]) -> None:
    """Write the time of events into rows of a table that their data name."""
    table, marked = desk.records.table(name), dict[tuple[str, str], Any]()
    for each in steps:
        column = columns.get(each.asked.event)
        if column is not None and key in each.asked.data:
            marked[str(each.asked.data[key]), column] = each.asked.at.replace(tzinfo=None)
    for (value, column), moment in marked.items():
        change = sa.update(table).where(table.c[key] == value).values({column: moment})
        desk.connection.execute(change)
