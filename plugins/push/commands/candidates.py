"""`crm push candidates`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import WHEN
from crm.messages import counted
from crm.output import current, table_output

if TYPE_CHECKING:
    import polars as pl

    from crm.filters import When
    from plugins.push.campaign import Campaign
    from plugins.push.candidates import Found


@click.command(name="candidates")
@click.option(
    "--campaign",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="YAML file of the campaign.  [default: all customers, by every channel with consent]",
)
@click.option(
    "--at",
    "--as-of",
    "moment",
    type=WHEN,
    metavar="WHEN",
    help="As of this moment: a date, an ISO time, 7d for as long ago.  [default: now]",
)
@click.option("--queue", "queued", is_flag=True, help="Put a message for each customer into the outbox.")
@click.option("--misses", "missed", is_flag=True, help="List what was looked for in vain instead.")
@table_output(columns="customer rank item title category level score reason channel send_after key weight")
@pass_app
def command(app: App, file: Path | None, moment: "When | None", queued: bool, missed: bool) -> "pl.DataFrame":
    """List to whom a campaign sends what.

    One row for each customer and item: its rank, the level of the customer's interests at which it fits, the
    recommender's score and reason, the channel, and when the message may go out. Items in categories of level 3 come
    first; where a customer's have none, those of level 2 of the same branches, then of level 1. A customer for whom
    there is nothing is a miss: --misses lists the categories that were looked for, and why there was nothing.

    Nobody is listed without consent to the channel, without an address for it, or beyond what the campaign allows:
    how many are left out for which reason is said, and customers = listed + left out + misses. Consents and messages
    count as they are now, whatever --at says.

    With --queue there is a message for each customer in the outbox, once a round of the campaign, however often it is
    called; `crm push send` sends it. Arms of the campaign and misses are stored.

    \b
    Examples:
      crm push candidates
      crm push candidates --campaign configs/campaign.yaml --at 2026-03-16
      crm push candidates --campaign configs/campaign.yaml --misses
      crm push candidates --campaign configs/campaign.yaml --queue -o queued.csv
    """
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from plugins.push import campaign, candidates
    from plugins.push.asking import asked
    from plugins.push.loading import loaded
    from plugins.push.queueing import queue

    if queued and missed:
        raise UsageError("--queue and --misses exclude each other: --queue stores misses, in the table `misses`")
    if file is not None and not file.exists():
        raise UsageError(f"--campaign: there is no file {file}; name the YAML file of the campaign")
    if queued:
        require(app, "send")
    wanted = campaign.read(file) if file is not None else campaign.Campaign(name="default")
    now = datetime.now(UTC).replace(microsecond=0)
    at = moment.span(ZoneInfo(current().tz), now)[0] if moment is not None else now
    with app.working("crm push candidates"):
        known = loaded(app, at.date() if moment is not None else None)
        found = candidates.find(asked(app, wanted, str(file or "campaign"), at, known), known)
    _tell(app, wanted, found)
    if queued:
        new = queue(app.workspace(), wanted, at, found)
        app.note(f"{counted(new, 'message')} queued in round {wanted.round_at(at)} of {wanted.name}")
    return found.misses if missed else found.rows


def _tell(app: App, campaign: "Campaign", found: "Found") -> None:
    """Say what became of all customers."""
    left = sum(found.left.values())
    app.note(
        f"{campaign.name}: {counted(found.customers, 'customer')} = {found.listed:,} listed + {left:,} left out + "
        f"{found.missed:,} for whom nothing was found"
    )
    if found.left:
        app.note("left out: " + ", ".join(f"{number:,} {reason}" for reason, number in found.left.items()))
