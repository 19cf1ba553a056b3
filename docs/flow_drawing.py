"""The work flow of tickets for the documentation: drawn, and as tables, from the table that the program goes by."""

from typing import Any

from markup import table

from plugins.tickets.flow.guards import MEANINGS
from plugins.tickets.flow.machine import words
from plugins.tickets.flow.table import ENDS, FIRST, STATES, TRANSITIONS


def diagram(_app: Any) -> str:
    """The states and what leads from one to another, as a diagram in Mermaid."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in TRANSITIONS:
        events = arrows.setdefault((row.state, row.goal), [])
        if words(row.event) not in events:
            events.append(words(row.event))
    lines = [
        "stateDiagram-v2",
        *(f'    state "{words(state)}" as {state}' for state in STATES),
        f"    [*] --> {FIRST}",
        *(f"    {state} --> {goal}: {', '.join(events)}" for (state, goal), events in arrows.items()),
        *(f"    {state} --> [*]" for state in ENDS),
    ]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def transitions(_app: Any) -> str:
    """The table of the work flow."""
    rows = [
        (words(row.state), words(row.event), words(row.goal), ", ".join(row.who), ", ".join(row.guards))
        for row in TRANSITIONS
    ]
    return table(("state", "event", "next state", "who", "conditions"), rows)


def conditions(_app: Any) -> str:
    """What the conditions of the work flow mean."""
    used = dict.fromkeys(name for row in TRANSITIONS for name in row.guards)
    return table(("condition", "it holds if"), [(name, MEANINGS[name]) for name in used])
