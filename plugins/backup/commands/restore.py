"""`crm backup restore`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import CONFIG_NAME, App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

    from plugins.backup.restoring import Settings


@click.command(name="restore")
@click.argument("backup", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="The workspace that is made.",
)
@click.option(
    "--forgotten",
    metavar="WORKSPACE|BACKUP",
    type=click.Path(path_type=Path),
    help="Who lists the people who were forgotten since.  [default: the workspace that -w names, if it is there]",
)
@table_output(columns="table store rows erased")
@pass_app
def command(app: App, backup: Path, target: Path, forgotten: Path | None) -> "pl.DataFrame":
    """Bring a backup back, and prove that it is what was backed up.

    The workspace is made in a new or empty FOLDER. The sums of all files are taken anew, and the counts and contents of
    all tables compared with what the backup says of itself. Then people who were forgotten are erased again: those
    listed in the backup, and those listed since. One row a table: its rows, and how many were erased again.

    Records go to the FOLDER; with `crm -c FILE`, to the empty PostgreSQL database that this configuration names, and
    FILE becomes the configuration of the workspace.

    \b
    Examples:
      crm backup restore /mnt/backup/crm-1f0c9a3e-20260302T021500.042Z.tar \\
          --to /srv/crm-restored
      crm -c team.yaml backup restore crm-1f0c9a3e-20260302T021500.042Z.tar \\
          --to /srv/crm --forgotten /srv/crm-old
    """
    import polars as pl

    from plugins.backup.restoring import Witness, restore

    require(app, "restore")
    there = app.workspace_path if (app.workspace_path / "version").exists() else None
    witness = Witness(forgotten or there, forgotten is not None)
    with app.working("restoring"):
        done = restore(backup, target, app.tables, _settings(app), witness, app.warn)
    app.note(f"restored to {target}, as it was {done.manifest.created}: all sums, counts and contents are the same")
    if not done.newer:
        app.note("who was forgotten since the backup was made is not known here; --forgotten names who knows")
    if done.encrypts and not done.manifest.field_key:
        app.note("the key of encrypted values was not in the backup: put it back where it was")
    names = sorted(done.tables)
    rows = [(name, done.tables[name].store, done.tables[name].rows, done.erased.get(name, 0)) for name in names]
    schema = {"table": pl.String, "store": pl.String, "rows": pl.Int64, "erased": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _settings(app: App) -> "Settings | None":
    """What the user's `-c` says; None without it."""
    from crm.lake_config import LakeConfig
    from crm.protection import ProtectionConfig, RecordsConfig
    from plugins.backup.restoring import Settings

    file = app.config_file
    if file is None or file == app.workspace_path / CONFIG_NAME:
        return None
    records, protection = app.config.get("records", RecordsConfig), app.config.get("protection", ProtectionConfig)
    return Settings(file, records, protection, app.config.get("lake", LakeConfig))
