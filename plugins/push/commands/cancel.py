"""`crm push cancel`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.completing import stored
from crm.errors import UsageError
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="cancel")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=stored("outbox", "message"))
@click.option("--campaign", metavar="NAME", help="All messages of this campaign.")
@table_output(columns="state messages")
@pass_app
def command(app: App, ids: tuple[str, ...], campaign: str | None) -> "pl.DataFrame":
    """Call messages back that are still queued.

    They have expired then, and are never sent. What is on its way, or has gone out, stays as it is. The table counts
    the messages meant by the states that they are in afterwards.

    \b
    Examples:
      crm push cancel --campaign spring
      crm push cancel 2q7fz5m3hbxwyd4c6kteaijvru
    """
    import polars as pl
    import sqlalchemy as sa

    from crm.access import require
    from crm.audit import append
    from crm.errors import NothingFound
    from crm.messages import counted
    from crm.outbox import OUTBOX, move

    if bool(ids) == bool(campaign):
        raise UsageError("name messages by their ids, or all of a campaign by --campaign")
    require(app, "send")
    records = app.workspace().records
    table = records.table(OUTBOX.name)
    meant = table.c.message.in_(list(ids)) if ids else table.c.campaign == campaign
    with records.begin() as connection:
        count = move(connection, table, "expire", sa.and_(meant, table.c.state == "queued"), error="called back")
        if count:
            append(connection, records.table("audit"), "cancel", "messages", count)
        states = records.frame(OUTBOX.name, columns=["state"], where=meant, connection=connection)
    if not states.height:
        raise NothingFound("no such message is in the outbox: crm push outbox --summary")
    app.note(f"{counted(count, 'message')} called back")
    impersonal()
    return states.group_by("state").agg(pl.len().cast(pl.Int64).alias("messages")).sort("state")
