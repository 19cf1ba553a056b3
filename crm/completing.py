"""Values that the shell completes, by the names of arguments and options: the same name has the same values everywhere.

So commands, also those of plugins, need say nothing of it: WHO is a customer, `--segment` a segment. What goes wrong
while values are looked up, such as a workspace that is not there, is nothing to tell in the middle of a line that is
being typed: then there are no values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from crm.app import App

MOST: Final = 60
"""So many values are offered at most."""

Read = Callable[["App", click.Context, str], Iterable[str]]
Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]


def completing(read: Read) -> Complete:
    """Completion by values that the workspace or the program knows.

    Args:
        read: Given the run of the program, the command's context and how the value begins, gives values; those that
            begin otherwise are left out here.
    """

    def complete(context: click.Context, _parameter: click.Parameter, begin: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        from crm.app import App

        found: list[CompletionItem] = []
        with suppress(Exception):
            app = context.find_object(App)
            if app is not None:
                values = dict.fromkeys(value for value in read(app, context, begin) if value.startswith(begin))
                found = [CompletionItem(value) for value in list(values)[:MOST]]
        return found

    return complete


def stored(table: str, column: str) -> Complete:
    """Completion by the values of a column of records.

    Args:
        table: A table of records.
        column: Its column; not one that is personal.
    """
    return completing(lambda app, _context, begin: _distinct(app, table, column, begin))


def in_list(names: Iterable[str], begin: str) -> Iterator[str]:
    """What may stand as a list with commas, once the last of it is completed by names that are not in it yet.

    Args:
        names: What may stand in the list.
        begin: The list so far.
    """
    before, comma, _ = begin.rpartition(",")
    taken = before.split(",")
    yield from (f"{before}{comma}{name}" for name in names if name not in taken)


def _distinct(app: "App", table: str, column: str, begin: str) -> Iterator[str]:
    """The values of a column of records that begin so, sorted."""
    import sqlalchemy as sa

    workspace = app.workspace()
    records = workspace.records_of(table)
    values = records.table(table).c[column]
    wanted = sa.select(values).where(values.startswith(begin, autoescape=True)).distinct().order_by(values).limit(MOST)
    with records.engine.connect() as connection:
        yield from connection.execute(wanted).scalars()


def _people(app: "App", _context: click.Context, begin: str) -> Iterator[str]:
    """Ids of customers, for those who may see them."""
    from crm.access import may

    if begin and may(app, "unmask"):
        yield from _distinct(app, "customers", "customer", begin)


def _campaigns(app: "App", _context: click.Context, begin: str) -> Iterator[str]:
    for table in ("campaign_arms", "outbox"):
        yield from _distinct(app, table, "campaign", begin)


def _segments(app: "App", _context: click.Context, begin: str) -> Iterator[str]:
    from crm.segments import SEGMENT_MEMBERS

    yield from _distinct(app, SEGMENT_MEMBERS.name, "segment", begin)


def _tables(app: "App", _context: click.Context, _begin: str) -> Iterable[str]:
    return app.tables


def columns_of(app: "App", context: click.Context, known: Sequence[str]) -> Iterator[str]:
    """Columns that a command may print.

    Args:
        app: The run of the program.
        context: The command's.
        known: What it says of them; without it they are those of the tables that its words name.
    """
    from crm.output_options import ALL_OF, MORE

    words = known or [f"{name}{ALL_OF}" for name in app.tables if name in context.command_path.split()]
    for word in words:
        if word.endswith(ALL_OF):
            yield from (column.name for column in app.tables[word.removesuffix(ALL_OF)].columns)
        elif word != MORE:
            yield word


def _files(_context: click.Context, _parameter: click.Parameter, begin: str) -> "list[CompletionItem]":
    """Files: the shell itself looks for them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begin, type="file")]


BY_NAME: Final[Mapping[str, Complete]] = {
    "who": completing(_people),
    "campaign": completing(_campaigns),
    "segment": completing(_segments),
    "channel": completing(lambda app, _context, _begin: app.host.push_channels()),
    "table": completing(_tables),
    "output_file": _files,
    "files": _files,
}
"""What completes the values of arguments and options, by their names."""


def with_values(command: click.Command) -> click.Command:
    """The command, with values for those of its parameters that have a name in `BY_NAME` and complete nothing yet."""
    for parameter in command.params:
        complete = BY_NAME.get(parameter.name or "")
        if complete is not None and parameter._custom_shell_complete is None:
            parameter._custom_shell_complete = complete
    return command
