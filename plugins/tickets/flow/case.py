"""All that decides what may happen to a ticket, in one object, and read for many tickets at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from plugins.tickets.flow.table import FIRST, Event, Role, State

if TYPE_CHECKING:
    from plugins.tickets.config import TicketsConfig


@dataclass(frozen=True)
class Actor:
    """Who does something.

    Attributes:
        role: As what.
        name: Who it is, as stories show it.
        seats: Seats that the actor may act for; None for any.
        dealers: Dealers that the actor may act for; None for any.
    """

    role: Role
    name: str
    seats: frozenset[str] | None = None
    dealers: frozenset[str] | None = None


SYSTEM = Actor("system", "crm")


@dataclass(frozen=True)
class Standing:
    """Where a ticket is: a row of `ticket_states`.

    Attributes:
        approvers: Seats that have approved it in this round of review.
    """

    state: State = FIRST
    level: int | None = None
    seat: str | None = None
    held: str | None = None
    approvers: tuple[str, ...] = ()
    released: bool = False
    payment: str | None = None
    events: int = 0
    changed: datetime | None = None


@dataclass(frozen=True)
class Case:
    """A ticket with all that guards ask for.

    Attributes:
        ticket: Its row of `tickets`.
        standing: Where it is.
        dealer: The row of its dealer; empty where none is known.
        labour: The row of its labour code; empty where none is known.
        part: The row of its part; empty where none is known.
        stock: How many of the part lie where.
        seats: Rows of seats by id, each with `open`, the number of tickets that it has, and `today`, how many it was
            given today.
        twins: Other tickets with its vehicle and labour code within the time of the configuration: earlier ones that
            may be paid, and later ones that are settled.
        config: The section `tickets`.
    """

    ticket: Mapping[str, Any]
    standing: Standing
    config: "TicketsConfig"
    dealer: Mapping[str, Any] = field(default_factory=dict)
    labour: Mapping[str, Any] = field(default_factory=dict)
    part: Mapping[str, Any] = field(default_factory=dict)
    stock: Mapping[str, float] = field(default_factory=dict)
    seats: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    twins: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The ticket's."""
        return str(self.ticket["ticket"])


@dataclass(frozen=True)
class Asked:
    """What is to happen to a ticket.

    Attributes:
        event: What.
        actor: Who does it.
        at: When, in UTC.
        remark: What is said to it.
        seat: The seat, where the event names one.
        data: What else belongs to it: shipment, carrier, payment ...
    """

    event: Event
    actor: Actor
    at: datetime
    remark: str | None = None
    seat: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """An event that has happened: a row of `ticket_events`, and where the ticket is after it."""

    ticket: str
    before: State
    asked: Asked
    standing: Standing


def after(standing: Standing, asked: Asked, goal: State) -> Standing:
    """Where a ticket is after an event: what `flow.story.replayed` makes of stored events, and `flow.machine` of new.

    Args:
        standing: Where it is before.
        asked: The event.
        goal: The state that it leads to.
    """
    changes = _CHANGES.get(asked.event, lambda _standing, _asked, _goal: {})
    return replace(
        standing,
        **{"state": goal, "events": standing.events + 1, "changed": asked.at, **changes(standing, asked, goal)},
    )


def _approved(standing: Standing, asked: Asked, goal: State) -> dict[str, Any]:
    approvers = (*standing.approvers, *([asked.seat] if asked.seat else []))
    return {"seat": None, "level": (standing.level or 1) + (goal == "in_review"), "approvers": approvers}


_NO_REASON: Final = "no reason was given"
"""Why a ticket is held, where an imported event does not say it."""
_CHANGES: Any = {
    "submit": lambda _s, _a, _g: {"level": 1, "seat": None, "approvers": ()},
    "assign": lambda _s, a, _g: {"seat": a.seat},
    "hand_back": lambda _s, _a, _g: {"seat": None},
    "approve": _approved,
    "reject": lambda _s, _a, _g: {"seat": None},
    "send_back": lambda _s, _a, _g: {"seat": None},
    "withdraw": lambda _s, _a, _g: {"seat": None},
    "hold": lambda _s, a, _g: {"held": a.remark or _NO_REASON},
    "release": lambda _s, _a, _g: {"held": None, "released": True},
    "batch": lambda _s, a, _g: {"payment": a.data["payment"]},
}
"""What an event changes besides the state."""
