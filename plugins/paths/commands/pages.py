"""`crm paths pages`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="pages")
@filtered
@table_output()
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List pages with views, sessions, entries, exits and time on page.

    A view is a page that was answered with 2xx or 304 to no robot. `exit_rate` is exits / views,
    `bounce_rate` the share of sessions beginning here that viewed nothing else, `dwell_s` the mean time to
    the next view of the session in seconds. --since and --until are about when sessions began; --where takes rows
    of the table `pages`, which are sums by date.

    \b
    Examples:
      crm paths pages -n 20
      crm paths pages --since 7d -o pages.csv
      crm paths pages --where "page like '/item/%'"
    """
    from plugins.paths import mining, rows

    filters = current_filters()
    pages = rows.between(app.workspace(), "pages", filters)
    return mining.page_report(filters.matching(app, pages))
