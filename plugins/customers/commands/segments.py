"""`crm customers segments`."""

from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.messages import counted
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="segments")
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="Remove this segment; may be repeated.")
@table_output(columns="segment members customers visitors")
@pass_app
def command(app: App, removed: tuple[str, ...]) -> "pl.DataFrame":
    """List segments, or remove some.

    One row a segment, whichever command has made it: how many members it has, how many of them are customers by a name
    or id, and how many are visitors of the web site who never said who they are.

    \b
    Examples:
      crm customers segments
      crm customers segments --remove young --remove big_spenders
    """
    import polars as pl

    from crm import segments

    workspace = app.workspace()
    if removed:
        require(app, "analyse")
        for name in removed:
            segments.members(workspace, name)
        segments.replace(workspace, [(name, ()) for name in removed])
        app.note(f"{counted(len(set(removed)), 'segment')} removed")
    visitor = pl.col("who").str.starts_with(segments.VISITOR)
    return (
        workspace.scan(segments.SEGMENT_MEMBERS.name)
        .group_by("segment")
        .agg(
            pl.len().cast(pl.Int64).alias("members"),
            (~visitor).sum().cast(pl.Int64).alias("customers"),
            visitor.sum().cast(pl.Int64).alias("visitors"),
        )
        .sort("segment")
        .collect()
    )
