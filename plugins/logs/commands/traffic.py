"""`crm logs traffic`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered
from crm.options import with_robots
from crm.output import current, table_output
from plugins.logs.options import OneOf

if TYPE_CHECKING:
    import polars as pl

    from plugins.logs.counting import Step


@click.command(name="traffic")
@click.option(
    "--by",
    "step",
    type=OneOf(("hour", "day", "week")),
    default="day",
    show_default=True,
    metavar="hour|day|week",
    help="How long a row is; weeks begin on Monday.",
)
@with_robots
@filtered
@table_output(columns="start hits views robots bytes visitors sessions")
@pass_app
def command(app: App, step: "Step", with_robots: bool) -> "pl.DataFrame":
    """Count hits, views, sessions and visitors by hour, day or week.

    Days and weeks begin at midnight in the time zone of --tz; rows without a hit are there, too. `hits` are
    all, `robots` those of them by robots with such a name; `visitors` are all others. A session counts where it
    starts. Views and sessions of robots by behaviour are left out, unless --with-robots takes them in. Hits and
    sessions are those between --since and --until. --where takes rows of the table `hits`; there is no column
    `sessions` then, since a session is no hit.

    \b
    Examples:
      crm logs traffic --by day
      crm logs traffic --by hour --since yesterday --tz Asia/Shanghai -o hours.csv
      crm logs traffic --where "page = '/cart'"
    """
    import polars as pl

    from plugins.logs import counting

    workspace, filters = app.workspace(), current_filters()
    hits, sessions = filters.rows(app, workspace.scan("hits"), "ts"), workspace.scan("sessions")
    robots = counting.views_of(sessions.filter(pl.col("bot").is_not_null() & ~pl.lit(with_robots)))
    if filters.where is None:
        begun = sessions if with_robots else sessions.filter(pl.col("bot").is_null())
        return counting.traffic(
            hits, filters.between(begun, "start"), filters.between(robots, "ts"), step, current().tz
        )
    return counting.traffic(hits, None, counting.among(hits, robots), step, current().tz)
