"""`crm tickets loops`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import filtered_like
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="loops")
@filtered_like("who = 'dealer' and days > 14")
@table_output(columns="loop ticket number dealer since days who")
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List what has begun and not ended: who must act, and since when.

    Parts that were sent and not received, defective parts that are not back, tickets that wait for a review, a service,
    a signature or the settlement, and payments that are not paid or not confirmed; the oldest first. --since and
    --until are about when it began to be open.

    \b
    Examples:
      crm tickets loops
      crm tickets loops --where "who = 'dealer' and days > 14" -o reminders.csv
    """
    from crm.filters import current_filters
    from plugins.tickets.flow.desk import at_second
    from plugins.tickets.flow.queues import loops

    impersonal()
    filters = current_filters()
    rows = loops(app.workspace(), at_second()).lazy()
    return filters.matching(app, filters.between(rows, "since"))
