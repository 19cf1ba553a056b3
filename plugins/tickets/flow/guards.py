"""The conditions of the work flow by name: each tells why it does not hold, or None."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from plugins.tickets.flow.case import Asked, Case

if TYPE_CHECKING:
    from plugins.tickets.config import TicketsConfig

Guard: TypeAlias = "Callable[[Case, Asked], str | None]"

SKILLS: Final = "|"
"""Stands between the skills of a seat."""


def needs_part(case: Case) -> bool:
    """Whether the repair takes a part."""
    return bool(case.ticket["part"])


def goes_back(case: Case) -> bool:
    """Whether the defective part must come back to the centre."""
    return needs_part(case) and case.part.get("returned") is not False


def quantity_of(case: Case) -> float:
    """How many of its part the repair takes: 1 where nobody has said."""
    return float(case.ticket["quantity"] or 1.0)


def levels_of(case: Case) -> int:
    """How many levels of review the amount takes: 1, and 1 more for each bound of the configuration that it reaches."""
    return levels_for(case.ticket["amount"], case.config)


def levels_for(amount: float | None, config: "TicketsConfig") -> int:
    """How many levels of review an amount takes."""
    return 1 + sum(1 for bound in config.levels if (amount or 0.0) >= bound)


def expected_amount(case: Case) -> tuple[float, str]:
    """What a repair should cost, and how that is made: standard hours times the dealer's rate, and parts.

    Where hours or rate are not known, the dealer's own sum for work stands in their place.
    """
    parts = float(case.ticket["parts_cost"] or 0.0)
    hours, rate = case.labour.get("hours"), case.dealer.get("rate")
    if hours is None or rate is None:
        work = float(case.ticket["labour_cost"] or 0.0)
        return work + parts, f"work {work:,.2f} + parts {parts:,.2f}"
    return hours * rate + parts, f"{hours:g} h x {rate:,.2f} + parts {parts:,.2f}"


def knows(seat: Mapping[str, Any], category: str | None) -> bool:
    """Whether a seat knows a part category; one without skills knows all."""
    return not seat["skills"] or not category or category in seat["skills"].split(SKILLS)


def seat_takes(seat: Mapping[str, Any], level: int, category: str | None, most: int) -> str | None:
    """Why a seat cannot take a ticket; None if it can.

    Args:
        seat: Its row, with `open`, the number of tickets that it has.
        level: The level of review.
        category: Category of the part.
        most: How many tickets it may have.
    """
    if seat["state"] != "online":
        return f"the seat {seat['seat']} is offline"
    if (seat["level"] or 1) < level:
        return f"the seat {seat['seat']} reviews up to level {seat['level'] or 1}, and this is level {level}"
    if not knows(seat, category):
        return f"the seat {seat['seat']} does not know {category}"
    return f"the seat {seat['seat']} has {seat['open']} tickets already" if seat["open"] >= most else None


def _unless(holds: bool, reason: str) -> str | None:
    return None if holds else reason


def _waits(case: Case, _asked: Asked) -> str | None:
    return _unless(case.standing.seat is None, f"the seat {case.standing.seat} has it")


def _seat_fits(case: Case, asked: Asked) -> str | None:
    seat = case.seats.get(asked.seat or "")
    if seat is None:
        return f"there is no seat {asked.seat}"
    if asked.seat in case.standing.approvers:
        return f"the seat {asked.seat} has approved it at another level"
    return seat_takes(seat, case.standing.level or 1, case.ticket["part_category"], case.config.open_per_seat)


def _own_seat(case: Case, asked: Asked) -> str | None:
    if case.standing.seat is None:
        return "no seat has it yet"
    if asked.actor.seats is not None and case.standing.seat not in asked.actor.seats:
        return f"it is with the seat {case.standing.seat}, for which you may not act"
    return _unless(asked.seat == case.standing.seat, f"it is with the seat {case.standing.seat}")


def _another_looks(case: Case, asked: Asked) -> str | None:
    return _unless(asked.seat not in case.standing.approvers, f"the seat {asked.seat} has approved it at another level")


def _more_levels(case: Case, _asked: Asked) -> str | None:
    return _unless((case.standing.level or 1) < levels_of(case), "its amount needs no more levels of review")


def _last_level(case: Case, _asked: Asked) -> str | None:
    return _unless((case.standing.level or 1) >= levels_of(case), "its amount needs more levels of review")


def _needs_part(case: Case, _asked: Asked) -> str | None:
    return _unless(needs_part(case), "it needs no part")


def _needs_no_part(case: Case, _asked: Asked) -> str | None:
    return _unless(not needs_part(case), f"its part {case.ticket['part']} is not there yet")


def _dealer_has_stock(case: Case, _asked: Asked) -> str | None:
    there = case.stock.get(case.ticket["dealer"], 0.0)
    return _unless(there >= quantity_of(case), f"the dealer has {there:g} of the part {case.ticket['part']}")


def _source_has_stock(case: Case, asked: Asked) -> str | None:
    source = asked.data.get("origin")
    if source is None:
        return f"no source has {quantity_of(case):g} of the part {case.ticket['part']}"
    there = case.stock.get(source, 0.0)
    return _unless(there >= quantity_of(case), f"{source} has {there:g} of the part {case.ticket['part']}")


def _part_goes_back(case: Case, _asked: Asked) -> str | None:
    return _unless(goes_back(case), "no part goes back")


def _no_part_to_come(case: Case, _asked: Asked) -> str | None:
    return _unless(not goes_back(case), f"the defective part {case.ticket['part']} is not back")


def _held(case: Case, _asked: Asked) -> str | None:
    return _unless(case.standing.held is not None, "it is not held")


def _not_held(case: Case, _asked: Asked) -> str | None:
    return _unless(case.standing.held is None, f"it is held: {case.standing.held}")


def _amount_agrees(case: Case, _asked: Asked) -> str | None:
    amount, (expected, how) = float(case.ticket["amount"] or 0.0), expected_amount(case)
    near = abs(amount - expected) <= case.config.tolerance * max(abs(expected), 1.0) + 0.005
    return _unless(case.standing.released or near, f"the amount is {amount:,.2f}, and {how} makes {expected:,.2f}")


def _no_twin(case: Case, _asked: Asked) -> str | None:
    within = case.config.twin_within
    return _unless(
        case.standing.released or not case.twins,
        f"{', '.join(case.twins[:3])} is of the same vehicle and labour code, opened within {within} of it",
    )


def _in_payment(case: Case, asked: Asked) -> str | None:
    payment = case.standing.payment
    return _unless(payment is not None and payment == asked.data.get("payment"), "it is in no such payment")


def _in_no_payment(case: Case, _asked: Asked) -> str | None:
    return _unless(case.standing.payment is None, f"it is in the payment {case.standing.payment}")


GUARDS: Final[dict[str, Guard]] = {
    "waits": _waits,
    "seat fits": _seat_fits,
    "own seat": _own_seat,
    "another looks": _another_looks,
    "more levels": _more_levels,
    "last level": _last_level,
    "needs part": _needs_part,
    "needs no part": _needs_no_part,
    "dealer has stock": _dealer_has_stock,
    "source has stock": _source_has_stock,
    "part goes back": _part_goes_back,
    "no part to come": _no_part_to_come,
    "held": _held,
    "not held": _not_held,
    "amount agrees": _amount_agrees,
    "no twin": _no_twin,
    "in a payment": _in_payment,
    "in no payment": _in_no_payment,
}
"""The guards of `TRANSITIONS` by their names."""

MEANINGS: Final[dict[str, str]] = {
    "waits": "no seat has the ticket",
    "seat fits": "the seat is online, reviews this level, knows the part category, has room, and has not approved it",
    "own seat": "the seat that acts is the one that has the ticket, and the user may act for it",
    "another looks": "the seat has not approved the ticket at another level",
    "more levels": "the amount takes a higher level of review than this one",
    "last level": "the amount takes no higher level of review than this one",
    "needs part": "the ticket names a part",
    "needs no part": "the ticket names no part",
    "dealer has stock": "as many of the part as the repair takes lie at the dealer",
    "source has stock": "as many of the part as the repair takes lie where they are sent from",
    "part goes back": "the ticket names a part, and the part is not one that need not come back",
    "no part to come": "the ticket names no part, or one that need not come back",
    "held": "the ticket is held",
    "not held": "the ticket is not held",
    "amount agrees": "the amount is that of work and parts, within the tolerance, or the ticket was held and released",
    "no twin": "no other ticket of the vehicle and labour code was opened shortly before, or shortly after and is "
    "settled; or this one was released",
    "in a payment": "the ticket is in the payment that is paid",
    "in no payment": "the ticket is in no payment yet",
}
"""What the guards mean, for the documentation."""

CHECKS: Final = ("amount agrees", "no twin")
"""Where one of these stands in the way of settling, a person must look: the ticket is held."""
