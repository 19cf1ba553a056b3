"""The rows of other commands: each is called in this process and writes a file that is read again.

So what a report shows is what the command prints, masks and all, and no plugin need be imported by this one.
"""

import copy
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

from crm.errors import CrmError

if TYPE_CHECKING:
    from crm.app import App


def rows_of(app: "App", words: Sequence[str], given: Mapping[str, str | None]) -> pl.DataFrame | None:
    """What a command prints; None where there is no such command, or it has nothing to show.

    Args:
        app: The run of the program.
        words: The command and its arguments, without `crm`.
        given: Values of options that are added where the command has them, by their names: `since`, `segment` ...

    Returns:
        Its rows, with the types that they have in a Parquet file.
    """
    found = _found(app, words)
    if found is None:
        return None
    command, arguments = found
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        try:
            _call(app, command, [*arguments, *options(command, given), "-o", str(file)])
        except (CrmError, click.ClickException) as error:
            app.debug(f"crm {' '.join(words)} has nothing for the report: {_sentence(error)}")
            return None
        rows = pl.read_parquet(file)
    return rows if rows.height else None


def options(command: click.Command, given: Mapping[str, str | None]) -> list[str]:
    """The words of those options that a command has, and that are given."""
    known = {name for option in command.params for name in option.opts}
    return [
        word
        for name, value in given.items()
        if value is not None and f"--{name}" in known
        for word in (f"--{name}", value)
    ]


def command_of(app: "App", words: Sequence[str]) -> click.Command | None:
    """The command that words call; None if there is none."""
    found = _found(app, words)
    return found[0] if found else None


def _found(app: "App", words: Sequence[str]) -> tuple[click.Command, list[str]] | None:
    """The command, and the words behind its name."""
    commands = app.host.commands()
    for length in range(len(words), 0, -1):
        command = commands.get(" ".join(words[:length]))
        if command is not None and command.ref.target is not None:
            return app.host.load_command(command), list(words[length:])
    return None


def _call(app: "App", command: click.Command, arguments: list[str]) -> None:
    quiet = copy.copy(app)
    quiet.verbosity = -1
    with click.Context(click.Command("crm"), obj=quiet) as parent:
        context = command.make_context(command.name, arguments, parent=parent)
        with context:
            command.invoke(context)


def _sentence(error: CrmError | click.ClickException) -> str:
    return error.format_message() if isinstance(error, click.ClickException) else str(error)
