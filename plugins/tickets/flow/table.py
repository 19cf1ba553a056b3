"""The work flow as data: from which state which event leads to which, on what conditions, and who may.

The documentation draws its diagram from this table. Of several rows with one state and event the first counts whose
guards let it pass; if none does, the reason of the last guard that stood in the way of a row is told.
"""

from dataclasses import dataclass
from typing import Final, Literal

State = Literal[
    "opened",
    "in_review",
    "sent_back",
    "rejected",
    "withdrawn",
    "approved",
    "parts_shipped",
    "parts_ready",
    "served",
    "signed",
    "returning",
    "part_returned",
    "settled",
    "paid",
    "confirmed",
]
Event = Literal[
    "change",
    "submit",
    "withdraw",
    "assign",
    "hand_back",
    "approve",
    "reject",
    "send_back",
    "use_stock",
    "ship",
    "receive",
    "lose",
    "serve",
    "sign",
    "refuse",
    "return_part",
    "receive_return",
    "hold",
    "release",
    "settle",
    "batch",
    "pay",
    "confirm",
]
Role = Literal["dealer", "agent", "store", "clerk", "system"]

ROLES: Final[tuple[Role, ...]] = ("dealer", "agent", "store", "clerk", "system")
FIRST: Final[State] = "opened"
"""The state of a ticket to which nothing has happened yet."""


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    Attributes:
        state: The state before.
        event: What happens.
        goal: The state after.
        who: The roles that may do it.
        guards: Names of conditions (`plugins.tickets.flow.guards`), all of which must hold.
    """

    state: State
    event: Event
    goal: State
    who: tuple[Role, ...]
    guards: tuple[str, ...] = ()


TRANSITIONS: Final = (
    Transition("opened", "change", "opened", ("dealer", "system")),
    Transition("sent_back", "change", "sent_back", ("dealer", "system")),
    Transition("opened", "submit", "in_review", ("dealer", "system")),
    Transition("opened", "withdraw", "withdrawn", ("dealer",)),
    Transition("in_review", "assign", "in_review", ("system",), ("waits", "seat fits")),
    Transition("in_review", "hand_back", "in_review", ("agent", "system"), ("own seat",)),
    Transition("in_review", "approve", "in_review", ("agent",), ("own seat", "another looks", "more levels")),
    Transition("in_review", "approve", "approved", ("agent",), ("own seat", "another looks", "last level")),
    Transition("in_review", "reject", "rejected", ("agent",), ("own seat",)),
    Transition("in_review", "send_back", "sent_back", ("agent",), ("own seat",)),
    Transition("in_review", "withdraw", "withdrawn", ("dealer",)),
    Transition("sent_back", "submit", "in_review", ("dealer",)),
    Transition("sent_back", "withdraw", "withdrawn", ("dealer",)),
    Transition("approved", "use_stock", "parts_ready", ("dealer", "store"), ("needs part", "dealer has stock")),
    Transition("approved", "ship", "parts_shipped", ("store",), ("needs part", "source has stock")),
    Transition("approved", "serve", "served", ("dealer",), ("needs no part",)),
    Transition("parts_shipped", "receive", "parts_ready", ("dealer",)),
    Transition("parts_shipped", "lose", "approved", ("store",)),
    Transition("parts_ready", "serve", "served", ("dealer",)),
    Transition("served", "sign", "signed", ("dealer",)),
    Transition("served", "refuse", "parts_ready", ("dealer",), ("needs part",)),
    Transition("served", "refuse", "approved", ("dealer",), ("needs no part",)),
    Transition("signed", "return_part", "returning", ("dealer",), ("part goes back",)),
    Transition("returning", "receive_return", "part_returned", ("store",)),
    Transition("returning", "lose", "signed", ("store",)),
    Transition("signed", "hold", "signed", ("clerk", "system"), ("not held",)),
    Transition("signed", "release", "signed", ("clerk",), ("held",)),
    Transition("part_returned", "hold", "part_returned", ("clerk", "system"), ("not held",)),
    Transition("part_returned", "release", "part_returned", ("clerk",), ("held",)),
    Transition("signed", "settle", "settled", ("clerk",), ("no part to come", "not held", "amount agrees", "no twin")),
    Transition("part_returned", "settle", "settled", ("clerk",), ("not held", "amount agrees", "no twin")),
    Transition("settled", "batch", "settled", ("clerk",), ("in no payment",)),
    Transition("settled", "pay", "paid", ("clerk",), ("in a payment",)),
    Transition("paid", "confirm", "confirmed", ("dealer",)),
)

EVENTS: Final[tuple[Event, ...]] = tuple(dict.fromkeys(each.event for each in TRANSITIONS))
STATES: Final[tuple[State, ...]] = tuple(
    dict.fromkeys([FIRST, *(state for each in TRANSITIONS for state in (each.state, each.goal))])
)
ENDS: Final[tuple[State, ...]] = tuple(state for state in STATES if all(each.state != state for each in TRANSITIONS))
"""States that nothing leads out of."""
CHANGEABLE: Final[tuple[State, ...]] = ("opened", "sent_back")
"""In these the dealer may write the ticket anew, by an import."""


def rows_of(state: State, event: Event) -> tuple[Transition, ...]:
    """The rows of a state and an event; none where it cannot happen."""
    return _ROWS.get((state, event), ())


_ROWS: Final[dict[tuple[State, Event], tuple[Transition, ...]]] = {
    (each.state, each.event): tuple(row for row in TRANSITIONS if (row.state, row.event) == (each.state, each.event))
    for each in TRANSITIONS
}
