"""`crm paths top`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered
from crm.options import with_robots
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="top")
@with_robots
@filtered
@table_output()
@pass_app
def command(app: App, with_robots: bool) -> "pl.LazyFrame":
    """List the most frequent paths of sessions.

    A path is the pages of all views of a session in order; `share` is its share of all sessions: those that began
    between --since and --until, and for which --where is true.
    Sessions of robots by behaviour are left out, unless --with-robots takes them in.

    \b
    Examples:
      crm paths top -n 10
      crm paths top --with-robots -f ndjson
      crm paths top --since yesterday --where 'views > 1' -f ndjson
    """
    import polars as pl

    from plugins.paths import mining

    sessions = app.workspace().scan("sessions")
    people = sessions if with_robots else sessions.filter(pl.col("bot").is_null())
    return mining.top_paths(current_filters().rows(app, people, "start"))
