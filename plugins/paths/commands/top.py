"""`crm paths top`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl


@click.command(name="top")
@from_sessions
@table_output(columns="path length sessions share")
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List the most frequent paths of sessions.

    A path is the pages of all views of a session in order; `share` is its share of all sessions.

    \b
    Examples:
      crm paths top -n 10
      crm paths top --with-robots -f ndjson
      crm paths top --since yesterday --where 'views > 1' -f ndjson
    """
    from plugins.paths import mining

    return mining.top_paths(current_source(app).corpus(capped=False).paths().to_frame().lazy())
