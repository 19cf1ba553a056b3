"""`crm push outbox`."""

from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered_like
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl

_STATES: Final = ("queued", "sending", "sent", "acknowledged", "failed", "expired")
_HIDDEN: Final = ("data", "claimed", "sender")


@click.command(name="outbox")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="In this state; may be repeated.")
@click.option("--campaign", metavar="NAME", help="Of this campaign.")
@click.option("--channel", metavar="NAME", help="By this channel.")
@click.option("--summary", is_flag=True, help="Count messages by campaign, channel and state.")
@filtered_like("tries > 2")
@table_output(
    columns=(
        "message customer campaign channel template items state queued send_after expires tries next_try sent "
        "acknowledged error messages"
    )
)
@pass_app
def command(
    app: App, states: tuple[str, ...], campaign: str | None, channel: str | None, summary: bool
) -> "pl.LazyFrame":
    """List messages with their states.

    Messages are queued, sending, sent, acknowledged, failed or expired; `error` says what went wrong last. The newest
    come first; --since and --until are about when they were queued.

    \b
    Examples:
      crm push outbox --summary
      crm push outbox --state failed --columns message,campaign,error
      crm push outbox --campaign spring --channel email --since 7d
    """
    import polars as pl

    rows = current_filters().rows(app, app.workspace().scan("outbox"), "queued")
    wanted = {"campaign": campaign, "channel": channel}
    rows = rows.filter(*(pl.col(name) == value for name, value in wanted.items() if value is not None))
    if states:
        rows = rows.filter(pl.col("state").is_in(states))
    if not summary:
        newest = rows.drop(_HIDDEN).sort("queued", "message", descending=[True, False])
        return newest.with_columns(pl.selectors.datetime().dt.truncate("1s"))
    impersonal()
    return (
        rows.group_by("campaign", "channel", pl.col("state").cast(pl.Enum(_STATES)))
        .agg(pl.len().cast(pl.Int64).alias("messages"), pl.col("tries").mean().alias("tries"))
        .sort("campaign", "channel", "state")
        .with_columns(pl.col("state").cast(pl.String))
    )
