"""A workspace whose configuration adds a file of commands that end in every way there is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main

PROBE = """
import os, signal, sys, time
import click
from crm import CommandRef, hookimpl, pass_app
from crm import errors


@hookimpl
def register_commands():
    here = __name__
    return [
        CommandRef("probe", "End in every way there is."),
        CommandRef("probe raises", "Raise an error by its name.", f"{here}:raises"),
        CommandRef("probe app", "Show what the app knows.", f"{here}:app"),
        CommandRef("probe lines", "Print lines.", f"{here}:lines"),
        CommandRef("probe late", "Print when told to.", f"{here}:late"),
        CommandRef("probe sleep", "Wait.", f"{here}:sleep"),
        CommandRef("probe text", "Print any text.", f"{here}:text"),
        CommandRef("probe lost", "Is not there.", "no_such_module:command"),
        CommandRef("plugins extra", "Stand in a group of another plugin.", f"{here}:app"),
    ]


@click.command()
@click.argument("name")
def raises(name):
    "Raise an error by its name."
    print("before")
    if name == "exit":
        click.get_current_context().exit(7)
    if name == "full":
        raise OSError(28, "No space left on device")
    if name == "files":
        raise OSError(24, "Too many open files")
    if name == "denied":
        raise PermissionError(13, "Permission denied", "/there/it is")
    if name == "memory":
        raise MemoryError
    kinds = {**vars(errors), **vars(click), "KeyboardInterrupt": KeyboardInterrupt, "KeyError": KeyError}
    raise kinds[name]("what is wrong")


@click.command()
@pass_app
def app(app):
    "Show what the app knows."
    print(app.workspace_path, app.config_file, app.verbosity)
    app.note("a note")
    app.warn("a warning")
    app.debug("a detail")


@click.command()
def lines():
    "Print lines."
    for number in range(100_000):
        print(number)


@click.command()
def late():
    "Print when told to."
    sys.stdin.readline()
    print("late")
    print("late", file=sys.stderr)


@click.command()
def sleep():
    "Wait."
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may be born deaf to it
    print("ready", flush=True)
    time.sleep(60)


@click.command()
def text():
    "Print any text."
    print("caf\\u00e9 \\u5ba2\\u6237 \\ud800 \\udcff")
"""


class Program:
    """Calls the program, in this process or in one of its own."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        ours = ("CRM_", "PYTHON")  # unbuffered output would hide what happens at the last flush
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}

    def __call__(self, *args: str, env: dict[str, str] | None = None) -> Result:
        """Call it in this process, with the workspace."""
        return CliRunner().invoke(main, ["-w", str(self.workspace), *args], env=env)

    def process(self, *args: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start it in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "-w", str(self.workspace), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | (env or {}),
        )


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    for name in os.environ:
        if name.startswith("CRM_"):
            monkeypatch.delenv(name)
    workspace = tmp_path / "ws"
    folder = workspace / "plugins"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "probe.py").write_text(PROBE, encoding="utf-8")
    (folder / "probe.py").chmod(0o644)
    (workspace / "crm.yaml").write_text("plugins: {folder: plugins}\n")
    return Program(workspace)
