"""`crm push feedback`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import Locked
from crm.options import in_folder
from crm.output import table_output
from crm.reading import current_file, table_argument
from plugins.push.ways import channels_of

if TYPE_CHECKING:
    import polars as pl

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(name="feedback")
@click.option("--map", "map_file", type=_FILE, metavar="FILE", help="YAML file that says which column is what.")
@click.option(
    "--save-map",
    type=_FILE,
    callback=in_folder,
    metavar="FILE",
    help="Write down which column was taken for what, to edit.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and store nothing.")
@click.option(
    "--rejects",
    type=_FILE,
    callback=in_folder,
    metavar="FILE",
    help="Write the rows that are not taken here, with the reasons.",
)
@click.option(
    "--max-rejects",
    type=click.IntRange(min=0),
    metavar="N",
    help="Store nothing, and exit with 3, if more rows than this are not taken.  [default: no limit]",
)
@click.option(
    "--json-summary", type=_FILE, callback=in_folder, metavar="FILE", help="Write what was done to this file as JSON."
)
@table_argument
@table_output(columns="outcome rows")
@pass_app
def command(app: App, /, json_summary: Path | None, **given: object) -> "pl.DataFrame":
    """Take in what became of messages.

    FILE has a row for each event: the id of the message, the event (delivered, opened, clicked, converted, dismissed or
    unsubscribed, or a common word for it in English or Chinese), when, and, where it is about one item, the item, and
    what was paid. Columns are guessed from their names. Rows about unknown messages or events are not taken; every row
    is counted: new + changed + same + repeated + rejected. The same rows again change nothing.

    What is new takes effect at once: who unsubscribed agrees no more to the channel of the message, what was delivered
    is acknowledged in the outbox, and the table `interests` is worked out again.

    \b
    Examples:
      crm push feedback feedback.csv
      crm push feedback 反馈.xlsx --rejects rejected.csv
      cat events.ndjson | crm push feedback - --input-format ndjson
    """
    from crm.importing import Wishes, import_file
    from plugins.push.feedback import catalogue, target

    require(app, "import")
    file = current_file()
    if file is None:
        raise LookupError("the argument names the file")
    known = target(channels_of(app), catalogue(app.workspace()))
    wishes = Wishes(**given, how="merge")  # type: ignore[arg-type]  # click's values
    found = import_file(app, known, file, wishes, json_summary)
    if not wishes.dry_run and found.filter(found["outcome"].is_in(["new", "changed"]))["rows"].sum():
        _refresh(app)
    return found


def _refresh(app: App) -> None:
    """Work the table of interests out again."""
    from crm.interest import building

    try:
        with app.workspace().lock():
            building.store(app, building.current(app))
    except Locked:
        app.note("another run holds the workspace, so the table `interests` is as it was: crm interest build")
