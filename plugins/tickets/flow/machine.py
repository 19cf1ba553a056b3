"""The machine: a ticket and what is asked of it -> the step that happens, or why it does not. Pure."""

from plugins.tickets.flow.case import Asked, Case, Step, after
from plugins.tickets.flow.guards import GUARDS
from plugins.tickets.flow.table import TRANSITIONS, Event, Transition, rows_of


def step(case: Case, asked: Asked) -> Step | str:
    """What happens to a ticket, or in one sentence why nothing does.

    Args:
        case: The ticket with all that decides.
        asked: What is to happen.
    """
    rows = rows_of(case.standing.state, asked.event)
    if not rows:
        return f"it is {words(case.standing.state)}, and that takes one that is {_where(asked.event)}"
    if asked.actor.role not in rows[0].who:
        return f"this is for {_or(rows[0].who)}, not for a {asked.actor.role}"
    dealers = asked.actor.dealers
    if asked.actor.role == "dealer" and dealers is not None and case.ticket["dealer"] not in dealers:
        return f"it is of the dealer {case.ticket['dealer']}, for whom you may not act"
    last = case.standing.changed
    if last is not None and asked.at < last:
        return f"its last event was at {last:%Y-%m-%d %H:%M:%S} UTC, and this would be before it"
    reasons = [_reason(row, case, asked) for row in rows]
    for row, reason in zip(rows, reasons, strict=True):
        if reason is None:
            return Step(case.id, case.standing.state, asked, after(case.standing, asked, row.goal))
    return str(reasons[-1])


def failed_guard(case: Case, asked: Asked) -> str | None:
    """The name of the guard that stands in the way of the last row; None if none does, or there is no row."""
    rows = rows_of(case.standing.state, asked.event)
    names = rows[-1].guards if rows else ()
    return next((name for name in names if GUARDS[name](case, asked) is not None), None)


def words(state: str) -> str:
    """A state or event in words: `in review`."""
    return state.replace("_", " ")


def _reason(row: Transition, case: Case, asked: Asked) -> str | None:
    return next((why for name in row.guards if (why := GUARDS[name](case, asked)) is not None), None)


def _where(event: Event) -> str:
    return _or(tuple(dict.fromkeys(words(row.state) for row in TRANSITIONS if row.event == event)))


def _or(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
