"""Money: settled tickets are put together by dealer, paid, and confirmed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from plugins.tickets.contracts import PAYMENTS, STATES, TICKETS
from plugins.tickets.flow.case import Actor, Asked
from plugins.tickets.flow.desk import Desk, Done


def ready(desk: Desk, states: Sequence[str], *, dealer: str | None = None, free: bool = False) -> list[str]:
    """Tickets in one of some states, the oldest first.

    Args:
        desk: The desk.
        states: The states.
        dealer: Only this dealer's.
        free: Only those that are in no payment yet.
    """
    at, tickets = desk.records.table(STATES.name).c, desk.records.table(TICKETS.name).c
    wanted = sa.select(at.ticket).join(tickets.ticket.table, tickets.ticket == at.ticket).where(at.state.in_(states))
    if dealer is not None:
        wanted = wanted.where(tickets.dealer == dealer)
    if free:
        wanted = wanted.where(at.payment.is_(None))
    return list(desk.connection.execute(wanted.order_by(tickets.opened, at.ticket)).scalars())


def batch(desk: Desk, actor: Actor, at: datetime, dealer: str | None) -> tuple[list[dict[str, Any]], Done]:
    """Put all settled tickets that are in no payment yet into one payment a dealer.

    Returns:
        The new payments, and what became of the tickets.
    """
    ids = ready(desk, ["settled"], dealer=dealer, free=True)
    amounts, names = _amounts(desk, ids), defaultdict[str, list[str]](list)
    for ticket in ids:
        names[amounts[ticket][0] or ""].append(ticket)
    number = _next_number(desk)
    payments = {name: f"PAY-{number + place:06d}" for place, name in enumerate(sorted(names))}
    of = {ticket: payments[name] for name, its in names.items() for ticket in its}
    done = desk.do(ids, lambda case: Asked("batch", actor, at, data={"payment": of[case.id]}))
    batched = {step.ticket for step in done.steps}
    rows = []
    for name, payment in payments.items():
        its = [ticket for ticket in names[name] if ticket in batched]
        total = round(sum(amounts[ticket][1] for ticket in its), 2)
        if its:
            rows.append({"payment": payment, "dealer": name, "tickets": len(its), "total": total, "made": at})
    if rows:
        table = desk.records.table(PAYMENTS.name)
        desk.connection.execute(sa.insert(table), [{**row, "made": at.replace(tzinfo=None)} for row in rows])
    return rows, done


def _amounts(desk: Desk, ids: Sequence[str]) -> dict[str, tuple[str | None, float]]:
    from plugins.tickets.flow.loading import rows_where

    rows = rows_where(desk.records, desk.connection, TICKETS.name, "ticket", ids)
    return {row["ticket"]: (row["dealer"], float(row["amount"] or 0.0)) for row in rows.iter_rows(named=True)}


def _next_number(desk: Desk) -> int:
    """One more than the greatest number of a payment; ids of another form, which imports may bring, do not count."""
    column = desk.records.table(PAYMENTS.name).c.payment
    ids = desk.connection.execute(sa.select(column).where(column.like("PAY-%"))).scalars()
    numbers = (each.removeprefix("PAY-") for each in ids)
    return 1 + max((int(each) for each in numbers if each.isascii() and each.isdigit()), default=0)


def of_payment(desk: Desk, payment: str) -> list[str] | None:
    """The tickets of a payment; None if there is no such payment."""
    payments, states = desk.records.table(PAYMENTS.name).c, desk.records.table(STATES.name).c
    if desk.connection.execute(sa.select(payments.payment).where(payments.payment == payment)).first() is None:
        return None
    wanted = sa.select(states.ticket).where(states.payment == payment).order_by(states.ticket)
    return list(desk.connection.execute(wanted).scalars())


def may_be_settled(desk: Desk, ids: Sequence[str]) -> list[str]:
    """Those of some signed tickets whose part need not come back, or has, and that nobody holds."""
    from plugins.tickets.flow.guards import goes_back
    from plugins.tickets.flow.loading import cases

    known = cases(desk.records, desk.connection, ids, desk.config)
    return [
        name
        for name in ids
        if known[name].standing.held is None
        and (known[name].standing.state == "part_returned" or not goes_back(known[name]))
    ]
