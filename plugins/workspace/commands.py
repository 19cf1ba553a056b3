"""Commands of the group `workspace`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="info")
@table_output()
@pass_app
def info(app: App) -> "pl.DataFrame":
    """Show what the workspace holds.

    One row a table: how many rows it has, its size on disk (lake tables), the version of the Delta table, and the last run
    that wrote it.
    """
    import polars as pl

    workspace = app.workspace()
    app.note(f"workspace {workspace.path.resolve()}, version {workspace.version}")
    rows = []
    for name, table in app.tables.items():
        if table.store == "records":
            rows.append((name, table.store, workspace.records.count(name), None, None, None))
            continue
        delta, files = workspace.lake.open(name), workspace.lake.files(name)
        rows.append(
            (
                name,
                table.store,
                int(files["rows"].sum()),
                int(files["size"].sum()),
                delta.version() if delta else None,
                workspace.lake.transaction(name) or None,
            )
        )
    schema = {"table": pl.String, "store": pl.String, "rows": pl.Int64, "bytes": pl.Int64, "version": pl.Int64, "run": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
