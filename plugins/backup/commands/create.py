"""`crm backup create`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

    from plugins.backup.snapshot import Made


@click.command(name="create")
@click.argument("targets", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Delete all but the newest N backups of this workspace in each folder, once this one is there.",
)
@click.option(
    "--with-field-key",
    is_flag=True,
    help="Put the key of encrypted values in; without it they are of no use to whoever finds the backup.",
)
@table_output(columns="backup bytes tables rows sha256")
@pass_app
def command(app: App, targets: tuple[Path, ...], keep: int | None, with_field_key: bool) -> "pl.DataFrame":
    """Back up the workspace.

    Each FOLDER gets the same file, crm-MARK-TIME.tar, with the records and the lake as they are at one moment, the
    configuration, and the key by which visitors are named; MARK is the workspace's. Records in PostgreSQL are copied,
    too. The file appears whole or not at all, with the sum of each file and the counts of each table in it. Nobody can
    mine meanwhile; reading goes on.

    \b
    Examples:
      crm backup create /mnt/backup --keep 14
      crm backup create /mnt/backup /mnt/usb --with-field-key
    """
    from crm.audit import record
    from plugins.backup.snapshot import create

    require(app, "backup")
    workspace = app.workspace()
    with workspace.lock(), app.working("backing up"):
        record(app, "backup", "all tables", None)
        made = create(workspace, list(targets), app.config_file, with_field_key=with_field_key, keep=keep)
    _tell(app, made, with_field_key=with_field_key, encrypted=workspace.cipher is not None)
    return _table(made, targets)


def _tell(app: App, made: "Made", *, with_field_key: bool, encrypted: bool) -> None:
    if encrypted:
        missing = "the key of encrypted values is not in it: keep a copy of that elsewhere"
        app.note("the key of encrypted values is in it: guard it well" if with_field_key else missing)
    for file in made.removed:
        app.note(f"deleted {file}")
    for file, reason in made.failed.items():
        app.warn(f"there is no backup in {file.parent}: {reason}")


def _table(made: "Made", targets: tuple[Path, ...]) -> "pl.DataFrame":
    import polars as pl

    from crm.errors import Unusable

    if made.failed:
        raise Unusable(f"{len(made.failed)} of {len(targets)} folders got no backup; the others have it")
    rows = sum(table.rows for table in made.manifest.tables.values())
    return pl.DataFrame(
        {
            "backup": [str(file) for file in made.files],
            "bytes": made.size,
            "tables": len(made.manifest.tables),
            "rows": rows,
            "sha256": made.sha256,
        }
    )
