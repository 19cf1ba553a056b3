"""Commands: they turn arguments into calls and results into tables."""

from typing import TYPE_CHECKING

import click

from crm import App, pass_app, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="list")
@table_output(columns="section sessions views")
@pass_app
def list_sections(app: App) -> "pl.LazyFrame":
    """List the sections by their sessions.

    The busiest section comes first; the days of the workspace are added up.

    \b
    Examples:
      crm sections list -n 10
    """
    import polars as pl

    visits = app.workspace().scan("section_visits")
    totals = visits.group_by("section").agg(pl.col("sessions").sum(), pl.col("views").sum())
    return totals.sort(["sessions", "section"], descending=[True, False])
