"""What commands about quality share: whose tickets are meant, and values of their options."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from crm.errors import NothingFound
from crm.nearest import did_you_mean, one_of
from plugins.tickets.quality.names import DIMENSIONS

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App


class Dimensions(click.ParamType[tuple[str, ...]]):
    """Dimensions, with commas between them."""

    name = "dimensions"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Read them; what is none is a usage error."""
        if isinstance(value, tuple):
            return value
        found = tuple(part.strip() for part in str(value).split(","))
        for at, name in enumerate(found):
            if name not in DIMENSIONS:
                known = one_of(DIMENSIONS)
                self.fail(f"`{name}` is no dimension{did_you_mean(name, DIMENSIONS)}; there are: {known}.", param, ctx)
            if name in found[:at]:
                self.fail(f"`{name}` is named twice.", param, ctx)
        return found


class Bands(click.ParamType[tuple[float, ...]]):
    """Rising amounts, with commas between them."""

    name = "bands"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Read them; what is none is a usage error."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if not found or not all(map(isfinite, found)) or any(low >= high for low, high in pairwise(found)):
            self.fail(f"write rising amounts, such as 500,1000,5000, not `{value}`.", param, ctx)
        return found


def none_found(app: "App | None") -> NothingFound:
    """The error where no ticket is found: of the workspace, or with None of a file."""
    if app is not None and not app.workspace().records.count("tickets"):
        return NothingFound("the workspace has no tickets; `crm tickets import FILE` brings some")
    return NothingFound("there is no such ticket; --since, --until or --where may be too narrow")


def current_tickets(app: "App", columns: Sequence[str], needed: Sequence[str], fallen: Sequence[str]) -> "pl.DataFrame":
    """The tickets that count, of the file that the user has named, else of the workspace.

    Args:
        app: The run of the program.
        columns: Which columns are needed.
        needed: Which of them a file may not lack.
        fallen: States of tickets that do not count.

    Raises:
        NothingFound: there is none.
    """
    from crm.filters import current_filters
    from crm.reading import current_file, current_table
    from plugins.tickets.quality.files import tickets_of
    from plugins.tickets.quality.source import stored, without

    filters = current_filters()
    if current_file() is not None:
        found = tickets_of(app, current_table(app), filters, columns, needed)
    else:
        found = stored(app, filters, columns)
    found = without(app, found, fallen)
    if not found.height:
        raise none_found(None if current_file() is not None else app)
    return found
