"""The audit log: entries that are chained by their hashes."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from crm.app import App
from crm.audit import AUDIT, append, check, record, verify
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
        "who": pwd.getpwuid(os.getuid()).pw_name,
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
    def nobody(_uid: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    record(app, "unmask", "x", 1)
    assert entries(app)[0]["who"] == f"uid {os.getuid()}"


def test_who_it_was_is_not_for_the_environment_to_say(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    record(app, "unmask", "x", 1)
    assert entries(app)[0]["who"] == pwd.getpwuid(os.getuid()).pw_name


def test_an_entry_is_stored_with_the_change_that_it_tells_of_or_not_at_all(app: App) -> None:
    records = app.workspace().records
    table = records.table(AUDIT.name)
    with records.begin() as connection:
        assert append(connection, table, "merge", "two", 2) == 1
    with suppress(ZeroDivisionError), records.begin() as connection:
        assert append(connection, table, "merge", "two more", 2) == 2
        raise ZeroDivisionError
    assert [entry["what"] for entry in entries(app)] == ["two"]
    assert verify(records).broken is None


@pytest.mark.parametrize("what", ["a\0b", "file \udcff.csv", "文件.csv", ""])
def test_the_hash_covers_what_is_stored(app: App, what: str) -> None:
    record(app, "import", what, None)
    assert verify(app.workspace().records).broken is None


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """The rows of six entries."""
    app = App(DEFAULT_PLUGINS, tmp_path_factory.mktemp("audit") / "ws")
    records = app.workspace(create=True).records
    table = records.table(AUDIT.name)
    for number in range(6):
        record(app, "unmask", f"what {number}", number or None)
    with records.engine.connect() as connection:
        rows = connection.execute(sa.select(*(table.c[column.name] for column in AUDIT.columns)).order_by("entry"))
        return [tuple(row) for row in rows]


class TestCheck:
    """Nothing that somebody does to the log goes unseen."""

    def test_as_it_was_written_it_is_whole(self, log: list[tuple[object, ...]]) -> None:
        found = check(log)
        assert (found.entries, found.head, found.broken) == (6, log[-1][-1], None)
        assert check([]).head == ""

    @given(st.data())
    def test_an_edited_entry_is_found_and_named(self, log: list[tuple[object, ...]], data: st.DataObject) -> None:
        at, column = data.draw(st.integers(0, 5)), data.draw(st.integers(1, 6))
        value = log[at][column]
        row = [*log[at]]
        row[column] = value + timedelta(microseconds=1) if isinstance(value, datetime) else f"{value}0"
        found = check([*log[:at], row, *log[at + 1 :]])
        assert found.broken is not None
        assert f"entry {at + 1} " in found.broken

    @given(st.integers(0, 4))
    def test_a_missing_entry_is_found(self, log: list[tuple[object, ...]], at: int) -> None:
        assert check([*log[:at], *log[at + 1 :]]).broken == f"entry {at + 1} is missing"

    @given(st.integers(0, 4))
    def test_a_missing_entry_is_found_where_the_others_are_numbered_anew(
        self, log: list[tuple[object, ...]], at: int
    ) -> None:
        rest = [*log[:at], *log[at + 1 :]]
        broken = check([(number, *row[1:]) for number, row in enumerate(rest, start=1)]).broken
        assert broken is not None
        assert f"entry {at + 1} " in broken

    @given(st.permutations(range(6)).filter(lambda order: order != sorted(order)))
    def test_reordered_entries_are_found(self, log: list[tuple[object, ...]], order: list[int]) -> None:
        assert check([(number, *log[at][1:]) for number, at in enumerate(order, start=1)]).broken is not None

    @given(st.integers(0, 5))
    def test_a_cut_tail_is_found_by_a_head_that_was_noted(self, log: list[tuple[object, ...]], left: int) -> None:
        assert check(log[:left]).broken is None
        broken = check(log[:left], str(log[-1][-1])).broken
        assert broken == "no entry has the hash given: entries were cut off, or all written anew"
        assert check(log, str(log[left][-1])).broken is None
