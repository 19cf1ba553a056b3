"""The rows of other commands: each is called in this process and writes a file that is read again.

So what a report shows is what the command prints, masks and all, and no plugin need be imported by this one.
"""

import copy
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

from crm.errors import CrmError, Damaged, UsageError

if TYPE_CHECKING:
    from crm.app import App


@dataclass(frozen=True)
class Printed:
    """What a command has printed.

    Attributes:
        call: The command with all of its arguments, to copy; it names the workspace and the configuration if those were
            named for this run.
        rows: Its rows, with the types that they have in a Parquet file.
        notes: What it has told beside them: what was left out, and why.
        lacking: Names of options that were given and that it does not have.
    """

    call: str
    rows: pl.DataFrame
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def printed(app: "App", words: Sequence[str], given: Mapping[str, str | None]) -> Printed | None:
    """What a command prints; None where there is no such command, or it has nothing to show.

    Args:
        app: The run of the program.
        words: The command and its arguments, without `crm`.
        given: Values of options that are added where the command has them, by their names: `since`, `segment` ...

    Raises:
        UsageError: an argument makes no sense to the command.
        Damaged: what the workspace keeps is damaged.
    """
    found = _found(app, words)
    if found is None:
        return None
    command, length = found
    options = _options(command, given)
    wanted = [*words, *options]
    call = shlex.join(["crm", *app.places, *wanted])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        try:
            notes = _call(app, command, [*wanted[length:], "-o", str(file)])
        except click.ClickException as error:
            raise UsageError(f"{call}: {error.format_message()}") from error
        except UsageError as error:
            raise UsageError(f"{call}: {error}") from error
        except Damaged:
            raise
        except CrmError as error:  # nothing is there yet, or this user may not see it
            app.debug(f"{call} has nothing for the report: {error}")
            return None
        rows = pl.read_parquet(file)
    lacking = tuple(name for name, value in given.items() if value is not None and f"--{name}" not in options)
    return Printed(call, rows, notes, lacking) if rows.height else None


def _options(command: click.Command, given: Mapping[str, str | None]) -> list[str]:
    """The words of those options that a command has, and that are given."""
    known = {name for option in command.params for name in option.opts}
    return [
        word
        for name, value in given.items()
        if value is not None and f"--{name}" in known
        for word in (f"--{name}", value)
    ]


def _found(app: "App", words: Sequence[str]) -> tuple[click.Command, int] | None:
    """The command that words begin with, and how many of them are its name."""
    commands = app.host.commands()
    for length in range(len(words), 0, -1):
        command = commands.get(" ".join(words[:length]))
        if command is not None and command.ref.target is not None:
            return app.host.load_command(command), length
    return None


def _call(app: "App", command: click.Command, arguments: list[str]) -> tuple[str, ...]:
    """Call a command; what it notes is not said but returned."""
    quiet, notes = copy.copy(app), list[str]()
    quiet.verbosity = -1
    vars(quiet)["note"] = notes.append
    with click.Context(click.Command("crm"), obj=quiet) as parent:
        context = command.make_context(command.name, arguments, parent=parent)
        with context:
            command.invoke(context)
    return tuple(note.strip() for note in notes)
