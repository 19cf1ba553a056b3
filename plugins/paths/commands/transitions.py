"""`crm paths transitions`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="transitions")
@filtered
@table_output()
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List the steps from page to page with their probability.

    `probability` is the share of the views of `page` that `next` followed in the same session; what is
    missing to 1 left the site. --since and --until are about when sessions began; --where takes rows of the table
    `transitions`, which are sums by date, and leaves the views of `page` as they are.

    \b
    Examples:
      crm paths transitions -n 20
      crm paths transitions --since 2026-03-01 --until 2026-03-31 -f csv > march.csv
      crm paths transitions --where "page = '/cart'"
    """
    from plugins.paths import mining, rows

    workspace, filters = app.workspace(), current_filters()
    steps, pages = (rows.between(workspace, name, filters) for name in ("transitions", "pages"))
    return mining.transition_report(filters.matching(app, steps), pages)
