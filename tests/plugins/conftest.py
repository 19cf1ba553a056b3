"""Logs made for one test, and the program on a workspace of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

from cli.main import main
from crm import output
from crm.app import App
from crm.output_options import MORE
from crm.workspace import Workspace, write_key
from plugins import DEFAULT_PLUGINS

START = datetime(2026, 3, 2, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
KEY = bytes(range(32))
TABLES = ("hits", "sessions", "pages", "transitions", "top_paths", "patterns", "rules")


class Crm:
    """The program on one workspace, in this process or in one of its own."""

    START, FIREFOX, GOOGLEBOT = START, FIREFOX, GOOGLEBOT

    def __init__(self, folder: Path, records_url: str | None = None, lake_section: str = "") -> None:
        self.folder = folder
        self.workspace = folder / "ws"
        self.records_url = records_url
        self.lake_section = lake_section
        write_key(self.workspace, KEY)
        if records_url or lake_section:
            self.configure("")

    def __call__(self, *args: object, code: int = 0, stdin: bytes | None = None) -> Result:
        """Call it and expect this exit code."""
        words = ["-w", str(self.workspace), *map(str, args)]
        result = CliRunner().invoke(main, words, input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def process(self, *args: object, program: str = "from cli.main import run; run()") -> "subprocess.Popen[bytes]":
        """Start it in a process of its own, or a program that calls it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        return subprocess.Popen(
            [sys.executable, "-c", program, "-w", str(self.workspace), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )

    def rows(self, *args: object) -> list[dict[str, Any]]:
        """The table that a command prints."""
        found: list[dict[str, Any]] = json.loads(self(*args, "-f", "json").stdout)
        return found

    def configure(self, text: str) -> None:
        """Write the workspace's configuration; where its records and its lake are stays as it was."""
        records = f"records: {{url: '{self.records_url}'}}\n" if self.records_url else ""
        (self.workspace / "crm.yaml").write_text(records + self.lake_section + text, encoding="utf-8")

    def plugin(self, name: str, body: str) -> None:
        """Add a single-file plugin to the workspace."""
        folder = self.workspace / "plugins"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        file = folder / f"{name}.py"
        file.write_text(f"from crm import Column, CommandRef, LogFormat, Miner, Table, hookimpl\n{body}\n")
        file.chmod(0o644)
        self.configure("plugins: {folder: plugins}\n")

    def open(self) -> Workspace:
        """The workspace."""
        return App(DEFAULT_PLUGINS, self.workspace).workspace()

    def table(self, name: str) -> pl.DataFrame:
        """A table of the lake without what tells where and when its rows came from, sorted."""
        frame = self.open().scan(name).drop("source", "line", "run", strict=False).collect()
        flat = [column for column in frame.columns if not frame[column].dtype.is_nested()]
        return frame.sort(flat, maintain_order=True)

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables that mining makes."""
        return {name: self.table(name) for name in TABLES}

    def log(self, name: str, *lines: str, end: str = "\n") -> Path:
        """Write a log."""
        file = self.folder / name
        file.write_text("\n".join(lines) + end, encoding="utf-8")
        return file

    def lines(self, count: int, first: int = 0) -> list[str]:
        """Lines of two visitors, a minute apart, over midnight where there are many."""
        pages = ("/", "/a", "/b", "/c")
        return [self.line(79_200 + 60 * n, pages[n % 4], who=1 + n % 2) for n in range(first, first + count)]

    def counts(self) -> tuple[int, int]:
        """Stored hits, and sources."""
        return self.table("hits").height, len(self.rows("logs", "status"))

    def grow(self, file: Path, *lines: str, end: str = "\n") -> None:
        """Write more lines to a log."""
        with file.open("a", encoding="utf-8") as out:
            out.write("\n".join(lines) + end)

    @staticmethod
    def line(
        at: float = 0,
        page: str = "/",
        who: int = 1,
        *,
        status: int = 200,
        login: str = "-",
        agent: str = FIREFOX,
        referrer: str = "-",
        method: str = "GET",
        size: int | str = 100,
    ) -> str:
        """One line in the combined format; `at` seconds after midnight, by the visitor number `who`."""
        time = (START + timedelta(seconds=at)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        request = f"{method} {page} HTTP/1.1"
        return f'192.0.2.{who} - {login} [{time}] "{request}" {status} {size} "{referrer}" "{agent}"'


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CRM_") and name != "CRM_REFERENCE_DATA":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _declared_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command prints a column that its help does not tell of."""
    selected = output._selected

    def check(frame: pl.LazyFrame, columns: tuple[str, ...] | None) -> pl.LazyFrame:
        context = click.get_current_context()
        kinds = [option.type for option in context.command.params if option.name == "output_columns"]
        known = {name for kind in kinds for name in getattr(kind, "known", ())}
        if known and MORE not in known:
            assert set(frame.collect_schema().names()) <= known, context.command_path
        return selected(frame, columns)

    monkeypatch.setattr(output, "_selected", check)


@pytest.fixture
def crm(tmp_path: Path) -> Crm:
    return Crm(tmp_path)


@pytest.fixture
def crm_on(tmp_path: Path, records_url: str | None) -> Crm:
    """As `crm`, twice: with records in the workspace, and in an empty PostgreSQL database of this test alone.

    Use it instead of `crm` for whatever reads or writes records. It is skipped for PostgreSQL where that is missing.
    """
    return Crm(tmp_path, records_url)


@pytest.fixture
def crm_at(tmp_path: Path, lake_section: str) -> Crm:
    """As `crm`, three times: with the lake in the workspace, in a shared folder, and in an object store."""
    return Crm(tmp_path, None, lake_section)


@pytest.fixture(scope="session")
def new_crm() -> Callable[[Path], Crm]:
    return Crm


@pytest.fixture(scope="session")
def same() -> Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]:
    """Says where two sets of tables differ."""

    def check(found: dict[str, pl.DataFrame], wanted: dict[str, pl.DataFrame]) -> None:
        from polars.testing import assert_frame_equal

        for name, frame in wanted.items():
            assert_frame_equal(found[name], frame)

    return check
