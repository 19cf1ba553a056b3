"""`crm customers forgotten`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import NothingFound, Unusable
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace


@click.command(name="forgotten")
@click.option("--replay", is_flag=True, help="Erase again all who have come back, by a backup, say, or a log.")
@click.option(
    "--take",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Put those on the list whom an export of the table `forgotten` has; before a --replay.",
)
@click.option("--readmit", multiple=True, metavar="WHO", help="Take a person off the list; may be given several times.")
@table_output(columns="ts entry hashes tables")
@pass_app
def command(app: App, replay: bool, take: Path | None, readmit: tuple[str, ...]) -> "pl.DataFrame":
    """List who was forgotten, as keyed hashes, and see that they stay so.

    One row a person: when, the entry of the audit log that tells of it, by how many hashes the person is known, and
    from how many rows of which tables it was erased. After a backup was restored, --replay erases again those whom it
    has brought back; export the list with each backup, or it only knows those who were forgotten before it. --readmit
    lets imports take a person again, named by anything that it was known by; what was erased stays so.

    \b
    Examples:
      crm customers forgotten
      crm query 'select * from forgotten' -o forgotten.parquet
      crm customers forgotten --take forgotten.parquet --replay
      crm customers forgotten --readmit 138-0013-8000
    """
    import polars as pl

    from crm.access import require

    workspace = app.workspace()
    if replay or take or readmit:
        require(app, "forget")
    if readmit:
        _readmit(app, workspace, readmit)
    if take is not None:
        _take(app, workspace, take)
    if replay:
        _replay(app, workspace)
    rows = workspace.records.frame("forgotten")
    each = rows.group_by("entry").agg(pl.col("ts").first(), pl.len().alias("hashes"), pl.col("tables").first())
    return each.sort("entry").select("ts", "entry", "hashes", "tables")


def _readmit(app: App, workspace: "Workspace", who: tuple[str, ...]) -> None:
    from crm.forgotten import readmit

    people = readmit(workspace, who)
    if not people:
        raise NothingFound("nobody who was forgotten was known by this")
    app.note(f"taken off the list: {people:,} of those who were forgotten")


def _take(app: App, workspace: "Workspace", file: Path) -> None:
    import polars as pl

    from crm.forgotten import take
    from crm.messages import counted
    from crm.reading import TableFile, read_table

    rows = read_table(TableFile(file), app.host.readers()).frame
    try:
        new = take(workspace, rows)
    except pl.exceptions.PolarsError:
        raise Unusable(f"{file} is no export of the table `forgotten`") from None
    app.note(f"put on the list: {counted(new, 'more value')}, as hashes")


def _replay(app: App, workspace: "Workspace") -> None:
    from crm.forgetting import replay

    with workspace.lock():
        gone = replay(workspace)
    rows = ", ".join(f"{name} {count:,}" for name, count in sorted(gone.tables.items()))
    app.note(f"erased again: {rows}" if rows else "nobody has come back")
