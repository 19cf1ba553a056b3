"""Who reviews what: waiting tickets are given to seats, the oldest first, fairly over a day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from crm.errors import Refused
from plugins.tickets.contracts import SEATS, STATES, TICKETS
from plugins.tickets.flow.case import SYSTEM, Actor, Asked
from plugins.tickets.flow.desk import Desk, Done
from plugins.tickets.flow.guards import knows, levels_for, seat_takes


def assign(desk: Desk, at: datetime) -> Done:
    """Give all tickets that wait for a review to seats, as far as seats can take them.

    The oldest ticket first; among the seats that are online, review its level, know its part, have room and have not
    approved it before: the one with the fewest tickets, then the one that was given the fewest today, then by id. No
    seat is taken that a higher level of the ticket cannot do without.
    """
    seats = desk.seats(at)
    chosen: dict[str, str] = {}
    for ticket, level, amount, category, approvers in _waiting(desk):
        if not any(_has_room(seat, desk) for seat in seats.values()):
            break
        passed = set(filter(None, (approvers or "").split("|")))
        fit = [
            seat
            for name, seat in seats.items()
            if name not in passed and seat_takes(seat, level or 1, category, desk.config.open_per_seat) is None
        ]
        knowing = [seat for name, seat in seats.items() if name not in passed and knows(seat, category)]
        free = _spared(fit, knowing, level or 1, levels_for(amount, desk.config)) if fit else []
        if free:
            best = min(free, key=lambda seat: (seat["open"], seat["today"], seat["seat"]))
            best["open"], best["today"] = best["open"] + 1, best["today"] + 1
            chosen[ticket] = best["seat"]
    fresh = {name: {**row, "open": -1} for name, row in seats.items()}  # room was seen to above, ticket by ticket
    return desk.do(list(chosen), lambda case: Asked("assign", SYSTEM, at, seat=chosen[case.id]), seats=fresh)


def _spared(fit: list[dict[str, Any]], knowing: list[dict[str, Any]], level: int, levels: int) -> list[dict[str, Any]]:
    """Those of some seats without which there are seats enough for the levels that follow, each by another.

    Args:
        fit: Seats that can take a ticket.
        knowing: All seats that know it and have not approved it, also those that are offline.
        level: The level of review that the ticket is at.
        levels: How many its amount takes.

    Returns:
        The seats; all where there are too few seats in any case.
    """
    ranks = [seat["level"] or 1 for seat in knowing]
    spare = {high: sum(rank >= high for rank in ranks) - (levels - high + 1) for high in range(level + 1, levels + 1)}

    def spared(seat: Mapping[str, Any]) -> bool:
        return all(count >= ((seat["level"] or 1) >= high) for high, count in spare.items())

    can = any((seat["level"] or 1) >= level and spared(seat) for seat in knowing)
    return [seat for seat in fit if spared(seat)] if can else fit


def _has_room(seat: Mapping[str, Any], desk: Desk) -> bool:
    return bool(seat["state"] == "online" and seat["open"] < desk.config.open_per_seat)


def waiting(desk: Desk) -> int:
    """How many tickets wait for a seat."""
    return len(_waiting(desk))


def _waiting(desk: Desk) -> list[tuple[str, int, float | None, str | None, str | None]]:
    states, tickets = desk.records.table(STATES.name).c, desk.records.table(TICKETS.name).c
    wanted = (
        sa.select(states.ticket, states.level, tickets.amount, tickets.part_category, states.approvers)
        .join(tickets.ticket.table, tickets.ticket == states.ticket)
        .where(states.state == "in_review", states.seat.is_(None))
        .order_by(tickets.opened, states.ticket)
    )
    return [tuple(row) for row in desk.connection.execute(wanted)]


def move_seat(desk: Desk, seat: str, state: str, actor: Actor, at: datetime) -> Done | None:
    """Bring a seat online or offline; what it has then waits again, and is given to others.

    Returns:
        What became of its tickets; None if there is no such seat.

    Raises:
        Refused: the actor may not act for it.
    """
    if actor.seats is not None and seat not in actor.seats:
        raise Refused(f"you may not act for the seat {seat} (`tickets.staff` in the configuration)")
    table, states = desk.records.table(SEATS.name), desk.records.table(STATES.name).c
    found = desk.connection.execute(sa.update(table).where(table.c.seat == seat).values(state=state)).rowcount
    if not found:
        return None
    done = Done()
    if state == "offline":
        its = sa.select(states.ticket).where(states.seat == seat).order_by(states.ticket)
        ids = list(desk.connection.execute(its).scalars())
        done = desk.do(ids, lambda _case: Asked("hand_back", actor, at, seat=seat))
    done.add(assign(desk, at))
    return done
