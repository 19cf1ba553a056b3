"""`crm push feed`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.app import App, pass_app
from crm.options import in_folder
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm.workspace import Workspace
    from plugins.push.atom import Entry
    from plugins.push.composing import Composer, Job


@click.command(name="feed")
@click.argument("who")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=in_folder,
    help="File to write.  [default: stdout]",
)
@click.option("-n", "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest N messages.")
@pass_app
def command(app: App, who: str, file: Path | None, limit: int) -> None:
    """Write an Atom feed of a customer's messages.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing. The feed has what was sent, by
    whichever channel, and what waits to be pulled and is due, as long as the customer agrees to the channel. Writing it
    changes no message. Ids of entries stay the same, so readers show a message once.

    \b
    Examples:
      crm push feed K0017 -o K0017.atom
      crm push feed wang.fang --limit 10
    """
    from crm.access import require
    from crm.audit import record
    from crm.outbox import message_id
    from crm.whose import all_ids, customer_of
    from plugins.push.atom import feed
    from plugins.push.config import PushConfig

    require(app, "send")
    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        customer = customer_of(workspace, connection, who)
        ids = all_ids(workspace, connection, customer)
    entries = _entries(app, workspace, ids, limit)
    name = f"urn:crm:feed:{message_id(workspace.key, f'feed {customer}')}"
    title = app.config.get("push", PushConfig).feed_title
    record(app, "feed", "messages of a customer", len(entries))
    _write(feed(name, title, entries), file)


def _write(data: bytes, file: Path | None) -> None:
    from crm.atomic import replacing

    if file is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    with replacing(file) as out:
        out.write(data)


def _entries(app: App, workspace: "Workspace", ids: "Sequence[str]", limit: int) -> "list[Entry]":
    """The entries of the feed, the newest first; messages that cannot be made any more are left out, and counted."""
    from datetime import UTC, datetime

    import polars as pl
    import sqlalchemy as sa

    from crm.delivery import GiveUpError
    from crm.outbox import OUTBOX, due
    from plugins.push.composing import Composer

    channels = channels_of(app)
    waiting = [name for name, each in channels.items() if each.open is None]
    table = workspace.records.table(OUTBOX.name)
    waits = sa.and_(table.c.channel.in_(waiting), due(table, datetime.now(UTC)))
    shown = sa.and_(table.c.customer.in_(list(ids)), sa.or_(table.c.state.in_(["sent", "acknowledged"]), waits))
    rows = workspace.records.frame(OUTBOX.name, where=shown)
    at = pl.coalesce("sent", pl.max_horizontal("queued", "send_after"))
    rows = rows.with_columns(at=at).sort("at", "message", descending=[True, False]).head(limit)
    composer, entries = Composer(app, workspace, channels), []
    for job in composer.jobs(rows) if rows.height else ():
        try:
            entries.append(_entry(composer, job))
        except GiveUpError as error:
            app.note(f"left out of the feed: {error}")
    return entries


def _entry(composer: "Composer", job: "Job") -> "Entry":
    """An entry of a message.

    Raises:
        GiveUpError: there is none: the customer has withdrawn the consent, say.
        Unusable: its template is none.
    """
    from plugins.push.atom import Entry

    message, row = composer.compose(job), job.row
    items: list[dict[str, Any]] = message.data["items"]
    return Entry(
        id=f"urn:crm:message:{message.id}",
        title=message.subject,
        updated=row["at"],
        published=row["queued"],
        text=message.text,
        html=message.html,
        link=next((str(item["url"]) for item in items if item.get("url")), ""),
        category=message.campaign,
    )
