"""What customers agree to is kept with time and source, and the last word counts."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.consents import ANY, allowed, history, say
from crm.whose import all_ids

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.conftest import Crm

START = datetime(2026, 3, 1, tzinfo=UTC)
CHANNELS = ("email", "sms", ANY)
words = st.lists(st.tuples(st.sampled_from(CHANNELS), st.integers(0, 5), st.booleans()), max_size=12)


def customers(crm: "Crm") -> None:
    file = crm.folder / "customers.csv"
    file.write_text("id,name,phone\nK1,张三,13800138000\nK2,李四,13900139000\n", encoding="utf-8")
    crm("customers", "import", file)


def holds(said: list[tuple[str, int, bool]], channel: str) -> bool:
    """The obviously right rule: what was said last of the channel or of all; in doubt the withdrawal."""
    about = [(at, not granted) for (name, at), granted in _kept(said).items() if name in (channel, ANY)]
    return bool(about) and not max(about)[1]


def _kept(said: list[tuple[str, int, bool]]) -> dict[tuple[str, int], bool]:
    """What is said again of one moment replaces what was said."""
    return {(channel, at): granted for channel, at, granted in said}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=words)
def test_the_last_word_counts(crm: "Crm", said: list[tuple[str, int, bool]]) -> None:
    customers(crm)
    records = crm.open().records
    table = records.table("consents")
    with records.begin() as connection:
        connection.execute(table.delete())
        for channel, at, granted in said:
            say(connection, table, "K1", channel, "form", granted=granted, at=START + timedelta(hours=at))
    with records.engine.connect() as connection:
        for channel in ("email", "sms", "post"):
            assert allowed(connection, table, "K1", channel) == holds(said, channel)
        assert not allowed(connection, table, "K2", "email")
    listed = history(records.frame("consents"))
    assert listed.height == len(_kept(said))
    for channel in {name for name, _, _ in said} - {ANY}:
        counting = listed.filter(pl.col("holds") & pl.col("channel").is_in([channel, ANY]))
        assert counting["granted"].to_list()[-1] == holds(said, channel)


def test_a_word_is_stored_with_its_time_and_source_and_recorded(crm_on: "Crm") -> None:
    crm = crm_on
    customers(crm)
    given = ("--grant", "--source", "order form", "--at", "2026-03-01T09:30", "--tz", "Asia/Shanghai")
    crm("customers", "consent", "138-0013-8000", "--channel", "email", *given)
    crm("customers", "consent", "K1", "--withdraw")
    first, second = crm.rows("customers", "consent", "K1")
    said = {"channel": "email", "ts": "2026-03-01T01:30:00+00:00", "granted": True, "source": "order form"}
    assert first == {**said, "holds": False}
    assert (second["channel"], second["granted"], second["holds"]) == (ANY, False, True)
    assert crm.rows("customers", "consent", "K1", "--channel", "email") == [first]
    assert crm.rows("customers", "consent", "K2") == []
    what = [row["what"] for row in crm.rows("audit", "log", "--where", "action = 'consent'")]
    assert what == ["email: granted by a customer", "all: withdrawn by a customer"]


def test_a_withdrawal_in_another_writing_is_about_the_same_channel(crm: "Crm") -> None:
    customers(crm)
    crm("customers", "consent", "K1", "--channel", "E-Mail", "--grant", "--at", "2026-03-01")
    file = crm.log("withdrawn.csv", "customer,channel,date,consent", "K1,电子邮件,2026-03-02,退订")
    crm("consents", "import", file)
    rows = crm.rows("customers", "consent", "K1", "--channel", "EMAIL")
    assert [(row["channel"], row["granted"], row["holds"]) for row in rows] == [
        ("email", True, False),
        ("email", False, True),
    ]


def test_what_was_said_before_a_merge_counts_after_it(crm: "Crm", tmp_path: "Path") -> None:
    customers(crm)
    crm("customers", "consent", "K1", "--channel", "email", "--grant", "--at", "2026-03-01")
    crm("customers", "consent", "K2", "--channel", "email", "--withdraw", "--at", "2026-03-02")
    pairs = pl.DataFrame({"customer": ["K1", "K2"], "person": [1, 1]})
    from plugins.customers.merges import apply

    workspace = crm.open()
    with workspace.records.begin() as connection:
        apply(workspace, connection, pairs, None)
    assert [row["granted"] for row in crm.rows("customers", "consent", "K1")] == [True, False]
    with workspace.records.engine.connect() as connection:
        table, ids = workspace.records.table("consents"), all_ids(workspace, connection, "K1")
        assert not allowed(connection, table, ids, "email")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("K9",), 6, "no customer is known by this"),
        (("K1", "--source", "form"), 2, "add --grant or --withdraw"),
        (("K1", "--grant"), 2, "name the channel that is granted"),
        (("K1", "--grant", "--channel", " "), 2, "--channel is empty"),
        (("K1", "--withdraw", "--at", "tomorrow"), 2, "--at: `tomorrow` is no time"),
        (("K1", "--withdraw", "--at", "2999-01-01"), 2, "has not come yet"),
        (("K1", "--grant", "--channel", "emial"), 0, "no channel `emial` is known (did you mean `email`?)"),
    ],
)
def test_mistakes_are_told(crm: "Crm", words: tuple[str, ...], code: int, said: str) -> None:
    customers(crm)
    assert said in crm("customers", "consent", *words, code=code).stderr
