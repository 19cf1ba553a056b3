"""Messages are never lost or queued twice, and never come back from a final state, whatever happens in which order."""

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crm import outbox
from crm.outbox import FINAL, OUTBOX, STATES, TRANSITIONS, Outcome, enqueue, message_id, next_state
from crm.protection import RecordsConfig
from crm.tables import Table
from crm.workspace import Workspace, write_key

KEY = bytes(range(32))
START = datetime(2026, 3, 2, tzinfo=UTC)
LEASE = timedelta(minutes=5)
TABLES: dict[str, Table] = {OUTBOX.name: OUTBOX}


def opened(folder: Path, url: str | None = None) -> Workspace:
    write_key(folder, KEY)
    return Workspace.open(folder, TABLES, where=RecordsConfig(url))


def rows(*keys: str, **more: Any) -> pl.DataFrame:
    row = {"campaign": "c", "channel": "email", "template": "t", "items": ["1"], "data": None, "expires": None}
    found = [{"key": key, "customer": "K", "send_after": START, **row, **more} for key in keys]
    return pl.DataFrame(found, schema_overrides={"expires": pl.Datetime("us", "UTC"), "data": pl.String})


def states(workspace: Workspace) -> dict[str, str]:
    frame = workspace.records.frame("outbox", columns=["message", "state"])
    return dict(frame.iter_rows())


@given(text=st.text(), other=st.text())
def test_ids_are_fixed_by_their_text_and_the_key(text: str, other: str) -> None:
    found = message_id(KEY, text)
    assert len(found) == 26
    assert found.isalnum()
    assert found.isascii()
    assert (found == message_id(KEY, other)) == (text == other)
    assert found != message_id(bytes(32), text)


def test_what_is_queued_twice_is_there_once(tmp_path: Path, records_url: str | None) -> None:
    workspace = opened(tmp_path / "ws", records_url)
    with workspace.records.begin() as connection:
        assert enqueue(workspace, connection, rows("a", "b", "a")) == 2
        assert enqueue(workspace, connection, rows("b", "c", campaign="other")) == 1
        assert enqueue(workspace, connection, rows("a", "b", "c")) == 0
    frame = workspace.records.frame("outbox")
    assert sorted(frame["message"]) == sorted(message_id(KEY, key) for key in "abc")
    assert sorted(frame["campaign"]) == ["c", "c", "other"]
    assert frame["items"].to_list() == ['["1"]'] * 3
    assert frame["data"].to_list() == ["{}"] * 3


def test_senders_at_once_claim_each_message_once(tmp_path: Path, records_url: str | None) -> None:
    workspace = opened(tmp_path / "ws", records_url)
    with workspace.records.begin() as connection:
        enqueue(workspace, connection, rows(*map(str, range(60))))

    def claim(number: int) -> list[str]:
        own = opened(tmp_path / "ws", records_url).records
        with own.begin() as connection:
            return outbox.claim(own, connection, START, 7, LEASE, sender=f"home.{number}")["message"].to_list()

    with ThreadPoolExecutor(6) as pool:
        claimed = [name for names in pool.map(claim, range(12)) for name in names]
    assert len(claimed) == len(set(claimed)) == 60


def test_the_table_of_transitions_is_whole() -> None:
    for event, (origins, goal) in TRANSITIONS.items():
        assert goal in STATES
        assert not set(origins) & set(FINAL)
        assert [next_state(state, event) for state in STATES] == [
            goal if state in origins else None for state in STATES
        ]
    left = {state for state in STATES if all(next_state(state, event) is None for event in TRANSITIONS)}
    assert left == set(FINAL)


def test_old_claims_of_a_home_are_let_go_and_of_others_not(tmp_path: Path) -> None:
    workspace = opened(tmp_path / "ws")
    records, table = workspace.records, workspace.records.table("outbox")
    with records.begin() as connection:
        enqueue(workspace, connection, rows("a", "b"))
        outbox.claim(records, connection, START, 1, LEASE, sender="here.1")
        outbox.claim(records, connection, START, 1, LEASE, sender="there.1")
        assert outbox.claim(records, connection, START, 9, LEASE, sender="here.2").height == 0
        assert outbox.let_go(connection, table, "here", START) == 1
        taken = outbox.claim(records, connection, START, 9, LEASE, sender="here.2")
        assert (taken.height, taken["tries"].to_list()) == (1, [1])
        outbox.renew(connection, table, "there.1", START + 2 * LEASE)
        assert outbox.claim(records, connection, START + LEASE, 9, LEASE, sender="here.3").height == 1
        assert outbox.claim(records, connection, START + 2 * LEASE, 9, LEASE, sender="here.4").height == 1


def test_what_a_dead_sender_had_is_taken_alone_and_fails_if_all_die_of_it(tmp_path: Path) -> None:
    workspace = opened(tmp_path / "ws")
    records, table = workspace.records, workspace.records.table("outbox")
    now = START
    with records.begin() as connection:
        enqueue(workspace, connection, rows("a", "b", "c"))
        outbox.claim(records, connection, now, 2, LEASE, sender="s.0")
        for number in range(1, 4):
            now += LEASE
            assert outbox.deadly(connection, table, now, 3, sender=f"s.{number}") == 0
            taken = outbox.claim(records, connection, now, 9, LEASE, sender=f"s.{number}")
            assert (taken.height, taken["tries"].to_list()) == (1, [number])
        now += LEASE
        assert outbox.claim(records, connection, now, 9, LEASE, sender="s.9", idle=False).height == 1  # the last, due
        assert outbox.deadly(connection, table, now, 3, sender="s.9") == 1
        (failed,) = records.frame("outbox", connection=connection).filter(state="failed").to_dicts()
        assert (failed["tries"], failed["sender"]) == (3, None)
        assert failed["error"].startswith(outbox.ENDED)
        (other,) = outbox.claim(records, connection, now, 9, LEASE, sender="s.9").to_dicts()
        assert (other["tries"], other["error"]) == (1, outbox.ENDED)
        outbox.settle(connection, table, [Outcome(other["message"], "again", "busy")], now, "s.9")
        assert records.frame("outbox", connection=connection)["error"].drop_nulls().sort().to_list()[0] == "busy"


@pytest.mark.parametrize("event", ["again", "release", "give up"])
def test_a_failure_does_not_count_once_another_sender_has_the_message(tmp_path: Path, event: outbox.Event) -> None:
    workspace = opened(tmp_path / "ws")
    records, table = workspace.records, workspace.records.table("outbox")
    with records.begin() as connection:
        enqueue(workspace, connection, rows("a"))
        for number in (1, 2):
            outbox.claim(records, connection, START + number * LEASE, 1, LEASE, sender=f"home.{number}")
        name = message_id(KEY, "a")
        outbox.settle(connection, table, [Outcome(name, event, "why")], START, "home.1")
        assert records.frame("outbox", connection=connection)["sender"].to_list() == ["home.2"]
        outbox.settle(connection, table, [Outcome(name, "sent")], START, "home.1")
        outbox.settle(connection, table, [Outcome(name, event, "why")], START, "home.2")
        assert records.frame("outbox", connection=connection)["state"].to_list() == ["sent"]


SENDERS = ("a.1", "a.2", "b.1")


class Life(RuleBasedStateMachine):
    """Senders claim, send, fail, die; receivers acknowledge, twice or too late; time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="crm-outbox-"))
        self.workspace = opened(self.folder / "ws")
        self.records = self.workspace.records
        self.table = self.records.table("outbox")
        self.now = START
        self.has: dict[str, set[str]] = {sender: set() for sender in SENDERS}
        self.sent: set[str] = set()
        self.queued: set[str] = set()
        self.before: dict[str, str] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def change(self, do: "Callable[[Any], object]") -> None:
        with self.records.begin() as connection:
            do(connection)

    @rule(number=st.integers(0, 9), life=st.none() | st.integers(1, 60))
    def queue(self, number: int, life: int | None) -> None:
        expires = None if life is None else START + timedelta(minutes=life)
        self.change(lambda connection: enqueue(self.workspace, connection, rows(str(number), expires=expires)))
        self.queued.add(message_id(KEY, str(number)))

    @rule(sender=st.sampled_from(SENDERS), limit=st.integers(1, 4))
    def claim(self, sender: str, limit: int) -> None:
        with self.records.begin() as connection:
            found = outbox.claim(self.records, connection, self.now, limit, LEASE, sender=sender)
        others = {name for other in SENDERS if other != sender for name in self.valid(other)}
        assert not others & set(found["message"])
        self.has[sender] |= set(found["message"])

    def valid(self, sender: str) -> set[str]:
        frame = self.records.frame("outbox", where=self.table.c.sender == sender).filter(state="sending")
        return set(frame.filter(pl.col("claimed") > self.now)["message"])

    @rule(
        sender=st.sampled_from(SENDERS),
        event=st.sampled_from(["sent", "acknowledged", "again", "release", "give up"]),
        count=st.integers(1, 3),
    )
    def settle(self, sender: str, event: outbox.Event, count: int) -> None:
        names = sorted(self.has[sender])[:count]
        self.has[sender] -= set(names)
        held = set(self.records.frame("outbox", where=self.table.c.sender == sender)["message"])
        outcomes = [Outcome(name, event, "why", self.now + timedelta(minutes=1)) for name in names]
        old = states(self.workspace)
        self.change(lambda connection: outbox.settle(connection, self.table, outcomes, self.now, sender))
        new = states(self.workspace)
        for name in names:
            goal = next_state(old[name], event)  # type: ignore[arg-type]  # states are texts in the records
            fails = event in ("again", "release", "give up") and name not in held
            assert new[name] == (old[name] if goal is None or fails else goal)
            if event in ("sent", "acknowledged"):
                self.sent.add(name)

    @rule(number=st.integers(0, 9))
    def acknowledge(self, number: int) -> None:
        name = message_id(KEY, str(number))
        self.change(lambda connection: outbox.acknowledge(connection, self.table, [name], self.now))
        self.sent.add(name)

    @rule()
    def tidy(self) -> None:
        within = {"email": timedelta(minutes=20)}
        self.change(lambda connection: outbox.overdue(connection, self.table, self.now, within, 3))
        self.change(lambda connection: outbox.expire(connection, self.table, self.now))

    @rule(home=st.sampled_from(["a", "b"]))
    def die(self, home: str) -> None:
        for sender in SENDERS:
            if sender.startswith(home):
                self.has[sender].clear()
        self.change(lambda connection: outbox.let_go(connection, self.table, home, self.now))

    @rule(minutes=st.integers(1, 30))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def nothing_is_lost(self) -> None:
        now = states(self.workspace)
        assert set(now) == self.queued
        for name, state in self.before.items():
            assert state not in FINAL or now[name] == state
        for name, state in now.items():
            assert state not in ("sent", "acknowledged") or name in self.sent
        self.before = now
        frame = self.records.frame("outbox")
        assert frame.filter((pl.col("state") == "sending") != pl.col("sender").is_not_null()).height == 0
        assert frame.filter((pl.col("state") == "acknowledged") != pl.col("acknowledged").is_not_null()).height == 0
        assert frame.filter(pl.col("tries") < 0).height == 0


TestLife = pytest.mark.filterwarnings("default::ResourceWarning")(Life.TestCase)
TestLife.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
