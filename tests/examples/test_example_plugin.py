"""The example plugin, installed as a user would install it, and used through the program."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

PROJECT = Path(__file__).parents[2] / "examples" / "crm-example-plugin"

LINE = '{} - - [{} +0000] "GET {} HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11) Firefox/140.0" {}\n'
LOG = (
    LINE.format("192.0.2.1", "01/Mar/2026:10:00:00", "/shop/shoes/1", "0.012")
    + LINE.format("192.0.2.1", "01/Mar/2026:10:01:00", "/about", "0.007")
    + LINE.format("192.0.2.2", "01/Mar/2026:11:00:00", "/shop/hats", "1.500")
    + LINE.format("192.0.2.3", "02/Mar/2026:09:00:00", "/", "0.001")
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plugin is installed."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([*command, *options, str(PROJECT)], check=True)
    return target


class Program:
    """Calls `crm` in a process of its own, with the plugin on its path."""

    def __init__(self, site: Path, folder: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = inherited | {"PYTHONPATH": os.pathsep.join(paths)}

    def __call__(self, *args: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli", "-w", str(self.folder / "ws"), *args],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment | env,
        )

    def rows(self, *args: str) -> list[dict[str, object]]:
        """The table that a command prints."""
        done = self(*args, "-f", "json")
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, object]] = json.loads(done.stdout)
        return rows


@pytest.fixture
def crm(installed: Path, tmp_path: Path) -> Program:
    return Program(installed, tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> str:
    file = tmp_path / "access.log"
    file.write_text(LOG, encoding="ascii")
    return str(file)


def test_plugins_list_shows_it_with_its_distribution_version_and_hooks(crm: Program) -> None:
    (row,) = (row for row in crm.rows("plugins", "list") if row["name"] == "sections")
    assert (row["distribution"], row["version"], row["state"]) == ("crm-example-plugin", "0.1.0", "loaded")
    assert row["hooks"] == "config_sections, log_formats, miners, register_commands, tables"
    assert row["reason"] == ""


def test_its_group_is_in_the_help_and_its_command_has_help(crm: Program) -> None:
    assert re.search(r"^  sections +Where on the site sessions begin\.$", crm("--help").stdout, re.MULTILINE)
    done = crm("sections", "list", "--help")
    assert done.returncode == 0
    assert "List the sections by their sessions." in done.stdout


def test_help_with_an_installed_plugin_imports_nothing_heavy(crm: Program) -> None:
    code = """
import sys
from cli.main import main
try:
    main(["sections", "list", "--help"])
except SystemExit:
    print(sorted({"polars", "numpy", "sqlalchemy", "deltalake", "sklearn"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=crm.environment)
    assert "List the sections" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_blocked_by_name_it_adds_nothing(crm: Program) -> None:
    done = crm("sections", "list", CRM_BLOCK_PLUGINS="sections")
    assert done.returncode == 2
    assert "No such command 'sections'" in done.stderr


def test_logs_formats_lists_its_format(crm: Program) -> None:
    assert "shop_timed" in {row["name"] for row in crm.rows("logs", "formats")}


def test_config_show_has_its_section_and_a_wrong_value_is_named(crm: Program) -> None:
    assert "sections:\n  depth: 1" in crm("config", "show").stdout
    file = crm.folder / "crm.yaml"
    file.write_text("sections: {depth: none}\n")
    done = crm("-c", str(file), "config", "check")
    assert done.returncode == 4
    assert "sections.depth" in done.stderr


def test_logs_mine_reads_its_format_and_fills_its_table(crm: Program, log: str) -> None:
    mined = crm("logs", "mine", "--log-format", "shop_timed", log)
    assert mined.returncode == 0, mined.stderr
    assert crm.rows("sections", "list") == [
        {"section": "/shop", "sessions": 2, "views": 3},
        {"section": "/", "sessions": 1, "views": 1},
    ]
    query = "SELECT date, section, sessions FROM section_visits ORDER BY date, section"
    assert crm.rows("query", query) == [
        {"date": "2026-03-01", "section": "/shop", "sessions": 2},
        {"date": "2026-03-02", "section": "/", "sessions": 1},
    ]


def test_its_miner_obeys_its_section_of_the_configuration(crm: Program, log: str) -> None:
    file = crm.folder / "crm.yaml"
    file.write_text("sections: {depth: 2}\n")
    mined = crm("-c", str(file), "logs", "mine", "--log-format", "shop_timed", log)
    assert mined.returncode == 0, mined.stderr
    sections = {row["section"] for row in crm.rows("sections", "list")}
    assert sections == {"/shop/shoes", "/shop/hats", "/"}


def test_its_miner_counts_by_date_and_section(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed)
    from crm_example_plugin.mining import section_visits

    day = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    sessions = pl.LazyFrame(
        [
            {"start": day, "entry": "/shop/shoes?page=2", "views": 2},
            {"start": day, "entry": "/shop/", "views": 1},
            {"start": day.replace(day=2), "entry": "/", "views": 5},
        ]
    )
    assert section_visits(sessions, depth=1).collect().rows() == [
        (date(2026, 3, 1), "/shop", 2, 3),
        (date(2026, 3, 2), "/", 1, 5),
    ]
    assert section_visits(sessions, depth=2).collect()["section"].to_list() == ["/shop", "/shop/shoes", "/"]
