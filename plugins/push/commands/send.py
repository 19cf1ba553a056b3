"""`crm push send`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import current, impersonal, show, table_output
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace
    from plugins.push.sending import Report

_MOST_REASONS = 10
_WORDS = {"queued": "waiting"}
_DRY = {"sent": "would be sent", "failed": "would fail", "queued": "would wait"}


@click.command(name="send")
@click.option("--channel", metavar="NAME", help="Only messages by this channel.")
@click.option("--campaign", metavar="NAME", help="Only messages of this campaign.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Messages sent at a time.")
@click.option("--limit-messages", type=click.IntRange(min=1), metavar="N", help="At most N messages in this run.")
@click.option("--dry-run", is_flag=True, help="Make all texts, check the channels, and send nothing.")
@click.option(
    "--once/--until-empty",
    "once",
    default=True,
    help="End when nothing is due, or wait for what is to be tried again or sent later.  [default: once]",
)
@table_output(columns="state messages")
@pass_app
def command(
    app: App,
    channel: str | None,
    campaign: str | None,
    workers: int,
    limit_messages: int | None,
    dry_run: bool,
    once: bool,
) -> None:
    """Send the messages that are due.

    A message is stored as sent once the server has taken it, or as acknowledged if the channel says so. What does not
    work is tried again, later and later, always with the same id; nothing is lost if this is interrupted or killed.
    Whoever has withdrawn the consent, or has no address, gets nothing: the message has failed, and says why.

    The table says how many messages have come to which state. A channel that cannot be used at all, or a template that
    is none, ends this with exit code 4 when the other messages are sent; its own messages wait.

    \b
    Examples:
      crm push send
      crm push send --channel email --workers 8
      crm push send --campaign spring --dry-run
      crm push send --limit-messages 100 --until-empty
    """
    from crm.access import require
    from crm.errors import Unusable
    from plugins.push.rehearsing import rehearse
    from plugins.push.sending import Run, Wanted, alone

    require(app, "send")
    _check(app, channel)
    workspace = app.workspace()
    wanted = Wanted(channel, campaign, workers, limit_messages, until_empty=not once)
    if dry_run:
        report = rehearse(app, workspace, wanted)
    else:
        with alone(workspace), app.working("sending"):
            report = Run(app, workspace, wanted).run()
        _record(workspace, report)
    _tell(app, workspace, report, dry_run)
    impersonal()
    show(app, _table(report, dry_run), current())
    if report.down:
        raise Unusable("; ".join(f"{what}: {why}" for what, why in sorted(report.down.items())))


def _check(app: App, channel: str | None) -> None:
    """See that there is such a channel, and that it sends.

    Raises:
        UsageError: it does not.
    """
    from crm.errors import UsageError
    from crm.nearest import did_you_mean, one_of

    known = channels_of(app)
    if channel is not None and channel not in known:
        raise UsageError(f"no channel `{channel}`{did_you_mean(channel, known)}; there are: {one_of(sorted(known))}")
    if channel is not None and known[channel].open is None:
        raise UsageError(f"messages of the channel {channel} wait until they are pulled: crm push pull WHO")


def _record(workspace: "Workspace", report: "Report") -> None:
    """Put into the audit log how many messages have gone out."""
    from crm.audit import append

    gone = report.states["sent"] + report.states["acknowledged"]
    what = ", ".join(f"{count} {state}" for state, count in sorted(report.states.items()) if count) or "nothing"
    with workspace.records.begin() as connection:
        append(connection, workspace.records.table("audit"), "send", what, gone)


def _tell(app: App, workspace: "Workspace", report: "Report", dry_run: bool) -> None:
    """Say on stderr why messages have failed or are tried again, and of which channels nobody knows."""
    import sqlalchemy as sa

    from crm.messages import counted

    words = _DRY if dry_run else _WORDS
    for (state, reason), count in report.reasons.most_common(_MOST_REASONS):
        app.note(f"{count:,} {words.get(state, state)}: {reason}")
    if len(report.reasons) > _MOST_REASONS:
        app.note(f"and {len(report.reasons) - _MOST_REASONS} more reasons: crm push outbox --columns state,error")
    table = workspace.records.table("outbox")
    known = list(channels_of(app))
    strange = sa.select(table.c.channel, sa.func.count()).where(
        table.c.state == "queued", table.c.channel.not_in(known)
    )
    with workspace.records.engine.connect() as connection:
        rows = connection.execute(strange.group_by(table.c.channel).order_by(table.c.channel)).all()
    for name, count in rows:
        app.warn(f"{counted(count, 'message')} for the channel {name}, which no plugin brings: waiting")


def _table(report: "Report", dry_run: bool) -> "pl.DataFrame":
    """How many messages have come to which state."""
    import polars as pl

    from crm.outbox import STATES

    words = _DRY if dry_run else {}
    rows = [(words.get(state, state), report.states[state]) for state in STATES if report.states[state]]
    return pl.DataFrame(rows, {"state": pl.String, "messages": pl.Int64}, orient="row")
