"""Fixtures for the tests of plugins: the program on a workspace of its own, and sessions to work on.

A plugin's `conftest.py` takes them in by `pytest_plugins = ["crm.testing"]`. pytest itself is not among the
dependencies of this program: it is imported only here.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import polars as pl
    from click.testing import Result

    from crm.workspace import Workspace

SAMPLE_START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When the first session of the sample log begins."""

_PATHS: Final = (
    ("/", "/c/food", "/item/1001", "/cart"),
    ("/", "/c/food", "/item/1002"),
    ("/item/1001", "/item/1002"),
    ("/search?q=rice", "/item/1001", "/cart", "/pay"),
    ("/about",),
)
"""What visitors look at, one after the other; the sixth begins anew."""
_VISITORS: Final = 12
_ROUNDS: Final = 4
_PERSON: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_ROBOT: Final = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def sample_lines() -> list[str]:
    """The lines of the sample log: 48 sessions of 12 visitors on four days, four of them logged in, and a robot."""
    lines = []
    for turn in range(_ROUNDS):
        for visitor in range(_VISITORS):
            start = SAMPLE_START + timedelta(days=turn, minutes=7 * visitor)
            login = f"K{visitor:04d}" if visitor % 3 == 0 else "-"
            for at, page in enumerate(_PATHS[(visitor + turn) % len(_PATHS)]):
                lines.append(_line(start + timedelta(seconds=40 * at), visitor + 1, page, login, _PERSON))
        lines.append(_line(SAMPLE_START + timedelta(days=turn, hours=3), 200, "/robots.txt", "-", _ROBOT))
    return lines


def _line(when: datetime, host: int, page: str, login: str, agent: str) -> str:
    time = when.strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'192.0.2.{host} - {login} [{time}] "GET {page} HTTP/1.1" 200 512 "-" "{agent}"'


class Program:
    """`crm` on a workspace of its own, called in this process, with all plugins that are installed.

    Args:
        folder: Where the workspace is made.
    """

    def __init__(self, folder: Path) -> None:
        self.workspace_path = folder / "workspace"

    def __call__(self, *args: object, code: int | None = 0, stdin: bytes | None = None) -> "Result":
        """Call it: `run_crm("logs", "status")`.

        Args:
            args: The words of the command line, behind `crm`.
            code: The exit code that is expected; None for any.
            stdin: What it reads from standard input.

        Returns:
            What click's runner gives: `stdout`, `stderr`, `exit_code`.

        Raises:
            AssertionError: it ended with another exit code.
        """
        from click.testing import CliRunner

        # The program stands above this package, so it is not imported by the import system's layers but by name.
        main = import_module("cli.main").main
        result = CliRunner().invoke(main, ["-w", str(self.workspace_path), *map(str, args)], input=stdin)
        if code is not None:
            told = f"`crm {' '.join(map(str, args))}` ended with {result.exit_code}:\n{result.output}"
            assert result.exit_code == code, told
        return result

    def rows(self, *args: object) -> list[dict[str, Any]]:
        """The table that a command prints, a dict a row."""
        rows: list[dict[str, Any]] = json.loads(self(*args, "-f", "json").stdout)
        return rows

    def configure(self, text: str) -> None:
        """Write the workspace's configuration, `crm.yaml`."""
        self.workspace_path.mkdir(mode=0o700, exist_ok=True)
        (self.workspace_path / "crm.yaml").write_text(text, encoding="utf-8")

    def mine(self, log: Path, *args: object) -> "Result":
        """Mine a log: hits, sessions, and the tables of all miners."""
        return self("logs", "mine", log, *args)

    def open(self) -> "Workspace":
        """The workspace, to look at its tables from Python: `open().scan("sessions")`."""
        from crm.app import App

        return App(import_module("plugins").DEFAULT_PLUGINS, self.workspace_path).workspace()


@pytest.fixture
def run_crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program on an empty workspace; no variable `CRM_...` of the environment has a say."""
    for name in [name for name in os.environ if name.startswith("CRM_")]:
        monkeypatch.delenv(name)
    return Program(tmp_path)


@pytest.fixture
def sample_log(tmp_path: Path) -> Path:
    """A small log in the combined format (see `sample_lines`)."""
    return log_file(tmp_path / "access.log", sample_lines())


@pytest.fixture
def mined_crm(run_crm: Program, sample_log: Path) -> Program:
    """The program on a workspace into which the sample log has been mined."""
    run_crm.mine(sample_log)
    return run_crm


@pytest.fixture
def sample_sessions(mined_crm: Program) -> "pl.LazyFrame":
    """People's sessions of the sample log, as a miner is given them."""
    import polars as pl

    return mined_crm.open().scan("sessions").filter(pl.col("bot").is_null())


def log_file(path: Path, lines: Sequence[str]) -> Path:
    """Write lines as a log."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
