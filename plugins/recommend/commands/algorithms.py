"""`crm recommend algorithms`."""

import json
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="algorithms")
@table_output(columns="algorithm about parameters")
@pass_app
def command(app: App) -> "pl.DataFrame":
    """List the recommenders, with what `evaluate --tune` tries.

    One row an algorithm. `parameters` says for each parameter which values are tried, as JSON; parameters that are not
    listed have a value that fits most data. Plugins may add algorithms.

    \b
    Examples:
      crm recommend algorithms
      crm recommend algorithms --columns algorithm,parameters -f json
    """
    import polars as pl

    impersonal()
    rows = [
        (name, each.help, json.dumps({key: list(values) for key, values in each.parameters.items()}, default=str))
        for name, each in app.host.recommenders().items()
    ]
    return pl.DataFrame(rows, {"algorithm": pl.String, "about": pl.String, "parameters": pl.String}, orient="row")
