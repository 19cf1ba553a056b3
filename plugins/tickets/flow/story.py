"""The story of a ticket: steps as rows of `ticket_events`, and rows replayed to where they lead."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from plugins.tickets.flow.case import Standing, Step
from plugins.tickets.flow.following import followed

_BARRIER: Final = "|"


def as_row(step: Step) -> dict[str, Any]:
    """A step as a row of `ticket_events`."""
    asked, standing = step.asked, step.standing
    data = dict(asked.data) | ({"seat": asked.seat} if asked.seat is not None and asked.event != "assign" else {})
    return {
        "ticket": step.ticket,
        "number": standing.events,
        "ts": asked.at,
        "event": asked.event,
        "before": step.before,
        "after": standing.state,
        "level": standing.level,
        "seat": standing.seat,
        "role": asked.actor.role,
        "by": asked.actor.name,
        "remark": asked.remark,
        "data": json.dumps(data, ensure_ascii=False, sort_keys=True, default=str) if data else None,
    }


def state_row(ticket: str, standing: Standing) -> dict[str, Any]:
    """Where a ticket is, as a row of `ticket_states`."""
    return {
        "ticket": ticket,
        "state": standing.state,
        "level": standing.level,
        "seat": standing.seat,
        "approvers": _BARRIER.join(standing.approvers) or None,
        "held": standing.held,
        "released": standing.released,
        "payment": standing.payment,
        "events": standing.events,
        "changed": standing.changed,
    }


def standing_of(row: Mapping[str, Any]) -> Standing:
    """Where a ticket is, of its row of `ticket_states`."""
    return Standing(
        state=row["state"],
        level=row["level"],
        seat=row["seat"],
        approvers=tuple(filter(None, (row["approvers"] or "").split(_BARRIER))),
        held=row["held"],
        released=bool(row["released"]),
        payment=row["payment"],
        events=row["events"],
        changed=row["changed"],
    )


def replayed(events: Iterable[Mapping[str, Any]]) -> Standing:
    """Where events lead, one after the other.

    Args:
        events: Rows of `ticket_events` of one ticket, in the order of their numbers.

    Raises:
        ValueError: the table of the work flow does not allow one; the sentence says which, and why.
    """
    standing = Standing()
    for row in events:
        try:
            standing, _ = followed(standing, row)
        except ValueError as error:
            column, reason = error.args
            raise ValueError(f"event {row['number']}: {column} {reason}") from None
    return standing
