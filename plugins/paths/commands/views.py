"""`crm paths views`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl


@click.command(name="views")
@from_sessions
@table_output(columns="session visitor n page ts inferred")
@pass_app
def command(app: App) -> "pl.DataFrame":
    """List the views of sessions in order, logged or inferred.

    One row a view, session by session in the order of their start; `n` counts the views of a session from 1.
    `inferred` is empty for a view that was logged. With --complete there are also views that only referrers show:
    `back` when the user went back to a page, or through it, and `cached` when a page was viewed in another tab or out
    of a cache. Such a view has the time of the view that shows it. Other commands read the table by --input.

    \b
    Examples:
      crm paths views --since 2026-03-02 -n 50
      crm paths views --complete --where "customer is not null" -f ndjson
      crm paths views --complete -f csv | crm paths patterns --input -
    """
    from plugins.paths.viewing import listed

    found = current_source(app).paths(capped=False)
    return listed(found.sessions, found.corpus)
