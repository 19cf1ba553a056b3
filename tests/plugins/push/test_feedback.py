"""`crm push feedback`: what became of messages changes consents, the outbox and interests."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crm.consents import allowed
from crm.outbox import enqueue

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


@pytest.fixture
def sent(crm_on: "Crm") -> "Crm":
    """Two customers with a message each."""
    crm = crm_on
    crm.log("customers.csv", "customer,email", "a,a@x.example", "b,b@x.example")
    crm.log("items.csv", "item,title,level1,level2,level3", "1,Rice,food,grain,rice", "2,Towel,home,bath,towel")
    crm.log("consents.csv", "customer,channel,ts,granted", "a,all,2026-01-01,yes", "b,email,2026-01-01,yes")
    for group, file in (("customers",) * 2, ("catalog", "items"), ("consents",) * 2):
        crm(group, "import", crm.folder / f"{file}.csv")
    workspace = crm.open()
    rows = pl.DataFrame(
        {
            "key": ["1", "2"], "customer": ["a", "b"], "campaign": ["spring"] * 2, "channel": ["email"] * 2,
            "template": ["default"] * 2, "items": [["1", "2"], ["2"]], "data": ["{}"] * 2,
            "send_after": [datetime(2026, 3, 1, tzinfo=UTC)] * 2, "expires": [None] * 2,
        }
    )  # fmt: skip
    with workspace.records.begin() as connection:
        enqueue(workspace, connection, rows)
    return crm


def ids(crm: "Crm") -> list[str]:
    return [row["message"] for row in crm.rows("query", "--unmask", "select message from outbox order by customer")]


def test_feedback_takes_effect_at_once_and_once(sent: "Crm") -> None:
    one, two = ids(sent)
    file = sent.log(
        "feedback.csv",
        "消息编号,事件,时间,商品编号",
        f"{one},送达,2026-03-02 10:00,",
        f"{one},点击,2026-03-02 10:05,1",
        f"{two},退订,2026-03-02 11:00,",
        f"{two},Opened,2026-03-02 10:59,",
    )
    rows = sent.rows("push", "feedback", file)
    assert {row["outcome"]: row["rows"] for row in rows} == {
        "new": 4, "changed": 0, "same": 0, "repeated": 0, "rejected": 0, "rows": 4,
    }  # fmt: skip
    states = sent.rows("query", "select message, state, acknowledged from outbox")
    assert {row["message"]: (row["state"], row["acknowledged"]) for row in states} == {
        one: ("acknowledged", "2026-03-02T10:00:00+00:00"),
        two: ("acknowledged", "2026-03-02T10:59:00+00:00"),
    }
    workspace = sent.open()
    with workspace.records.engine.connect() as connection:
        table = workspace.records.table("consents")
        assert allowed(connection, table, "a", "email")
        assert not allowed(connection, table, "b", "email")
    interests = sent.rows("query", "--unmask", "select who, key, weight from interests where level = '3'")
    assert {(row["who"], row["key"]) for row in interests if row["weight"] > 0} == {
        ("a", "food/grain/rice"), ("b", "home/bath/towel"),
    }  # fmt: skip
    file.rename(sent.folder / "again.csv")
    again = sent.rows("push", "feedback", sent.folder / "again.csv")
    assert {row["outcome"]: row["rows"] for row in again}["same"] == 4
    said = sent.rows("query", "select channel, granted, source from consents where granted = false")
    assert said == [{"channel": "email", "granted": False, "source": f"message {two}"}]


def test_a_dismissed_item_is_wanted_less(sent: "Crm") -> None:
    one, _ = ids(sent)
    file = sent.log("feedback.ndjson", json.dumps({"id": one, "event": "dismissed", "time": "2026-03-02", "sku": "2"}))
    sent("push", "feedback", file)
    rows = sent.rows("query", "--unmask", "select key, weight from interests where level = '3'")
    assert [(row["key"], row["weight"] < 0) for row in rows] == [("home/bath/towel", True)]


def test_rows_that_are_not_taken_are_told_with_their_reasons(sent: "Crm") -> None:
    one, two = ids(sent)
    rows = (f"{one},opened,2026-03-02", f"{two},clikced,2026-03-02", "nobody,opened,2026-03-02", f"{two},opened,")
    more = (f"{two},clicked,2026-03-03", f"{one},clicked,2026-03-03")
    file = sent.log("feedback.csv", "message,event,ts", *rows, *more)
    rejects = sent.folder / "rejects.csv"
    found = sent("push", "feedback", file, "--rejects", rejects, "-f", "json")
    counts = {row["outcome"]: row["rows"] for row in json.loads(found.stdout)}
    assert (counts["new"], counts["rejected"], counts["rows"]) == (3, 3, 6)
    table = pl.read_csv(rejects)
    assert table.select("row", "column", "reason").rows() == [
        (2, "event", "is no event (did you mean `clicked`?)"),
        (3, "message", "is no message of the outbox"),
        (4, "ts", "is missing"),
    ]
    assert "nobody" not in found.stderr


def test_what_is_wrong_is_told_by_the_headers_of_the_file(sent: "Crm") -> None:
    one, two = ids(sent)
    file = sent.log(
        "反馈.csv",
        "消息编号,事件,时间,商品编号",
        f"{one},退定,2026-03-02,",
        "nosuch,打开,2026-03-02,",
        f"{one},打开,,",
        f"{two},打开,2026-03-02,77",
        f"{two},打开,2026-03-03,",
        f"{two},打开,2026-03-04,",
    )
    rejects = sent.folder / "rejects.csv"
    said = sent("push", "feedback", file, "--rejects", rejects).stderr
    assert "`商品编号`: 1 row names no item of the catalogue" in said
    rows = pl.read_csv(rejects, infer_schema=False)
    assert rows.select("column", "reason").rows() == [
        ("事件", "is no event (did you mean `退订`?)"), ("消息编号", "is no message of the outbox"),
        ("时间", "is missing"),
    ]  # fmt: skip


def test_a_file_of_strange_messages_is_refused(sent: "Crm") -> None:
    file = sent.log("feedback.csv", "message,event,ts", "x,opened,2026-03-02", "y,opened,2026-03-02")
    sent("push", "feedback", file, code=4)
    assert sent.rows("query", "select message from feedback") == []


def test_unsubscribing_counts_for_candidates_also_where_the_consent_was_not_stored(sent: "Crm") -> None:
    from plugins.push.loading import consents

    _, two = ids(sent)
    workspace = sent.open()
    row = pl.DataFrame(
        {"message": [two], "event": ["unsubscribed"], "ts": [datetime(2026, 3, 2, tzinfo=UTC)], "item": [""],
         "customer": ["b"], "campaign": ["spring"]}
    )  # fmt: skip
    with workspace.records.begin() as connection:
        workspace.records.append(connection, "feedback", row)
    found = consents(workspace, {}).filter(customer="b").sort("ts")
    assert found["granted"].to_list() == [True, False]


def test_effects_from_the_command_line(sent: "Crm") -> None:
    one, _ = ids(sent)
    sent("push", "feedback", sent.log("f.csv", "message,event,ts", f"{one},clicked,2026-03-02"))
    sent.log(
        "orders.csv", "order_id,line,customer,ts,item,amount", "1,1,a,2026-03-03,Rice,5", "2,1,b,2026-06-03,Rice,5"
    )
    sent("orders", "import", sent.folder / "orders.csv")
    rows = {row["what"]: row for row in sent.rows("push", "effect", "spring")}
    assert (rows["sent"]["customers"], rows["sent"]["number"]) == (2, 1)
    assert (rows["clicked"]["customers"], rows["clicked"]["rate"]) == (1, 1.0)
    assert (rows["ordered"]["number"], rows["revenue"]["number"]) == (1, 5)
    assert "did you mean `spring`" in sent("push", "effect", "sprng", code=6).stderr
