"""`crm query` and `crm tables`."""

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

import click

from crm import sql as sql_text
from crm import stdin
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.nearest import did_you_mean, no_column
from crm.output import current, impersonal, personal_columns, show, table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.tables import Table

_WRITES: Final = frozenset(("alter", "create", "delete", "drop", "insert", "merge", "replace", "truncate", "update"))
"""Polars obeys some of these on its own copy of a table, which looks as if they had worked."""

_COMPARING: Final = frozenset(("distinct", "group", "having", "join", "partition", "where"))
"""Words of a query that tells values apart, which masks may have made alike."""

_NO_TABLE: Final = re.compile(r"relation '([^']*)' was not found")
_NO_COLUMN: Final = re.compile(r'unable to find column "([^"]*)"; valid columns: \[(.*)\]')
_NOT_IN_TABLE: Final = re.compile(r"no column named '([^']*)' found in table '([^']*)'")


@click.command(name="query")
@click.argument("sql")
@table_output()
@pass_app
def command(app: App, sql: str) -> None:
    """Query the workspace's tables with SQL.

    SQL is a SELECT in the dialect of Polars, or - to read it from standard input; `crm tables` lists tables
    and columns. Personal columns are masked before the query sees them, unless --unmask is given.

    \b
    Examples:
      crm query \\
          'select status, count(*) as n from hits group by status order by n desc'
      crm query 'select page, sum(views) as views from pages group by page' -f csv
      echo 'select * from sessions limit 5' | crm query - -f ndjson
    """
    import polars as pl

    text = stdin.given().read() if sql == "-" else sql
    words = sql_text.bare(text).split(maxsplit=1)
    if not words:
        raise UsageError("the query is empty")
    if sql_text.reads_files(text):
        raise UsageError("the query cannot be run: it reads the workspace's tables, and no files")
    if words[0].lower() in _WRITES:
        raise UsageError(f"the query cannot be run: {words[0].upper()} would change a table, and queries only read")
    try:
        show(app, _planned(app, text), current(), masked=True)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise UsageError(f"the query cannot be run: {_reason(error, app.tables)}") from error


def _planned(app: App, text: str) -> "pl.LazyFrame":
    """A query over the masked tables; only those that it may mean are opened, as each takes its time."""
    import polars as pl

    from crm import masks
    from crm.audit import record

    workspace = app.workspace()
    said = set(re.findall(r"\w+", text.lower()))
    opened = [table for name, table in app.tables.items() if name.lower() in said or "show" in said]
    personal = personal_columns(opened)
    if current().unmask and personal:
        record(app, "unmask", f"crm query: {', '.join(personal)} of {', '.join(table.name for table in opened)}", None)
    elif said & set(personal) and said & _COMPARING:
        app.note("personal columns are masked before the query sees them, so values that look alike count as one")
    shown = {} if current().unmask else personal
    frames = {table.name: masks.apply(workspace.scan(table.name), shown) for table in opened}
    return pl.SQLContext(frames, eager=False).execute(text)


def _reason(error: Exception, tables: "Mapping[str, Table]") -> str:
    """What is wrong and what helps, in one sentence without a full stop."""
    reason = sql_text.reason(error)
    if missing := _NO_COLUMN.search(reason):
        return no_column(missing[1], re.findall(r'"([^"]*)"', missing[2]))
    missing = _NOT_IN_TABLE.search(reason)
    if missing and missing[2] in tables:
        return no_column(missing[1], [column.name for column in tables[missing[2]].columns])
    if missing := _NO_TABLE.search(reason):
        return _no_table(missing[1], tables)
    reason = reason if " " in reason else f"{type(error).__name__} {reason}"
    return f"{reason}; `crm tables` lists the tables"


def _no_table(name: str, tables: Collection[str]) -> str:
    """What is said of a table that is not there."""
    return f"there is no table `{name}`{did_you_mean(name, tables)}; `crm tables` lists the tables"


@click.command(name="tables")
@click.argument("table", required=False)
@table_output(columns="table owner store help column type unit mask")
@pass_app
def tables(app: App, table: str | None) -> "pl.DataFrame":
    """List the tables of the workspace, or the columns of one.

    \b
    Examples:
      crm tables
      crm tables hits
    """
    import polars as pl

    impersonal()
    if table is None:
        rows = [(t.name, t.owner, t.store, t.help) for t in app.tables.values()]
        return pl.DataFrame(rows, _texts("table", "owner", "store", "help"), orient="row")
    if table not in app.tables:
        raise UsageError(_no_table(table, app.tables))
    columns = [(c.name, c.type, c.unit or None, c.mask, c.help) for c in app.tables[table].columns]
    return pl.DataFrame(columns, _texts("column", "type", "unit", "mask", "help"), orient="row")


def _texts(*names: str) -> "dict[str, pl.DataType | type[pl.DataType]]":
    import polars as pl

    return dict.fromkeys(names, pl.String)
