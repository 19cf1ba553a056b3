"""Options of several commands about interests: as of which date, and at which level."""

from datetime import date
from typing import Any

import click

from crm.interest.contracts import KINDS

LEVELS = ("1", "2", "3", "item", "tag")
"""The levels of keys."""

_WORDS = {
    "view": ("view", "views"),
    "dwell": ("min", "min"),
    "search": ("search", "searches"),
    "cart": ("cart", "carts"),
    "order": ("order", "orders"),
    "opened": ("message opened", "messages opened"),
    "clicked": ("message clicked", "messages clicked"),
    "converted": ("message converted", "messages converted"),
    "dismissed": ("message dismissed", "messages dismissed"),
}
assert tuple(_WORDS) == KINDS


class DateType(click.ParamType[date]):
    """A date, `2026-03-15`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read it; what is none is a usage error."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is no date; write one such as 2026-03-15.", param, ctx)


as_of_option = click.option(
    "--as-of",
    type=DateType(),
    metavar="DATE",
    help="Ages count to this date (UTC), and nothing later counts.  [default: that of the newest event of anybody]",
)

level_option = click.option(
    "--level", type=click.Choice(LEVELS), help="Keys of this level: of categories 1, 2 or 3, of items, or tags."
)


def many(count: float, kind: str) -> str:
    """So many events of a kind in words: `1 cart`, `2.5 min`."""
    number = f"{count:,.0f}" if (kind == "dwell" and count >= 1) or count == round(count) else f"{count:,.1f}"
    return f"{number} {_WORDS[kind][count != 1]}"
