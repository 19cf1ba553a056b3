"""`crm tickets dealers`."""

from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import current_filters, filtered_like
from crm.options import DURATION
from crm.output import impersonal, table_output
from crm.units import Duration
from plugins.tickets.quality.options import none_found

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.dealers import Story

_COLUMNS: Final = ("ticket", "dealer", "vin", "labour_code", "fault_code")
_SORTED_BY: Final = ("repeat", "rejected", "complaints", "cost")


@click.command(name="dealers")
@click.option(
    "--within",
    type=DURATION,
    default="30d",
    show_default=True,
    help="A vehicle that comes again so soon with the same labour code or fault is a repeat.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    metavar="SHARE",
    help="How sure intervals are.",
)
@click.option(
    "--sort",
    type=click.Choice(_SORTED_BY),
    default=_SORTED_BY[0],
    show_default=True,
    help="By what dealers are ordered: the lower end of its interval, the highest first.",
)
@filtered_like("model = 'M01'")
@table_output(
    columns=(
        "dealer group tickets signed_days settled_days rejected rejected_low rejected_high repeat repeat_low "
        "repeat_high complaints complaints_low complaints_high score scores cost cost_index cost_low "
        "cost_high flags"
    )
)
@pass_app
def command(app: App, within: Duration, confidence: float, sort: str) -> "pl.DataFrame":
    """Compare dealers with the others of their group.

    `signed_days` and `settled_days` are medians from when a ticket was opened; `rejected` is the share of decided
    tickets, `repeat` that of repairs whose vehicle came again soon, at whichever dealer, `complaints` that of tickets
    with one; each with its interval (Wilson). `score` is the mean of `scores` answers. `cost` is what a repair costs,
    `cost_index` how many times as much as the same labour codes cost at the others of the group. `flags` names what an
    interval tells apart from the group's value, so that a small dealer is not judged by chance.

    \b
    Examples:
      crm tickets dealers
      crm tickets dealers --since 2026-01-01 --sort complaints \\
          --columns dealer,tickets,complaints,flags
      crm tickets dealers --within 90d --confidence 0.99 -o dealers.xlsx
    """
    if not within:
        raise UsageError("--within is no time at all; write one such as 30d")
    from plugins.tickets.dealers import dealers
    from plugins.tickets.quality.source import stored

    tickets = stored(app, current_filters(), _COLUMNS)
    impersonal()  # only now: --where sees personal columns masked
    tickets = tickets.filter(tickets["dealer"].is_not_null())
    if not tickets.height:
        raise none_found(app)
    return dealers(tickets, _story(app), within, confidence, sort)


def _story(app: App) -> "Story":
    """What the workspace knows besides tickets."""
    from plugins.tickets.dealers import Story, first_times

    records = app.workspace().records
    events = records.table("ticket_events")
    done = events.c.event.in_(("sign", "settle"))
    return Story(
        first_times(records.frame("ticket_events", columns=["ticket", "event", "ts"], where=done)),
        records.frame("ticket_ratings", columns=["ticket", "kind", "score"]),
        records.frame("dealers", columns=["dealer", "group"]),
    )
