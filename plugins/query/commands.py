"""`crm query` and `crm tables`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.nearest import did_you_mean
from crm.output import current, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="query")
@click.argument("sql")
@table_output()
@pass_app
def command(app: App, sql: str) -> "pl.LazyFrame":
    """Query the workspace's tables with SQL.

    SQL is a SELECT in the dialect of Polars; `crm tables` lists tables and columns. Personal columns are masked before the
    query sees them, unless --unmask is given.

    \b
    Examples:
      crm query 'select status, count(*) as hits from hits group by status order by hits desc'
      crm query 'select page, sum(views) as views from pages group by page' -f csv
      echo 'select * from sessions limit 5' | crm query - -f ndjson
    """
    import polars as pl

    from crm import masks
    from crm.output import personal_columns

    text = click.get_text_stream("stdin").read() if sql == "-" else sql
    workspace = app.workspace()
    personal = {} if current().unmask else personal_columns(app.tables.values())
    context = pl.SQLContext()
    for name in app.tables:
        context.register(name, masks.apply(workspace.scan(name), personal))
    try:
        frame = context.execute(text, eager=False)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise UsageError(f"the query cannot be run: {str(error).splitlines()[0]}; `crm tables` lists the tables") from error
    return frame


@click.command(name="tables")
@click.argument("table", required=False)
@table_output()
@pass_app
def tables(app: App, table: str | None) -> "pl.DataFrame":
    """List the tables of the workspace, or the columns of one.

    \b
    Examples:
      crm tables
      crm tables hits
    """
    import polars as pl

    if table is None:
        rows = [(t.name, t.owner, t.store, t.help) for t in app.tables.values()]
        return pl.DataFrame(rows, schema=dict.fromkeys(("table", "owner", "store", "help"), pl.String), orient="row")
    if table not in app.tables:
        raise UsageError(f"there is no table {table}{did_you_mean(table, app.tables)}")
    columns = [(c.name, c.type, c.unit or None, c.mask, c.help) for c in app.tables[table].columns]
    return pl.DataFrame(columns, schema=dict.fromkeys(("column", "type", "unit", "mask", "help"), pl.String), orient="row")
