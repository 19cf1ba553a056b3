"""`crm paths flows`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl


@click.command(name="flows")
@from_sessions
@table_output(columns="entry exit sessions share")
@pass_app
def command(app: App) -> "pl.DataFrame":
    """List on which pages sessions begin and end.

    One row for each page where sessions begin and page where they end; `share` is that of all sessions.

    \b
    Examples:
      crm paths flows -n 10
      crm paths flows --by category --since 7d
    """
    from plugins.paths import mining

    return mining.flows(current_source(app).corpus(capped=False))
