"""Every command says what it does, what its options do, and how it is called."""

import shlex
from itertools import dropwhile
from pathlib import Path

import click
import pytest

from cli.main import main
from crm.app import App
from crm.plugins import Command
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
    """The lines after `Examples:` in a command's help."""
    _, _, after = (command.help or "").partition("Examples:")
    return [line.strip() for line in after.splitlines() if line.strip()]


def calls(line: str) -> list[list[str]]:
    """The words of each call of `crm` in a line of shell, without what is redirected."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|><;&")
    lexer.whitespace_split = True
    found: list[list[str]] = []
    words: list[str] = []
    redirected = False
    for word in [*lexer, ";"]:
        if word in ("|", ";", "&&"):
            words = list(dropwhile(lambda word: "=" in word, words))  # variables for this call
            if words[:1] == ["crm"]:
                found.append(after_global_options(words[1:]))
            words, redirected = [], False
        elif word in (">", "<"):
            redirected = True
        elif not redirected:
            words.append(word)
    return found


def after_global_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-w", "--workspace", "-c", "--config") else words[1:]
    return words


@pytest.mark.parametrize("command", [*COMMANDS.values(), *GROUPS.values()], ids=lambda each: each.ref.path)
def test_the_list_of_commands_says_one_sentence(command: Command) -> None:
    assert command.ref.help[:1].isupper()
    assert command.ref.help.endswith(".")


@each_command
def test_every_option_has_help(path: str) -> None:
    options = [option for option in loaded(path).params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@each_command
def test_it_has_an_example_that_calls_it(path: str) -> None:
    called = [words for line in examples(loaded(path)) for words in calls(line)]
    assert any(words[: len(path.split())] == path.split() for words in called)


@each_command
def test_the_calls_of_its_examples_are_understood(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line in examples(loaded(path)):
        assert calls(line), f"no call of crm in {line!r}"
        for words in calls(line):
            understand(words, tmp_path)


def understand(words: list[str], folder: Path) -> None:
    """Let click read a call of `crm`, without running its command."""
    here = app(folder)
    # Commands keep the option --help that their first context gives them, so it is given the names of the program.
    with click.Context(main, info_name="crm", obj=here, **main.context_settings) as context:
        depth = max(depth for depth in range(1, len(words) + 1) if " ".join(words[:depth]) in COMMANDS)
        command = here.host.load_command(COMMANDS[" ".join(words[:depth])])
        command.make_context(words[depth - 1], words[depth:], parent=context)
