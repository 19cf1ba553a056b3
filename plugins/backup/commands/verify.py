"""`crm backup verify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="verify")
@click.argument("backup", type=_FILE)
@click.option(
    "--against-workspace", is_flag=True, help="Also say how many rows the workspace has now, and which tables differ."
)
@table_output(columns="table store rows rows_now now")
@pass_app
def command(app: App, backup: Path, against_workspace: bool) -> "pl.DataFrame":
    """See whether a backup is whole.

    It is read from its beginning to its end: the sum of every file is taken anew, and every table is opened and
    counted. One row a table. Exit code 4 if anything is not as it was written.

    \b
    Examples:
      crm backup verify /mnt/backup/crm-1f0c9a3e-20260302T021500.042Z.tar
      crm backup verify /mnt/backup/crm-1f0c9a3e-20260302T021500.042Z.tar \\
          --against-workspace
    """
    import polars as pl

    from plugins.backup.checking import check, workspace_contents

    with app.working("verifying"):
        checked = check(backup, app.tables)
        now = workspace_contents(app.workspace()) if against_workspace else {}
    manifest = checked.manifest
    app.note(f"whole: made {manifest.created} by version {manifest.program}, {len(manifest.files):,} files")
    rows = []
    for name, table in sorted(manifest.tables.items()):
        then = now.get(name)
        state = None if then is None else ("same" if then == table else "differs")
        rows.append((name, table.store, table.rows, then.rows if then else None, state))
    schema = {"table": pl.String, "store": pl.String, "rows": pl.Int64, "rows_now": pl.Int64, "now": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame if against_workspace else frame.drop("rows_now", "now")
