"""`crm paths pages`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl


@click.command(name="pages")
@from_sessions
@table_output(columns="page views sessions entries exits exit_rate bounce_rate dwell_s")
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List pages with views, sessions, entries, exits and time on page.

    A view is a page that was answered with 2xx or 304 to no robot. `exit_rate` is exits / views,
    `bounce_rate` the share of sessions beginning here that viewed nothing else, `dwell_s` the mean time to
    the next view of the session in seconds; `crm paths times --of pages` has its median.

    \b
    Examples:
      crm paths pages -n 20
      crm paths pages --since 7d -o pages.csv
      crm paths pages --where "entry like '/sale/%' and views > 1"
    """
    from plugins.paths import mining, rows

    pages, _ = rows.pages_and_transitions(current_source(app))
    return mining.page_report(pages)
