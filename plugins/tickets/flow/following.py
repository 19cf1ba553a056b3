"""A stored or imported event -> where its ticket is after it: the work flow's table says whether it can have happened.

Guards are not asked: they look at what was known then, and what was decided stands.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn, cast

from crm.nearest import did_you_mean, one_of
from plugins.tickets.flow.case import Actor, Asked, Standing, after
from plugins.tickets.flow.guards import SKILLS
from plugins.tickets.flow.table import EVENTS, Event, Role, State, Transition, rows_of


def followed(standing: Standing, event: Mapping[str, Any]) -> tuple[Standing, str]:
    """Where a ticket is after an event, and as what somebody did it.

    Args:
        standing: Where it was.
        event: A row of `ticket_events`; `before`, `after`, `level`, `seat` and `role` may be null, and are then what
            the work flow makes of the event.

    Raises:
        ValueError: it cannot have happened; with the column that is to blame, and the reason.
    """
    if event["number"] != standing.events + 1:
        _refuse("number", f"event {standing.events + 1} of this ticket is missing before it")
    if standing.changed is not None and event["ts"] < standing.changed:
        _refuse("ts", "is before the event in front of it")
    if event["before"] not in (None, standing.state):
        _refuse("before", f"the ticket is {standing.state} before it")
    way = _way(standing.state, event)
    if event["role"] is not None and event["role"] not in way.who:
        _refuse("role", f"only {one_of(way.who)} may {way.event} a ticket that is {standing.state}")
    made = after(standing, _asked(standing, event, way), way.goal)
    if event["level"] is not None and event["level"] != made.level:
        _refuse("level", f"the level is {made.level or 'none'} after it")
    if event["seat"] is not None and event["seat"] != made.seat:
        _refuse("seat", "no seat has the ticket after it")
    return made, event["role"] or way.who[0]


def _way(state: State, event: Mapping[str, Any]) -> Transition:
    """The row of the work flow's table that an event goes by."""
    name = event["event"]
    if name not in EVENTS:
        _refuse("event", f"is no event of the work flow{did_you_mean(name, EVENTS) if len(name) > 2 else ''}")
    ways = rows_of(state, cast("Event", name))
    if not ways:
        _refuse("event", f"`{name}` cannot happen to a ticket that is {state}")
    goals = list(dict.fromkeys(each.goal for each in ways))
    if event["after"] is None and len(goals) > 1:
        _refuse("after", f"is missing; `{name}` leads to {' or '.join(goals)}")
    found = [each for each in ways if event["after"] in (None, each.goal)]
    if not found:
        _refuse("after", f"`{name}` leads from {state} to {' or '.join(goals)}")
    return next((each for each in found if event["role"] in each.who), found[0])


def _asked(standing: Standing, event: Mapping[str, Any], way: Transition) -> Asked:
    """The event with what belongs to it; who approves is the seat that has the ticket, unless the data name another."""
    data = _data(event["data"])
    seat = event["seat"] if way.event == "assign" else data.pop("seat", standing.seat)
    if way.event == "assign" and seat is None:
        _refuse("seat", "is missing; the seat that the ticket is assigned to")
    if seat is not None and (not isinstance(seat, str) or SKILLS in seat):
        _refuse("seat" if way.event == "assign" else "data", f"names no seat; a seat is a text without {SKILLS}")
    for name in _NEEDED.get(way.event, ()):
        if not isinstance(data.get(name), str):
            _refuse("data", f"names no {name}")
    actor = Actor(cast("Role", event["role"] or way.who[0]), event["by"] or "")
    return Asked(way.event, actor, event["ts"], event["remark"], seat, data)


_NEEDED: Final[dict[Event, tuple[str, ...]]] = {"batch": ("payment",)}
"""What must stand in the data of an event, because where its ticket is depends on it."""


def _data(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        _refuse("data", "is no JSON object")
    return found


def _refuse(column: str, reason: str) -> NoReturn:
    raise ValueError(column, reason)
