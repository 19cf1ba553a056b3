"""Events of tickets come in from files as far as the work flow allows them, and say where the tickets are."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.tickets.flow.case import Actor, Asked, Standing, after
from plugins.tickets.flow.following import followed
from plugins.tickets.flow.story import replayed, standing_of
from plugins.tickets.flow.table import TRANSITIONS, Transition

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

HEAD = "ticket,number,ts,event,before,after,level,seat,role,by,remark,data\n"
BEGIN = datetime(2026, 2, 1, tzinfo=UTC)


def write(crm: "Crm", name: str, text: str) -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def opened(crm: "Crm") -> "Crm":
    crm("tickets", "import", write(crm, "t.csv", "ticket,dealer,opened\nT1,D1,2026-01-01\nT2,D1,2026-01-01\n"))
    return crm


def rejected(crm: "Crm", text: str, code: int = 0) -> dict[int, str]:
    """Rows and reasons of an import."""
    rejects = crm.folder / "rejects.csv"
    rejects.unlink(missing_ok=True)
    crm("tickets", "events", "import", write(crm, "e.csv", text), "--rejects", rejects, code=code)
    if not rejects.exists():
        return {}
    return dict(pl.read_csv(rejects).select("row", "reason").iter_rows())


def state(crm: "Crm", ticket: str = "T1") -> Standing:
    rows = crm.open().records.frame("ticket_states").filter(ticket=ticket)
    return standing_of(rows.row(0, named=True)) if rows.height else Standing()


GOOD = "T2,1,2026-02-01,submit,,,,,,,,\nT2,2,2026-02-02,assign,,,,S1,,,,\nT2,3,2026-02-03,reject,,,,,,,,\n"


class TestImport:
    def test_what_the_work_flow_makes_of_events_is_filled_in(self, crm_on: "Crm") -> None:
        crm = opened(crm_on)
        text = "工单号,时间,事件,状态,座席,备注\nT1,2026-02-01,submit,,,\nT1,2026-02-02,assign,,S1,\n"
        text += "T1,2026-02-03,approve,approved,,fine\nT1,2026-02-04,serve,,,\nT1,2026-02-05,sign,,,\n"
        text += "T1,2026-02-06,hold,,,odd\n"
        assert rejected(crm, text) == {}
        rows = crm.open().records.frame("ticket_events").sort("number")
        assert rows["number"].to_list() == [1, 2, 3, 4, 5, 6]
        assert rows["before"].to_list() == ["opened", "in_review", "in_review", "approved", "served", "signed"]
        assert rows["seat"].to_list() == [None, "S1", None, None, None, None]
        assert rows["level"].to_list() == [1, 1, 1, 1, 1, 1]
        assert rows["role"].to_list() == ["dealer", "system", "agent", "dealer", "dealer", "clerk"]
        found = state(crm)
        assert (found.state, found.held, found.events) == ("signed", "odd", 6)
        assert found == replayed(rows.iter_rows(named=True))

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("T1,1,2026-02-01,approve,,approved,,,,,,", "`approve` cannot happen to a ticket that is opened"),
            ("T1,1,2026-02-01,submitt,,,,,,,,", "is no event of the work flow (did you mean `submit`?)"),
            ("T1,2,2026-02-01,submit,,,,,,,,", "event 1 of this ticket is missing before it"),
            ("T1,1,2026-02-01,submit,signed,,,,,,,", "the ticket is opened before it"),
            ("T1,1,2026-02-01,submit,,approved,,,,,,", "`submit` leads from opened to in_review"),
            ("T1,1,2026-02-01,submit,,,2,,,,,", "the level is 1 after it"),
            ("T1,1,2026-02-01,submit,,,,S1,,,,", "no seat has the ticket after it"),
            ("T1,1,2026-02-01,submit,,,,,clerk,,,", "only dealer, system may submit a ticket that is opened"),
            ("T1,1,2026-02-01,submit,,,,,,,,oh", "is no JSON object"),
            ("T9,1,2026-02-01,submit,,,,,,,,", "is no known ticket; the nearest: T1, T2"),
            ("T1,1,never,submit,,,,,,,,", "is no date"),
            ("T1,1,2999-01-01,submit,,,,,,,,", "is in the future"),
        ],
    )
    def test_what_cannot_have_happened_is_set_aside_with_the_reason(self, crm: "Crm", row: str, reason: str) -> None:
        opened(crm)
        assert rejected(crm, f"{HEAD}{row}\n{GOOD}") == {1: reason}
        assert state(crm, "T2").state == "rejected"
        assert state(crm) == Standing()

    def test_what_follows_an_event_that_is_not_taken_is_not_taken(self, crm: "Crm") -> None:
        opened(crm)
        story = "T1,1,2026-02-01,submit,,,,,,,,\nT1,2,2026-02-02,sign,,,,,,,,\nT1,3,2026-02-03,assign,,,,S1,,,,\n"
        found = rejected(crm, HEAD + story + GOOD)
        assert found == {
            2: "`sign` cannot happen to a ticket that is in_review",
            3: "follows an event that is not taken",
        }
        assert (state(crm).state, state(crm).events) == ("in_review", 1)

    @pytest.mark.parametrize(
        "row", ["assign,,,,S1|S2,,,,", 'approve,,approved,,,,,,{""seat"": 5}', "approve,,approved,,,,,,[]"]
    )
    def test_what_names_no_seat_is_set_aside(self, crm: "Crm", row: str) -> None:
        opened(crm)
        begin = "T1,1,2026-02-01,submit,,,,,,,,\nT1,2,2026-02-02,"
        row = f'{row[: row.index("{")]}"{row[row.index("{") :]}"' if "{" in row else row
        (reason,) = rejected(crm, f"{HEAD}{begin}{row}\n").values()
        assert reason in ("names no seat; a seat is a text without |", "is no JSON object")
        assert state(crm).state == "in_review"

    def test_who_approves_is_the_seat_that_has_the_ticket_unless_another_is_named(self, crm: "Crm") -> None:
        opened(crm)
        begin = "T1,1,2026-02-01,submit,,,,,,,,\nT1,2,2026-02-02,assign,,,,S1,,,,\n"
        assert rejected(crm, f"{HEAD}{begin}T1,3,2026-02-03,approve,,in_review,,,,,,\n") == {}
        assert (state(crm).approvers, state(crm).level) == (("S1",), 2)

    def test_a_hold_without_a_reason_holds(self, crm: "Crm") -> None:
        opened(crm)
        names = ("submit", "assign", "approve", "serve", "sign", "hold")
        after, seat = {"approve": "approved"}, {"assign": "S1"}
        rows = [f"T1,{n},2026-02-{n:02},{e},,{after.get(e, '')},,{seat.get(e, '')},,,," for n, e in enumerate(names, 1)]
        assert rejected(crm, HEAD + "\n".join(rows) + "\n") == {}
        assert state(crm).held == "no reason was given"

    def test_time_does_not_go_back(self, crm: "Crm") -> None:
        opened(crm)
        story = "T1,1,2026-02-02,submit,,,,,,,,\nT1,2,2026-02-01,withdraw,,,,,,,,\n"
        assert rejected(crm, HEAD + story + GOOD) == {2: "is before the event in front of it"}

    def test_rows_may_come_in_any_order(self, crm: "Crm") -> None:
        opened(crm)
        lines = GOOD.splitlines(keepends=True)
        assert rejected(crm, HEAD + "".join(reversed(lines))) == {}
        assert state(crm, "T2").state == "rejected"

    def test_events_that_are_there_stay_and_others_continue(self, crm_on: "Crm") -> None:
        crm = opened(crm_on)
        first = HEAD + "T1,1,2026-02-01,submit,,,,,,,,\nT1,2,2026-02-02,assign,,,,S1,,,,\n"
        assert rejected(crm, first) == {}
        again = crm.rows("tickets", "events", "import", write(crm, "e.csv", first))
        assert {row["outcome"]: row["rows"] for row in again}["same"] == 2
        more = first + "T1,3,2026-02-03,send_back,,,,,,,,\n"
        assert rejected(crm, more) == {}
        assert (state(crm).state, state(crm).events) == ("sent_back", 3)
        other = first.replace("2026-02-01", "2026-01-31") + GOOD
        assert rejected(crm, other) == {1: "is there already and says something else; nothing in a story is changed"}

    def test_a_number_that_stands_twice_and_says_two_things_is_set_aside(self, crm: "Crm") -> None:
        opened(crm)
        twice = "T1,1,2026-02-01,submit,,,,,,,,\n"
        assert rejected(crm, HEAD + twice + twice + GOOD) == {}
        other = HEAD + GOOD.replace("T2", "T1").replace("T1,1,", "T1,2,", 1) + GOOD
        assert 1 in rejected(crm, other)

    def test_a_dry_run_stores_nothing(self, crm: "Crm") -> None:
        opened(crm)
        crm("tickets", "events", "import", write(crm, "e.csv", HEAD + GOOD), "--dry-run")
        assert state(crm, "T2") == Standing()

    def test_who_did_it_is_masked(self, crm: "Crm") -> None:
        opened(crm)
        crm("tickets", "events", "import", write(crm, "e.csv", "ticket,ts,event,by\nT1,2026-02-01,submit,张三\n"))
        assert "张三" not in crm("tickets", "events", "list").stdout
        assert crm.rows("tickets", "events", "list", "--unmask")[0]["by"] == "张三"
        assert crm.rows("tickets", "events", "list", "--since", "2026-02-02") == []


WAYS: dict[str, list[Transition]] = {}
for _each in TRANSITIONS:
    WAYS.setdefault(_each.state, []).append(_each)


@st.composite
def stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A walk through the work flow, guards apart, as rows of events."""
    standing, rows = Standing(), list[dict[str, Any]]()
    for number in range(1, draw(st.integers(1, 25)) + 1):
        if standing.state not in WAYS:
            break
        way = draw(st.sampled_from(WAYS[standing.state]))
        data = {"payment": "P1"} if way.event == "batch" else {}
        seat = draw(st.sampled_from(["S1", "S2"])) if way.event in ("assign", "approve") else None
        at = BEGIN + timedelta(hours=number)
        asked = Asked(way.event, Actor(draw(st.sampled_from(way.who)), "x"), at, "why", seat, data)
        before, standing = standing, after(standing, asked, way.goal)
        told = data | ({"seat": seat} if way.event == "approve" and seat else {})
        rows.append(
            {
                "number": number,
                "ts": at,
                "event": way.event,
                "before": before.state,
                "after": standing.state,
                "level": standing.level,
                "seat": standing.seat,
                "role": asked.actor.role,
                "by": "x",
                "remark": "why",
                "data": json.dumps(told) if told else None,
                "standing": standing,
            }
        )
    return rows


@given(stories())
def test_a_story_that_the_table_allows_replays_to_where_it_led(rows: list[dict[str, Any]]) -> None:
    standing = Standing()
    for row in rows:
        standing, role = followed(standing, row)
        assert (standing, role) == (row["standing"], row["role"])
    assert replayed(rows) == rows[-1]["standing"]


@given(stories())
def test_what_is_left_out_is_worked_out_again(rows: list[dict[str, Any]]) -> None:
    standing = Standing()
    for row in rows:
        seat = row["seat"] if row["event"] == "assign" else None
        standing, _ = followed(standing, {**row, "before": None, "level": None, "seat": seat, "role": None})
        assert standing == row["standing"]


@given(stories(), st.data())
def test_no_event_is_left_out_moved_or_changed_unseen(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    without = rows[:at] + rows[at + 1 :]
    if at < len(rows) - 1:
        with pytest.raises(ValueError, match=rf"event {at + 2}: number event {at + 1} of this ticket is missing"):
            replayed(without)
    wrong = {**rows[at], "before": "paid" if rows[at]["before"] != "paid" else "opened"}
    with pytest.raises(ValueError, match=rf"event {at + 1}: before the ticket is"):
        replayed([*rows[:at], wrong])
