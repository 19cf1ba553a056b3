"""`crm push pull`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import current, table_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crm.delivery import Message
    from crm.workspace import Workspace


@click.command(name="pull")
@click.argument("who")
@click.option("--ack", "acknowledged", is_flag=True, help="Acknowledge them at once.")
@table_output(columns="message campaign queued subject text html try")
@pass_app
def command(app: App, who: str, acknowledged: bool) -> "pl.DataFrame":
    """Give a customer the messages that wait, each once.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. Messages of the channel pull
    that are due are stored as sent, then printed, in full: this is how they get to the customer. Acknowledge them by
    `crm push ack`: what is not acknowledged within 10 minutes (`push.acknowledge_within`) is given again, with the same
    id, so nothing is lost where the output was. --ack leaves that out: whatever happens to the output, nothing is
    given twice. --limit takes only so many messages; the others wait.

    \b
    Examples:
      crm push pull K0017
      crm push pull wang.fang -f ndjson --limit 10
      crm push pull 138-0013-8000 -f json --ack
    """
    from crm.access import require
    from crm.whose import all_ids, customer_of
    from plugins.push.pulling import pull

    require(app, "send")
    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        ids = all_ids(workspace, connection, customer_of(workspace, connection, who))
    messages, failed = pull(app, workspace, ids, current().limit, acknowledged=acknowledged)
    if failed:
        app.warn(f"{failed} could not be given: crm push outbox --state failed")
    _record(workspace, len(messages))
    return _table(messages)


def _record(workspace: "Workspace", count: int) -> None:
    """Put into the audit log how many messages were given."""
    from crm.audit import append

    if count:
        with workspace.records.begin() as connection:
            append(connection, workspace.records.table("audit"), "pull", "messages of a customer", count)


def _table(messages: "Sequence[Message]") -> "pl.DataFrame":
    """Messages as a table, the oldest first."""
    import polars as pl

    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "message": pl.String,
        "campaign": pl.String,
        "queued": pl.Datetime("us", "UTC"),
        "subject": pl.String,
        "text": pl.String,
        "html": pl.String,
        "try": pl.Int64,
    }
    rows = [
        (each.id, each.campaign, each.queued, each.subject, each.text, each.html, each.tried + 1) for each in messages
    ]
    return pl.DataFrame(rows, schema, orient="row")
