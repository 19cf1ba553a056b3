"""`crm customers consent`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.nearest import did_you_mean
from crm.output import current, table_output

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from crm.workspace import Workspace


@click.command(name="consent")
@click.argument("who")
@click.option(
    "--channel", metavar="NAME", help="By which way: email, sms, ... or `all`; --withdraw alone is about all."
)
@click.option("--grant/--withdraw", "granted", default=None, help="What the customer says.  [default: only list]")
@click.option("--source", metavar="TEXT", help="Where it was said: a form, a call, a letter.")
@click.option("--at", metavar="WHEN", help="When it was said: a date, a time, 7d for as long ago.  [default: now]")
@table_output(columns="channel ts granted source holds")
@pass_app
def command(
    app: App, who: str, channel: str | None, granted: bool | None, source: str | None, at: str | None
) -> "pl.DataFrame":
    """Store what a customer agrees to or withdraws, or list it.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. What was said last of a channel,
    or of all, counts; without a word there is no consent. Nothing is changed by what comes later: the list has all that
    was ever said, the newest last, and `holds` marks what counts today.

    \b
    Examples:
      crm customers consent K0017
      crm customers consent K0017 --channel email --grant --source "order form"
      crm customers consent 138-0013-8000 --withdraw --source call \\
          --at 2026-03-01T09:30
    """
    from crm.access import require
    from crm.consents import ANY, history
    from crm.whose import all_ids, customer_of

    channel = _channel(channel)
    if granted is None and (source or at):
        raise UsageError("--source and --at are about what the customer says: add --grant or --withdraw")
    if granted and channel is None:
        raise UsageError("name the channel that is granted with --channel NAME; --channel all grants every one")
    if granted is not None:
        require(app, "import")
        _warn_unknown(app, channel or ANY)
    moment = _moment(at)
    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        customer = customer_of(workspace, connection, who)
        ids = all_ids(workspace, connection, customer)
    if granted is not None:
        _say(workspace, customer, channel or ANY, source or "command line", granted, moment)
    table = workspace.records.table("consents")
    rows = history(workspace.records.frame("consents", where=table.c.customer.in_(ids)))
    return rows if channel is None or granted is not None else rows.filter(channel=channel)


def _warn_unknown(app: App, channel: str) -> None:
    """Say that a channel is none that is known: it is stored all the same, as a plugin may come to have it."""
    from crm.consents import ANY
    from crm.intake.words import CHANNELS

    known = {ANY, *CHANNELS.values(), *app.host.push_channels()}
    if channel not in known:
        app.warn(
            f"no channel `{channel}` is known{did_you_mean(channel, known)}; what is said of it counts for it alone"
        )


def _channel(said: str | None) -> str | None:
    """The channel as an import writes it, so that a withdrawal in another writing finds what it is about.

    Raises:
        UsageError: it is empty: to be about all, it must be left out.
    """
    import polars as pl

    from crm.intake.texts import clean
    from crm.intake.words import channels

    if said is None:
        return None
    found = channels(clean(pl.Series([said], dtype=pl.String)))[0]
    if not found:
        raise UsageError("--channel is empty; leave it out for all channels")
    return str(found)


def _moment(at: str | None) -> "datetime | None":
    """When it was said.

    Raises:
        UsageError: it is no time, or has not come yet.
    """
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from crm.filters import When

    if at is None:
        return None
    now = datetime.now(UTC)
    try:
        moment = When(at).span(ZoneInfo(current().tz), now)[0]
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None
    if moment > now:
        raise UsageError(f"--at {at} has not come yet")
    return moment


def _say(
    workspace: "Workspace", customer: str, channel: str, source: str, granted: bool, moment: "datetime | None"
) -> None:
    """Store it, and that it was stored."""
    from crm.audit import append
    from crm.consents import say

    records = workspace.records
    with records.begin() as connection:
        say(connection, records.table("consents"), customer, channel, source, granted=granted, at=moment)
        said = "granted" if granted else "withdrawn"
        append(connection, records.table("audit"), "consent", f"{channel}: {said} by a customer", 1)
