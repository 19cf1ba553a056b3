"""Commands of the group `workspace`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace


@click.command(name="info")
@table_output(columns="table store rows bytes version run")
@pass_app
def info(app: App) -> "pl.DataFrame":
    """Show what the workspace holds.

    One row a table: how many rows it has, its size (lake tables), the version of the Delta table, and
    the last run that wrote it.

    \b
    Examples:
      crm workspace info
      crm workspace info -f json
    """
    import polars as pl

    workspace = app.workspace()
    app.note(f"workspace {workspace.path.resolve()}, version {workspace.version}")
    if workspace.records.shared:
        app.note(f"records in {workspace.records.place}")
    if workspace.lake_place.shared:
        app.note(f"lake in {workspace.lake_place.name}")
    rows = [(name, table.store, *_figures(workspace, name)) for name, table in app.tables.items()]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "table": pl.String,
        "store": pl.String,
        "rows": pl.Int64,
        "bytes": pl.Int64,
        "version": pl.Int64,
        "run": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _figures(workspace: "Workspace", name: str) -> tuple[int, int | None, int | None, int | None]:
    """Rows, bytes, version and run of a table; the last three of the lake's tables only."""
    if workspace.tables[name].store == "records":
        return workspace.records_of(name).count(name), None, None, None
    delta, files = workspace.lake.open(name), workspace.lake.files(name)
    version = delta.version() if delta else None
    size, run = int(files["size"].sum()), workspace.lake.transaction(name) or None
    return int(files["rows"].sum()), size, version, run
