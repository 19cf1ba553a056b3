"""Composes what is due, sees whether its channels are configured, and sends nothing: `push send --dry-run`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crm.delivery import GiveUpError
from crm.errors import CrmError, Unusable
from crm.outbox import OUTBOX, due
from plugins.push.composing import Composer, Job
from plugins.push.sending import NIGHT, Report, Wanted
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    from crm.app import App
    from crm.hookspecs import Channel
    from crm.workspace import Workspace


def rehearse(app: "App", workspace: "Workspace", wanted: Wanted) -> Report:
    """Compose all that is due; `sent` are those that would go, `failed` those that would not.

    Raises:
        Unusable: the folder of templates is not there.
    """
    channels = {name: each for name, each in channels_of(app).items() if each.open is not None}
    names = [each for each in channels if wanted.channel in (None, each)]
    table = workspace.records.table(OUTBOX.name)
    where = sa.and_(due(table, datetime.now(UTC)), table.c.channel.in_(names))
    if wanted.campaign is not None:
        where = sa.and_(where, table.c.campaign == wanted.campaign)
    composer, report, left = Composer(app, workspace, channels), Report(), wanted.most
    seen: dict[str, str | None] = {}
    for rows in workspace.records.batches(OUTBOX.name, where=where, order=["send_after", "message"]):
        for job in composer.jobs(rows if left is None else rows.head(left)):
            name = job.row["channel"]
            if name not in seen:
                seen[name] = _fault(app, channels[name])
            _try(composer, job, report, seen[name])
        if left is not None:
            left = max(left - rows.height, 0)
    return report


def _try(composer: Composer, job: Job, report: Report, fault: str | None) -> None:
    """See what would become of one message, and count it.

    Args:
        composer: Makes it.
        job: The message.
        report: Where it is counted.
        fault: What is wrong with its channel; None if nothing.
    """
    if fault is not None:
        report.down[f"channel {job.row['channel']}"] = fault
        report.add("queued", 1, fault)
        return
    now = datetime.now(UTC)
    if composer.awake(job, now) > now:
        report.add("queued", 1, NIGHT)
        return
    try:
        composer.compose(job)
    except Unusable as error:
        report.down[f"template {job.row['template']}"] = str(error)
        report.add("queued", 1, str(error))
    except GiveUpError as error:
        report.add("failed", 1, str(error))
    else:
        report.add("sent")


def _fault(app: "App", channel: "Channel") -> str | None:
    """What is wrong with the configuration of a channel; None if nothing, or if it does not tell."""
    try:
        if channel.check is not None:
            channel.check(app)
    except Exception as error:  # a plugin's channel may raise anything; the others go on
        known = isinstance(error, CrmError)
        return str(error) if known else f"it cannot be checked: {type(error).__name__}: {error}"
    return None
