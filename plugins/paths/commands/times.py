"""`crm paths times`."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import current, table_output
from plugins.paths.options import current_source, from_sessions

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.source import Source


@click.command(name="times")
@click.option(
    "--of",
    "what",
    type=click.Choice(("hours", "pages")),
    default="hours",
    show_default=True,
    help="hours: a row for each hour of the week; pages: a row for each page, with the time on it.",
)
@from_sessions
@table_output(columns="weekday day hour hits views visits page timed censored median_s p90_s")
@pass_app
def command(app: App, what: str) -> "pl.DataFrame":
    """Count hits and visits by hour and weekday, or list time on page.

    Hours are those of --tz. `hits` are those of the chosen sessions, whatever their kind, `views` their views, and
    `visits` the sessions that begin in the hour. A file has no hits.

    With --of pages: a view lasts until the next view of its session (`timed`); of the last one it is only known
    that it lasted at least to the session's last hit (`censored`). `median_s` and `p90_s` are the times in seconds that
    half of the views, and nine of ten, do not exceed, by the estimate of Kaplan and Meier (1958), which takes censored
    views for what they are; empty where too few of them are timed. Inferred views count as views only.

    \b
    Examples:
      crm paths times --tz Asia/Shanghai -o hours.csv
      crm paths times --of pages --since 30d -n 20
      crm paths times --of pages --by category -f csv
    """
    source = current_source(app)
    return _hours(source) if what == "hours" else _pages(source)


def _hours(source: "Source") -> "pl.DataFrame":
    from plugins.paths.hits import hits_of
    from plugins.paths.times import by_hour

    found = source.paths(capped=False)
    _check_times(source, found.sessions)
    hits = None if source.file else hits_of(source.workspace().scan("hits"), found.sessions)["ts"]
    rows = by_hour(found.corpus.when(), found.sessions["start"], hits, current().tz)
    return rows if found.sessions.height else rows.clear()


def _pages(source: "Source") -> "pl.DataFrame":
    import numpy as np

    from plugins.paths.times import dwell, time_on_page

    # A view ends with the next one, also where that is left out for want of a category, or is one too many.
    found = replace(source, by_category=False, max_views=None).paths(capped=False)
    _check_times(source, found.sessions)
    corpus = found.corpus
    lasted, timed = dwell(corpus, found.sessions["end"].dt.epoch("us").to_numpy())
    # Row numbers in the place of times tell which views are left.
    shown = source.shaped(replace(corpus, times=np.arange(corpus.views)), capped=False)
    assert shown.times is not None
    return time_on_page(shown.names, shown.codes, lasted[shown.times], timed[shown.times])


def _check_times(source: "Source", sessions: "pl.DataFrame") -> None:
    """See that a file has times.

    Raises:
        UsageError: it has none.
    """
    from crm.errors import UsageError

    if sessions["start"].null_count():
        raise UsageError(f"this needs the times of the views, and {source.file} has none (a column ts)")
