"""Every command says what it does, what its options do, and how it is called."""

import re
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from cli.main import main
from crm.app import App
from crm.plugins import Command
from crm.width import width
from plugins import DEFAULT_PLUGINS


def app(folder: Path = Path("/nonexistent")) -> App:
    return App(DEFAULT_PLUGINS, folder)


COMMANDS = {
    path: command
    for path, command in app().host.commands().items()
    if command.ref.target is not None and command.plugin.builtin
}
GROUPS = {path: command for path, command in app().host.commands().items() if command.ref.target is None}

each_command = pytest.mark.parametrize("path", sorted(COMMANDS))


def loaded(path: str) -> click.Command:
    return app().host.load_command(COMMANDS[path])


def examples(command: click.Command) -> list[str]:
    """The lines of shell after `Examples:` in a command's help; one that ends with a backslash goes on in the next."""
    _, _, after = (command.help or "").partition("Examples:")
    joined = re.sub(r"\\\n\s*", "", after)
    return [line.strip() for line in joined.splitlines() if line.strip()]


@pytest.mark.parametrize("command", [*COMMANDS.values(), *GROUPS.values()], ids=lambda each: each.ref.path)
def test_the_list_of_commands_says_one_sentence(command: Command) -> None:
    assert command.ref.help[:1].isupper()
    assert command.ref.help.endswith(".")


@each_command
def test_every_option_has_help(path: str) -> None:
    options = [option for option in loaded(path).params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", ["", *sorted(COMMANDS), *sorted(GROUPS)])
def test_help_fits_a_terminal_of_80_columns(path: str) -> None:
    done = CliRunner().invoke(main, [*path.split(), "--help"], terminal_width=80, prog_name="crm")
    assert done.exit_code == 0
    assert [line for line in done.stdout.splitlines() if width(line) > 80] == []


@each_command
def test_it_has_an_example_that_calls_it(path: str, shell: ModuleType) -> None:
    called = [words for line in examples(loaded(path)) for words in shell.calls(line)]
    assert any(words[: len(path.split())] == path.split() for words in called)


@each_command
def test_the_calls_of_its_examples_are_understood(
    path: str, shell: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in examples(loaded(path)):
        assert shell.calls(line), f"no call of crm in {line!r}"
        for words in shell.calls(line):
            shell.understand(words, tmp_path)
