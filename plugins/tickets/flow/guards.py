"""The conditions of the work flow by name: each tells why it does not hold, or None."""

from collections.abc import Callable
from typing import Final, TypeAlias

from plugins.tickets.flow.case import Asked, Case

Guard: TypeAlias = "Callable[[Case, Asked], str | None]"


def needs_part(case: Case) -> bool:
    """Whether the repair takes a part."""
    return bool(case.ticket["part"])


def goes_back(case: Case) -> bool:
    """Whether the defective part must come back to the centre."""
    return needs_part(case) and case.part.get("returned") is not False


def levels_of(case: Case) -> int:
    """How many levels of review the amount takes: 1, and 1 more for each bound of the configuration that it reaches."""
    amount = case.ticket["amount"] or 0.0
    return 1 + sum(1 for bound in case.config.levels if amount >= bound)


def _unless(holds: bool, reason: str) -> str | None:
    return None if holds else reason


GUARDS: Final[dict[str, Guard]] = {}
"""The guards of `TRANSITIONS` by their names."""
