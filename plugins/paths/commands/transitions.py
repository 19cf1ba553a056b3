"""`crm paths transitions`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl


@click.command(name="transitions")
@from_sessions
@table_output(columns="page next count sessions probability")
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List the steps from page to page with their probability.

    `probability` is the share of the views of `page` that `next` followed in the same session. A session begins in
    the state (entry) and ends in the state (exit), so the probabilities of what follows a page sum up to 1.

    \b
    Examples:
      crm paths transitions -n 20
      crm paths transitions --since 2026-03-01 --until 2026-03-31 -f csv \\
          > march.csv
      crm paths transitions --by category --complete
    """
    from plugins.paths import mining, rows

    pages, steps = rows.pages_and_transitions(current_source(app))
    return mining.transition_report(steps, pages)
