"""The audit log: entries that are chained by their hashes."""

import getpass
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from crm.app import App
from crm.audit import record
from plugins import DEFAULT_PLUGINS


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = App(DEFAULT_PLUGINS, tmp_path / "ws")
    app.workspace(create=True)
    return app


def entries(app: App) -> list[dict[str, Any]]:
    return app.workspace().records.frame("audit").sort("entry").to_dicts()


def test_an_entry_says_who_did_what_to_how_many_rows_and_when(app: App) -> None:
    before = datetime.now(UTC)
    record(app, "unmask", "crm query: login", 7)
    (entry,) = entries(app)
    assert before <= entry["ts"] <= datetime.now(UTC)
    assert {name: entry[name] for name in ("entry", "who", "action", "what", "rows")} == {
        "entry": 1,
        "who": getpass.getuser(),
        "action": "unmask",
        "what": "crm query: login",
        "rows": 7,
    }


def test_each_hash_covers_its_entry_and_the_hash_before(app: App) -> None:
    record(app, "unmask", "one", 1)
    record(app, "unmask", "two", None)
    before = ""
    for entry in entries(app):
        ts = entry["ts"].replace(tzinfo=None).isoformat()
        fields = (entry["entry"], ts, entry["who"], entry["action"], entry["what"], entry["rows"])
        assert entry["hash"] == sha256("\0".join([before, *map(str, fields)]).encode()).hexdigest()
        before = entry["hash"]


def test_entries_made_at_the_same_time_all_find_their_place(app: App) -> None:
    app.workspace().records.count("audit")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: record(app, "unmask", str(n), n), range(12)))
    found = entries(app)
    assert [entry["entry"] for entry in found] == list(range(1, 13))
    assert len({entry["hash"] for entry in found}) == 12


def test_without_a_workspace_nothing_is_recorded_or_made(tmp_path: Path) -> None:
    record(App(DEFAULT_PLUGINS, tmp_path / "none"), "unmask", "x", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_name_is_known_by_number(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    record(app, "unmask", "x", 1)
    assert entries(app)[0]["who"] == f"uid {os.getuid()}"
