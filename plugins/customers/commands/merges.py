"""`crm customers merges` and `crm customers unmerge`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="merges")
@click.option("--all", "every", is_flag=True, help="Also merges that were taken back.")
@table_output(columns="merge ts customer merged probability origins undone")
@pass_app
def command(app: App, every: bool) -> "pl.DataFrame":
    """List which records were put together.

    One row a record that was put to another: the customer that stayed, the id of the record, how likely they are of one
    person (nothing where a person has decided it), and from which record each value is. The newest come first.

    \b
    Examples:
      crm customers merges
      crm customers merges --all -f csv --unmask
    """
    import polars as pl

    rows = app.workspace().records.frame("merges").sort("merge", descending=True).drop("record")
    return rows if every else rows.filter(pl.col("undone").is_null()).drop("undone")


@click.command(name="unmerge")
@click.argument("merges", metavar="MERGE...", type=click.IntRange(min=1), nargs=-1, required=True)
@pass_app
def unmerge(app: App, merges: tuple[int, ...]) -> None:
    """Take merges of records back.

    MERGE is the number that `crm customers merges` lists. The record that was put to a customer is there again as it
    was, and the customer is without the values that came from it, unless they have been changed since.

    \b
    Examples:
      crm customers unmerge 12
    """
    from crm.access import require
    from crm.audit import append
    from crm.messages import counted
    from plugins.customers.merges import undo

    require(app, "merge")
    workspace = app.workspace()
    for number in sorted(set(merges), reverse=True):  # the newest first, as an older one may hang on it
        with workspace.records.begin() as connection:
            undo(workspace, connection, number)
            append(connection, workspace.records.table("audit"), "unmerge", f"merge {number}", 2)
    app.note(f"{counted(len(set(merges)), 'merge')} taken back; the records that were put together are apart again")
