"""`crm tickets notices`."""

from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import Unusable
from crm.filters import WHEN, When
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from crm.output import also_personal, current, table_output
from plugins.tickets.config import TicketsConfig

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.config import NoticesConfig

_KINDS = ("follow-up", "maintenance", "state")


@click.command(name="notices")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only this kind; may be repeated.")
@click.option(
    "--at",
    "--as-of",
    "moment",
    type=WHEN,
    metavar="WHEN",
    help="As of this moment: a date, an ISO time, 7d for as long ago.  [default: now]",
)
@click.option("--queue", "queued", is_flag=True, help="Put a message for each into the outbox.")
@table_output(columns="customer kind ticket vin due data")
@pass_app
def command(app: App, kinds: tuple[str, ...], moment: When | None, queued: bool) -> "pl.DataFrame":
    """List what customers are to be told of their tickets and vehicles.

    A follow-up some days after the customer has signed; maintenance that is due by time in service, or by how far the
    vehicle will have gone as far as its readings tell; and where a ticket is, when that changes. What is due longer ago
    than `tickets.notices.within` is not told any more, so call this at least that often.

    With --queue each becomes one message in the outbox, however often it is called, and `crm push send` sends it to
    those who agree to the channel. Where there is no outbox, messages are added to a file of the workspace.

    \b
    Examples:
      crm tickets notices
      crm tickets notices --kind maintenance --as-of 2026-03-01
      crm tickets notices --queue -o told.csv
    """
    from zoneinfo import ZoneInfo

    from plugins.tickets.flow.desk import at_second
    from plugins.tickets.notices.finding import notices

    if queued:
        require(app, "send")
    also_personal({"data": "hidden"})  # as in the outbox, and also where there is none
    config, now = app.config.get("tickets", TicketsConfig).notices, at_second()
    at = at_second(moment.span(ZoneInfo(current().tz), now)[0]) if moment is not None else now
    rows = notices(app.workspace(), config, at, kinds or _KINDS)
    if queued:
        _queue(app, rows, config)
    return rows.drop("key")


def _queue(app: App, rows: "pl.DataFrame", config: "NoticesConfig") -> None:
    """Put notices where they go out from, and say so.

    Raises:
        Unusable: the channel is none of those that there are; its messages would wait for ever.
    """
    from crm.outbox import OUTBOX
    from plugins.tickets.notices.queueing import queue, write

    workspace = app.workspace()
    if OUTBOX.name in workspace.records.contracts:
        _check_channel(app, config.channel)
        new = queue(workspace, rows, config)
        app.note(f"{counted(new, 'new message')} in the outbox; `crm push send` sends them")
        return
    file, new = write(workspace, rows, config)
    app.note(f"there is no outbox: {counted(new, 'new message')} in {file}")


def _check_channel(app: App, name: str) -> None:
    known = app.host.push_channels()
    if name not in known:
        near = did_you_mean(name, known)
        raise Unusable(f"`tickets.notices.channel`: no channel `{name}`{near}; there are: {one_of(sorted(known))}")
