"""The rows of the tables that the commands read, of the span that the user wants."""

from typing import TYPE_CHECKING

import polars as pl

from plugins.paths import mining

if TYPE_CHECKING:
    from crm.filters import Filters
    from crm.workspace import Workspace


def between(workspace: "Workspace", name: str, filters: "Filters") -> pl.LazyFrame:
    """The table `pages` or `transitions` of the sessions that began in a span.

    The tables are sums by date (UTC). Where the span does not consist of such dates, they are made anew from the
    sessions themselves.
    """
    if filters.whole_days:
        return filters.between(workspace.scan(name), "date")
    sessions = workspace.scan("sessions").filter(pl.col("bot").is_null())
    viewed = mining.views(filters.between(sessions, "start"))
    found = mining.pages(viewed) if name == "pages" else mining.transitions(viewed)
    return found.cast({pl.Categorical: pl.String})
