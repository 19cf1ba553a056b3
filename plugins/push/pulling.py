"""Gives a customer's waiting messages, each once; what is not acknowledged in time is given again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crm import outbox
from crm.delivery import GiveUpError, Message
from crm.outbox import OUTBOX
from plugins.push.composing import Composer
from plugins.push.config import PushConfig
from plugins.push.receipts import promised
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from crm.workspace import Workspace


def pull(
    app: "App", workspace: "Workspace", ids: Sequence[str], limit: int | None, *, acknowledged: bool
) -> tuple[list[Message], int]:
    """Take a customer's waiting messages; they are stored as sent when this returns.

    Args:
        app: The run of the program.
        workspace: The workspace.
        ids: All ids of the customer.
        limit: How many messages at most; None for all.
        acknowledged: They count as acknowledged at once.

    Returns:
        The messages, and how many could not be made.

    Raises:
        Unusable: a template is none; nothing is taken.
    """
    records, now = workspace.records, datetime.now(UTC)
    channels = channels_of(app)
    waiting = [name for name, each in channels.items() if each.open is None]
    table = records.table(OUTBOX.name)
    mine = sa.and_(table.c.customer.in_(list(ids)), table.c.channel.in_(waiting))
    with records.begin() as connection:
        _tidy(app, connection, table, now, mine)
        wanted = sa.select(table.c.message).where(outbox.due(table, now), mine)
        names = connection.execute(wanted.order_by(table.c.send_after, table.c.message).limit(limit)).scalars().all()
        rows = records.frame(OUTBOX.name, where=table.c.message.in_(names), connection=connection)
        rows = rows.with_columns(tries=rows["tries"] + 1).sort("send_after", "message")
        # They are read and changed in one transaction, so nobody else can take the same messages meanwhile.
        good, bad = _made(Composer(app, workspace, channels), rows)
        for name, why in bad.items():
            outbox.move(connection, table, "give up", table.c.message == name, error=why)
        given = table.c.message.in_([each.id for each in good])
        outbox.move(
            connection,
            table,
            "sent",
            given,
            sent=outbox.second(now),
            tries=table.c.tries + 1,
            next_try=None,
            error=None,
        )
        if acknowledged:
            outbox.acknowledge(connection, table, [each.id for each in good], now)
    return good, len(bad)


def _tidy(
    app: "App",
    connection: sa.Connection,
    table: sa.Table,
    now: datetime,
    mine: sa.ColumnElement[bool],
) -> None:
    """What was given and not acknowledged in time waits again; what is over has expired."""
    config = app.config.get("push", PushConfig)
    within = promised(config, channels_of(app))
    outbox.overdue(connection, table, now, within, config.retry.tries, mine)
    outbox.expire(connection, table, now, mine)


def _made(composer: Composer, rows: "pl.DataFrame") -> tuple[list[Message], dict[str, str]]:
    """Messages of rows, and why others can be none, by id."""
    good, bad = [], {}
    for job in composer.jobs(rows) if rows.height else ():
        try:
            good.append(composer.compose(job))
        except GiveUpError as error:
            bad[job.id] = str(error)
    return good, bad
