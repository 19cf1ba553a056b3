"""`crm logs traffic`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
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
@table_output()
@pass_app
def command(app: App, step: "Step", with_robots: bool) -> "pl.DataFrame":
    """Count hits, views, sessions and visitors by hour, day or week.

    Days and weeks begin at midnight in the time zone of --tz; rows without a hit are there, too. `hits` are
    all, `robots` those of them by robots with such a name; `visitors` are all others. A session counts where it
    starts. Views and sessions of robots by behaviour are left out, unless --with-robots takes them in.

    \b
    Examples:
      crm logs traffic --by day
      crm logs traffic --by hour --tz Asia/Shanghai -o hours.csv
    """
    from plugins.logs import counting

    workspace = app.workspace()
    hits, sessions = workspace.scan("hits"), workspace.scan("sessions")
    return counting.traffic(hits, sessions, step, current().tz, with_robots=with_robots)
