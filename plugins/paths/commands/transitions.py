"""`crm paths transitions`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="transitions")
@table_output()
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List the steps from page to page with their probability.

    `probability` is the share of the views of `page` that `next` followed in the same session; what is
    missing to 1 left the site.

    \b
    Examples:
      crm paths transitions -n 20
      crm paths transitions -f csv > transitions.csv
    """
    from plugins.paths import mining

    workspace = app.workspace()
    return mining.transition_report(workspace.scan("transitions"), workspace.scan("pages"))
