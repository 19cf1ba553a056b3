"""Calls of `crm` in lines of shell, read by click as the program reads them, without running anything."""

import shlex
from itertools import dropwhile
from pathlib import Path

import click

from cli.main import main
from crm.app import App
from plugins import DEFAULT_PLUGINS


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


def understand(words: list[str], folder: Path) -> None:
    """Let click read a call of `crm`, without running its command."""
    here = App(DEFAULT_PLUGINS, folder)
    known = {path for path, command in here.host.commands().items() if command.ref.target is not None}
    # Commands keep the option --help that their first context gives them, so it is given the names of the program.
    with click.Context(main, info_name="crm", obj=here, **main.context_settings) as context:
        depth = max(depth for depth in range(1, len(words) + 1) if " ".join(words[:depth]) in known)
        command = here.host.load_command(here.host.commands()[" ".join(words[:depth])])
        command.make_context(words[depth - 1], words[depth:], parent=context)
