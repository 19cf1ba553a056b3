"""`crm push ack`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.completing import stored
from crm.output import current, impersonal, show, table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace


@click.command(name="ack")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=stored("outbox", "message"))
@table_output(columns="message state")
@pass_app
def command(app: App, ids: tuple[str, ...]) -> None:
    """Acknowledge that messages have been received.

    What is acknowledged is not sent again. To say it twice changes nothing; a message that has failed or expired stays
    so. An id that no message has ends this with exit code 6, when the others are stored.

    \b
    Examples:
      crm push ack 2q7fz5m3hbxwyd4c6kteaijvru
      crm push pull K0017 -f json | jq -r '.[].message' | xargs crm push ack
    """
    from crm.access import require
    from crm.errors import NothingFound
    from crm.messages import counted

    require(app, "send")
    workspace = app.workspace()
    wanted = list(dict.fromkeys(each.strip().lower() for each in ids))
    rows = _acknowledged(workspace, wanted)
    unknown = [each for each in wanted if each not in set(rows["message"])]
    impersonal()
    if rows.height:
        show(app, rows, current())
    if unknown:
        which = ", ".join(unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        raise NothingFound(
            f"no message has {'this id' if len(unknown) == 1 else 'these ids'}: {which}; "
            f"{counted(rows.height, 'other')} stored"
        )


def _acknowledged(workspace: "Workspace", ids: list[str]) -> "pl.DataFrame":
    """Store the receipts, and the states that the messages are in then: `message`, `state`, in the order of ids."""
    from datetime import UTC, datetime

    import polars as pl

    from crm.audit import append
    from crm.outbox import acknowledge

    records = workspace.records
    table = records.table("outbox")
    with records.begin() as connection:
        count = acknowledge(connection, table, ids, datetime.now(UTC))
        if count:
            append(connection, records.table("audit"), "acknowledge", "messages", count)
        where = table.c.message.in_(ids)
        rows = records.frame("outbox", columns=["message", "state"], where=where, connection=connection)
    return pl.DataFrame({"message": ids}, {"message": pl.String}).join(rows, on="message", maintain_order="left")
