"""Tickets as lists show them: what the dealer has written, and where they are."""

from typing import TYPE_CHECKING, Final

from plugins.tickets import contracts
from plugins.tickets.flow.table import FIRST

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App

STANDING: Final = ("state", "level", "seat", "held", "released", "payment", "changed")


def with_standing(app: "App", segment: str | None, *, extras: bool) -> "pl.LazyFrame":
    """The tickets that the running command's filters leave, each with its standing.

    Args:
        app: The run of the program.
        segment: Only those of customers of this segment.
        extras: Whether columns that no field is for are wanted.
    """
    import polars as pl

    from crm.exporting import filtered_rows, stored_rows

    rows = stored_rows(app, contracts.TICKETS.name, segment, extras=extras)
    states = app.workspace().records.frame(contracts.STATES.name, columns=["ticket", *STANDING])
    behind = [each.name for each in contracts.TICKETS.columns if each.name in ("original", "source")]
    names = rows.collect_schema().names()
    front = [each.name for each in contracts.TICKETS.columns if each.name in names and each.name not in behind]
    joined = rows.join(states.lazy(), on="ticket", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("state").fill_null(FIRST))
    rest = [name for name in names if name not in front]
    return filtered_rows(app, joined.select(*front, *STANDING, *rest))
