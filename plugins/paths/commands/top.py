"""`crm paths top`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="top")
@table_output()
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List the most frequent paths of sessions.

    A path is the pages of all views of a session in order; `share` is its share of all sessions.

    \b
    Examples:
      crm paths top -n 10
      crm paths top -f ndjson
    """
    from plugins.paths import mining

    workspace = app.workspace()
    return mining.top_paths(workspace.scan("sessions"))
