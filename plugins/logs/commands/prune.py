"""`crm logs prune`."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from crm import stdin
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import WHEN, When

if TYPE_CHECKING:
    from crm.lake import Lake


@click.command(name="prune")
@click.option(
    "--before",
    type=WHEN,
    required=True,
    metavar="DATE",
    help="The first date (UTC) that is kept: one such as 2026-01-01, 90d for as long ago, today, yesterday.",
)
@click.option("--now", is_flag=True, help="Delete the files at once, even if a query is reading them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def command(app: App, before: When, now: bool, yes: bool) -> None:
    """Delete the hits and sessions from before a date.

    All hits before midnight (UTC) of DATE go, the sessions that began before it, and what miners made of
    these. Of a session that went on over that midnight, the hits since then become a session of their own, as
    if the logs had begun at DATE; so `crm logs rebuild` changes nothing. What was read of each log stays known:
    no line is read again, and `crm logs status` counts it as before. A log that was never read may still bring
    hits from before DATE; prune again after it.

    The files stay on the disk for one hour, for queries that are under way; the first `crm logs
    mine` after that which stores lines deletes them. With --now they are deleted at once, and such a query may
    end with exit code 4. It is told how many bytes were freed, and how many will be. On a terminal this asks
    first; elsewhere it needs --yes. It is recorded in the table `audit`.

    \b
    Examples:
      crm logs prune --before 2026-01-01
      crm logs prune --before 2026-01-01 --yes --now
    """
    from crm.audit import record
    from crm.messages import counted
    from plugins.logs import mining
    from plugins.logs.words import miner_failure, size

    day = before.span(ZoneInfo("UTC"), datetime.now(UTC))[0].date()
    workspace = app.workspace()
    if not yes and not _agreed(app, workspace.lake, day):
        return
    with workspace.lock():
        mine = mining.Mine.of(app)
        what = f"hits and sessions before {day}"
        pruned = mine.prune(day, lambda hits: record(app, "prune", what, hits))
        lake = workspace.lake
        keep = timedelta(0) if now else mining.KEEP_REPLACED
        freed = sum(lake.vacuum(name, keep) for name in lake.contracts)
        left = sum(sum(lake.replaced(name, timedelta(0)).values()) for name in lake.contracts)
    if pruned.days:
        hits, sessions, days = counted(pruned.hits, "hit"), counted(pruned.sessions, "session"), pruned.days
        app.note(f"deleted {hits} and {sessions} of {counted(days, 'day')} before {day}")
    else:
        app.note(f"there are no hits from before {day}")
    later = f"; {size(left)} more are freed by the first `crm logs mine` that stores lines, in an hour" if left else ""
    app.note(f"freed {size(freed)}{later}")
    for note in pruned.notes:
        app.note(note)
    if failure := miner_failure(pruned.failed):
        raise failure


def _agreed(app: App, lake: "Lake", day: date) -> bool:
    """Ask a person whether to go on; False if there is nothing to delete.

    Raises:
        UsageError: there is nobody to ask.
        click.Abort: the answer is no.
    """
    import polars as pl

    from crm.messages import counted

    old = lake.files("hits").filter(pl.col("date") < day)
    if not old.height:
        app.note(f"there are no hits from before {day}")
        return False
    if not stdin.asks_a_person():
        raise UsageError("this deletes hits for good; say --yes where nobody can be asked")
    hits, days = counted(int(old["rows"].sum()), "hit"), counted(old["date"].n_unique(), "day")
    click.confirm(f"Delete {hits} of {days} from {old['date'].min()!s} to {old['date'].max()!s}?", abort=True, err=True)
    return True
