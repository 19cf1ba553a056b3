"""The commands `import`, `export` and `list` of a table of records, made from what is to be said of each table."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from crm.access import require
from crm.app import App, pass_app
from crm.exporting import for_excel_option, segment_option
from crm.filters import conditional_like, filtered_like
from crm.options import ON_DUPLICATE, in_folder
from crm.output import current, show, table_output
from crm.reading import current_file, table_argument

if TYPE_CHECKING:
    import polars as pl

    from crm.judging import Target

R = TypeVar("R")

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


def import_command(target: "Callable[[], Target]", text: str) -> click.Command:
    """The command that imports a file into a table.

    Args:
        target: Gives the table and how its rows are made.
        text: The command's help.
    """

    @click.command(name="import", help=text)
    @_import_options
    @table_argument
    @table_output(columns="outcome rows")
    @pass_app
    def command(app: App, /, json_summary: Path | None, **given: object) -> "pl.DataFrame":
        from crm.importing import Wishes, import_file

        require(app, "import")
        file = current_file()
        if file is None:
            raise LookupError("the argument names the file")
        return import_file(app, target(), file, Wishes(**given), json_summary)  # type: ignore[arg-type]  # click's values

    return command


def _import_options(function: Callable[..., object]) -> Callable[..., object]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS: Final = (
    click.option(
        "--map",
        "map_file",
        type=_FILE,
        metavar="FILE",
        help="YAML file that says which column is what, and which rules rows must keep.  [default: guessed, no rules]",
    ),
    click.option(
        "--save-map",
        type=_FILE,
        callback=in_folder,
        metavar="FILE",
        help="Write down which column was taken for what, to edit.",
    ),
    click.option(
        "--on-duplicate",
        "how",
        type=click.Choice(ON_DUPLICATE),
        default="update",
        show_default=True,
        help="What is done with a row whose id is there already: its values replace the old ones, only fill gaps, "
        "the row is left out, or nothing at all is imported.",
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and store nothing."),
    click.option(
        "--rejects",
        type=_FILE,
        callback=in_folder,
        metavar="FILE",
        help="Write the rows that are not taken here, with the reasons.",
    ),
    click.option(
        "--max-rejects",
        type=click.IntRange(min=0),
        metavar="N",
        help="Store nothing, and exit with 3, if more rows than this are not taken.  [default: no limit]",
    ),
    click.option(
        "--region",
        metavar="CC",
        help="Country of phone numbers that name none, as two letters.  [default: that of the map, else CN]",
    ),
    click.option("--source", metavar="NAME", help="What the rows are said to come from.  [default: the file's name]"),
    click.option(
        "--json-summary",
        type=_FILE,
        callback=in_folder,
        metavar="FILE",
        help="Write what was done to this file as JSON.",
    ),
)


def export_command(table: str, text: str, example: str, *, people: bool = True, timed: bool = True) -> click.Command:
    """The command that exports a table, whole.

    Args:
        table: The table's name.
        text: The command's help.
        example: A condition on its rows.
        people: Whether its rows are somebody's, who may belong to a segment.
        timed: Whether its rows have a time.
    """

    @click.command(name="export", help=text)
    @_segment(people)
    @for_excel_option
    @(filtered_like if timed else conditional_like)(example)
    @table_output("csv", columns=f"{table}.* ...")
    @pass_app
    def command(app: App, for_excel: bool, segment: str | None = None) -> None:
        from crm.exporting import harmless, table_rows

        show(app, table_rows(app, table, segment), current(), finish=harmless if for_excel else None)

    return command


def list_command(
    table: str, text: str, example: str, columns: Sequence[str], *, people: bool = True, timed: bool = True
) -> click.Command:
    """The command that lists rows of a table, with the columns that matter most.

    Args:
        table: The table's name.
        text: The command's help.
        example: A condition on its rows.
        columns: What is shown without `--columns`.
        people: Whether its rows are somebody's, who may belong to a segment.
        timed: Whether its rows have a time.
    """

    @click.command(name="list", help=text)
    @_segment(people)
    @(filtered_like if timed else conditional_like)(example)
    @table_output(columns=f"{table}.* ...")
    @pass_app
    def command(app: App, segment: str | None = None) -> "pl.LazyFrame":
        from crm.exporting import table_rows
        from crm.filters import current_filters

        usual = current().columns is None
        rows = table_rows(app, table, segment, extras=not usual or current_filters().where is not None)
        return rows.select(columns) if usual else rows

    return command


def _segment(people: bool) -> "Callable[[Callable[..., R]], Callable[..., R]]":
    """The option `--segment`, where it means something."""
    return segment_option if people else lambda function: function
