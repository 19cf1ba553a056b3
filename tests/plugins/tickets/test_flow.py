"""The work flow through the commands: review, parts, funds, and the whole story."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plugins.tickets.flow.guards import GUARDS
from plugins.tickets.flow.table import CHANGEABLE, ENDS, EVENTS, FIRST, STATES, TRANSITIONS

if TYPE_CHECKING:
    from tests.plugins.tickets.conftest import Centre

TO_SIGNED = ("submit", "review", "serve", "sign")
WITH_PART = ("submit", "review", "ship", "receive", "serve", "sign")


def test_a_repair_goes_all_the_way_to_the_money(centre_on: "Centre") -> None:
    centre_on.with_part("T1", dealer="D2", amount=2 * 120.0 + 300.0)
    centre_on.bring("T1", *WITH_PART, "return-part", "receive back", "settle")
    assert "PAY-000001" in centre_on("batch")
    centre_on("pay", "PAY-000001")
    centre_on("confirm", "PAY-000001")
    assert centre_on.states() == {"T1": "confirmed"}
    (payment,) = centre_on.rows("payments")
    assert (payment["dealer"], payment["tickets"], payment["total"]) == ("D2", 1, 540.0)
    assert None not in (payment["paid"], payment["confirmed"])
    centre_on.check_stories()


def test_the_dealers_own_stock_comes_first_then_the_nearest_source(centre: "Centre") -> None:
    centre.crm.configure("tickets: {sources: {south: [west, east], default: [east]}}\n")
    for name, dealer in (("T1", "D1"), ("T2", "D1"), ("T3", "D1"), ("T4", "D2")):
        centre.with_part(name, dealer=dealer)
    centre("submit", "--all")
    for name in ("T1", "T2", "T3", "T4"):
        centre.bring(name, "review", "ship")
    assert centre.states() == {"T1": "parts_ready", "T2": "parts_ready", "T3": "parts_shipped", "T4": "parts_shipped"}
    assert centre.stock() == {("D1", "P1"): 0, ("east", "P1"): 2, ("west", "P1"): 4, ("west", "P2"): 4}
    assert [(row["ticket"], row["origin"], row["goal"]) for row in centre.rows("shipments")] == [
        ("T3", "east", "D1"),
        ("T4", "west", "D2"),
    ]


def test_where_no_source_has_the_part_it_is_refused_and_nothing_changes(centre: "Centre") -> None:
    centre.with_part("T1", quantity=9.0)
    centre.bring("T1", "submit", "review")
    assert "no source has 9 of the part P1" in centre("ship", "T1", code=7)
    assert centre.states() == {"T1": "approved"}
    assert sum(centre.stock().values()) == 14


def test_amounts_take_as_many_levels_as_they_reach_each_by_another_seat(centre: "Centre") -> None:
    centre.ticket("T1", amount=999.0)
    centre.ticket("T2", amount=1000.0)
    centre.ticket("T3", amount=5000.0)
    for name, levels in (("T1", 1), ("T2", 2), ("T3", 3)):
        centre("submit", name)
        for level in range(1, levels + 1):
            (row,) = (row for row in centre.rows("ticket_states") if row["ticket"] == name)
            assert (row["state"], row["level"]) == ("in_review", level)
            centre.bring(name, "review")
    assert set(centre.states().values()) == {"approved"}
    approved = [json.loads(row["data"])["seat"] for row in centre.rows("ticket_events") if row["event"] == "approve"]
    assert len(approved) == 6
    assert len(set(approved[3:])) == 3
    centre.check_stories()


def test_who_has_approved_does_not_approve_the_next_level(centre: "Centre") -> None:
    centre("seat", "S1", "offline")
    centre("seat", "S2", "offline")
    centre.ticket("T1", amount=1500.0)
    centre.bring("T1", "submit", "review")
    assert centre.crm.rows("tickets", "queue")[0]["seat"] is None
    centre("seat", "S2", "online")
    assert centre.crm.rows("tickets", "queue")[0]["seat"] == "S2"


def test_tickets_go_to_the_seat_with_the_fewest_the_oldest_first(centre: "Centre", days: Any) -> None:
    for at, name in enumerate(("T3", "T1", "T2", "T4")):
        centre.ticket(name, opened=days(at))
    centre("submit", "--all")
    given = [(row["ticket"], row["seat"]) for row in centre.crm.rows("tickets", "queue")]
    assert given == [("T3", "S1"), ("T1", "S2"), ("T2", "S3"), ("T4", "S1")]


def test_a_seat_takes_no_more_than_it_may_and_only_what_it_knows(centre: "Centre") -> None:
    centre.crm.configure("tickets: {open_per_seat: 2}\n")
    centre.write("seats", [{"seat": "S2", "level": 2, "state": "online", "skills": "lamps|doors"}])
    for number in range(6):
        centre.ticket(f"T{number}")
    centre("submit", "--all")
    seats = [row["seat"] for row in centre.crm.rows("tickets", "queue")]
    assert sorted(seats, key=str) == [None, None, "S1", "S1", "S3", "S3"]
    assert seats[4:] == [None, None]


def test_a_seat_that_goes_hands_its_tickets_to_others(centre: "Centre") -> None:
    for number in range(3):
        centre.ticket(f"T{number}")
    centre("submit", "--all")
    centre("seat", "S1", "offline")
    seats = {row["ticket"]: row["seat"] for row in centre.crm.rows("tickets", "queue")}
    assert set(seats.values()) == {"S2", "S3"}
    assert [row["event"] for row in centre.rows("ticket_events") if row["ticket"] == "T0"] == [
        "submit",
        "assign",
        "hand_back",
        "assign",
    ]
    centre.check_stories()


def test_only_the_seat_that_has_a_ticket_reviews_it(centre: "Centre") -> None:
    centre.ticket("T1")
    centre("submit", "T1")
    assert "it is with the seat S1" in centre("review", "T1", "--seat", "S2", code=7)
    assert centre.states() == {"T1": "in_review"}


@pytest.mark.parametrize("what", ["reject", "send-back"])
def test_what_is_not_approved_takes_a_reason(centre: "Centre", what: str) -> None:
    centre.ticket("T1")
    centre("submit", "T1")
    assert "--remark" in centre("review", "T1", "--seat", "S1", "--as", what, code=2)
    centre("review", "T1", "--seat", "S1", "--as", what, "--remark", "which pump?")
    assert "which pump?" in centre("show", "T1")
    if what == "send-back":
        centre.bring("T1", "submit", "review")
        assert centre.states() == {"T1": "approved"}
    else:
        assert "it is rejected" in centre("submit", "T1", code=7)


def test_settling_needs_the_signature_and_the_part(centre: "Centre") -> None:
    centre.with_part("T1", dealer="D2", amount=540.0)
    for event in WITH_PART[:-1]:
        assert "and that takes one that is signed or part returned" in centre("settle", "T1", code=7)
        centre.bring("T1", event)
    assert "it is served" in centre("settle", "T1", code=7)
    centre.bring("T1", "sign")
    assert "the defective part P1 is not back" in centre("settle", "T1", code=7)
    centre.bring("T1", "return-part")
    assert "it is returning" in centre("settle", "T1", code=7)
    centre.bring("T1", "receive back", "settle")
    assert centre.states() == {"T1": "settled"}


def test_a_part_that_need_not_come_back_holds_nothing_up(centre: "Centre") -> None:
    centre.with_part("T1", part="P2", price=50.0)
    centre.bring("T1", *WITH_PART)
    assert "no part goes back" in centre("return-part", "T1", code=7)
    centre("settle", "T1")
    assert centre.states() == {"T1": "settled"}


def test_an_amount_that_does_not_agree_is_held_for_a_person(centre: "Centre") -> None:
    centre.ticket("T1", amount=260.0)
    centre.bring("T1", *TO_SIGNED)
    assert "the amount is 260.00, and 2 h x 100.00 + parts 0.00 makes 200.00" in centre("settle", "T1", code=7)
    assert "it is held: the amount is 260.00" in centre("settle", "T1", code=7)
    assert centre("settle", "--all").endswith("nothing to do\n")
    assert "--remark" in centre("release", "T1", code=2)
    centre("release", "T1", "--remark", "a long test drive")
    centre("settle", "T1")
    assert centre.states() == {"T1": "settled"}
    centre.check_stories()


def test_twins_are_held_the_later_one(centre: "Centre", days: Any) -> None:
    centre.ticket("T1", vin="V1", opened=days(0))
    centre.ticket("T2", vin="V1", opened=days(29))
    centre.ticket("T3", vin="V1", opened=days(29), labour_code="L2", labour_cost=100.0, amount=100.0)
    centre.ticket("T4", vin="V1", opened=days(60))
    for name in ("T1", "T2", "T3", "T4"):
        centre.bring(name, *TO_SIGNED)
    told = centre("settle", "--all", code=7)
    assert "T2: T1 is of the same vehicle and labour code, opened within 30d of it" in told
    assert centre.states() == {"T1": "settled", "T2": "signed", "T3": "settled", "T4": "settled"}


def test_a_twin_that_was_rejected_is_none(centre: "Centre", days: Any) -> None:
    centre.ticket("T1", vin="V1", opened=days(0))
    centre.ticket("T2", vin="V1", opened=days(1))
    centre("submit", "T1")
    centre("review", "T1", "--seat", "S1", "--as", "reject", "--remark", "no")
    centre.bring("T2", *TO_SIGNED, "settle")
    assert centre.states()["T2"] == "settled"


def test_payments_are_made_by_dealer_and_add_up(centre: "Centre") -> None:
    for name, dealer, amount in (("T1", "D1", 200.0), ("T2", "D2", 240.0), ("T3", "D1", 200.0)):
        centre.ticket(name, dealer=dealer, amount=amount)
        centre.bring(name, *TO_SIGNED, "settle")
    rows = centre.crm.rows("tickets", "batch")
    assert [(row["payment"], row["dealer"], row["tickets"], row["total"]) for row in rows] == [
        ("PAY-000001", "D1", 2, 400.0),
        ("PAY-000002", "D2", 1, 240.0),
    ]
    assert "no settled ticket waits" in centre("batch")
    assert "it is settled" in centre("confirm", "PAY-000001", code=7)
    assert "there is no payment PAY-7" in centre("pay", "PAY-7", code=6)
    centre("pay", "PAY-000001")
    assert "it is paid" in centre("pay", "PAY-000001", code=7)


def test_a_lost_shipment_is_sent_again_and_cannot_arrive(centre: "Centre") -> None:
    centre.with_part("T1", dealer="D2", amount=540.0)
    centre.bring("T1", "submit", "review", "ship")
    (first,) = centre.rows("shipments")
    centre("lose", first["shipment"])
    assert centre.states() == {"T1": "approved"}
    centre("ship", "T1", "--number", "SF1")
    assert "was given up" in centre("receive", first["shipment"], code=7)
    assert centre.states() == {"T1": "parts_shipped"}
    centre("receive", "SF1")
    assert "has arrived already" in centre("receive", "SF1", code=7)
    assert "there is no shipment SF9" in centre("receive", "SF9", code=6)
    assert sum(centre.stock().values()) == 12
    centre.check_stories()


def test_the_story_is_told_by_ticket_shipment_vehicle_and_customer(centre: "Centre") -> None:
    people = centre.crm.folder / "people.csv"
    people.write_text("id,name,phone\nK1,张三,13800138000\n", encoding="utf-8")
    centre.crm("customers", "import", people)
    centre.with_part("T1", dealer="D2", amount=540.0, vin="LSVAA4182E2123456", customer="K1", fault_text="异响")
    centre.ticket("T2", vin="LSVAA4182E2123456")
    centre.bring("T1", "submit", "review")
    centre("ship", "T1", "--number", "SF1", "--carrier", "SF", "--remark", "urgent")
    for what, tickets in (("T1", 1), ("SF1", 1), ("lsvaa4182e2123456", 2), ("K1", 1), ("138 0013 8000", 1)):
        rows = centre.crm.rows("tickets", "show", what)
        assert len({row["ticket"] for row in rows}) == tickets
        its = [row for row in rows if row["ticket"] == "T1"]
        assert [row["event"] for row in its] == ["opened", "submit", "assign", "approve", "ship", "next"]
        assert "异响" in its[0]["said"]
        assert its[4]["said"] == "urgent, shipment SF1 from east to D2, by SF"
        assert (its[5]["said"], its[5]["role"]) == ("next: receive", "dealer")
    assert "no ticket has this id" in centre("show", "nothing", code=6)


def test_a_remark_stands_with_its_event(centre: "Centre") -> None:
    centre.ticket("T1")
    centre("submit", "T1", "--remark", "please hurry", "--by", "front desk", "--at", "2026-03-02T09:30")
    (row,) = (row for row in centre.rows("ticket_events") if row["event"] == "submit")
    assert (row["remark"], row["by"], row["role"], row["ts"].isoformat()) == (
        "please hurry",
        "front desk",
        "dealer",
        "2026-03-02T09:30:00+00:00",
    )


def test_loops_tell_what_is_open_who_must_act_and_since_when(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.with_part("T2", dealer="D2", amount=540.0)
    centre.bring("T2", "submit", "review", "ship")
    centre.ticket("T3")
    centre.bring("T3", *TO_SIGNED, "settle")
    centre("batch")
    rows = {(row["ticket"], row["number"]): row for row in centre.crm.rows("tickets", "loops")}
    (shipped,) = centre.rows("shipments")
    assert {key: (row["loop"], row["who"]) for key, row in rows.items()} == {
        ("T1", None): ("not submitted", "dealer"),
        ("T2", shipped["shipment"]): ("part sent and not received", "dealer"),
        (None, "PAY-000001"): ("payment made and not paid", "clerk"),
    }
    assert centre.crm.rows("tickets", "loops", "--where", "who = 'store'") == []


def test_loops_name_who_must_act_by_what_the_ticket_lacks(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.with_part("T2", dealer="D2")
    for name in ("T1", "T2"):
        centre.bring(name, "submit", "review")
    for seat in ("S1", "S2"):
        centre("seat", seat, "offline")
    centre.ticket("T3")
    centre("submit", "T3")
    centre("seat", "S3", "offline")
    centre.ticket("T4")
    centre("submit", "T4")
    centre("seat", "S1", "online")
    centre("seat", "S1", "offline")
    loops = {row["ticket"]: (row["loop"], row["who"]) for row in centre.crm.rows("tickets", "loops")}
    assert loops["T1"] == ("approved and not served", "dealer")
    assert loops["T2"] == ("approved and part not sent", "store")
    assert loops["T4"] == ("waiting for a seat", "agent")


def test_a_shipment_number_is_of_one_ticket(centre: "Centre") -> None:
    for name in ("T1", "T2"):
        centre.with_part(name, dealer="D2")
        centre.bring(name, "submit", "review")
    assert "name one ticket" in centre("ship", "T1", "T2", "--number", "SF1", code=2)
    centre("ship", "T1", "--number", "SF1")
    assert "there is a shipment SF1 already" in centre("ship", "T2", "--number", "SF1", code=7)
    centre("receive", "SF1")
    for event in ("serve", "sign"):
        centre(event, "T1")
    assert "there is a shipment SF1 already" in centre("return-part", "T1", "--number", "SF1", code=7)


def test_nothing_happens_before_what_has_happened(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    centre.ticket("T1")
    centre("submit", "T1", "--at", "2026-03-05T10:00")
    told = centre("review", "T1", "--seat", "S1", "--at", "2026-03-05T09:59", code=7)
    assert "its last event was at 2026-03-05 10:00:00 UTC, and this would be before it" in told
    monkeypatch.setattr("plugins.tickets.acting._moment", lambda _at: datetime(2026, 3, 5, 9, tzinfo=UTC))
    centre("review", "T1", "--seat", "S1")  # the clock of this machine says less, and now is after all that was
    assert {row["ts"].isoformat() for row in centre.rows("ticket_events")} == {"2026-03-05T10:00:00+00:00"}
    centre.check_stories()


def test_an_agent_moves_only_own_seats(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.tickets.acting.user", lambda: "wang")
    centre.crm.configure("tickets: {staff: {wang: {roles: [agent], seats: [S2]}}}\n")
    assert "you may not act for the seat S1" in centre("seat", "S1", "offline", code=7)
    assert [row["state"] for row in centre.rows("seats")] == ["online"] * 3
    centre("seat", "S2", "offline")


def test_unknown_tickets_are_told_when_the_others_are_done(centre: "Centre") -> None:
    centre.ticket("T1")
    assert "there is no ticket T9" in centre("submit", "T1", "T9", code=6)
    assert centre.states() == {"T1": "in_review"}


def test_of_several_those_that_can_be_are_done(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.ticket("T2")
    centre("submit", "T1")
    told = centre("submit", "T1", "T2", code=7)
    assert "T1: it is in review, and that takes one that is opened or sent back" in told
    assert centre.states() == {"T1": "in_review", "T2": "in_review"}


def test_staff_may_act_only_as_they_are_named(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.tickets.acting.user", lambda: "wang")
    centre.ticket("T1")
    centre.ticket("T2", dealer="D2")
    staff = "staff: {wang: {roles: [dealer, agent], dealers: [D1], seats: [S2]}}"
    centre.crm.configure(f"tickets: {{{staff}}}\n")
    assert "it is of the dealer D2, for whom you may not act" in centre("submit", "T1", "T2", code=7)
    assert "for which you may not act" in centre("review", "T1", "--seat", "S1", code=7)
    assert "the user wang may not act as clerk" in centre("settle", "T1", code=7)


def test_a_viewer_changes_nothing(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.crm.configure("access: {role: viewer}\n")
    for words in (("submit", "T1"), ("settle", "T1"), ("seat", "S1", "offline"), ("batch",), ("pay", "PAY-000001")):
        centre(*words, code=7)
    assert centre.states() == {}


def test_the_table_is_whole() -> None:
    """Every state but the first is reached, every guard is known and used, ends are those that are meant."""
    reached = {FIRST}
    while True:
        more = reached | {each.goal for each in TRANSITIONS if each.state in reached}
        if more == reached:
            break
        reached = more
    assert reached == set(STATES)
    assert {name for each in TRANSITIONS for name in each.guards} == set(GUARDS)
    assert set(ENDS) == {"rejected", "withdrawn", "confirmed"}
    assert set(CHANGEABLE) == {each.state for each in TRANSITIONS if each.event == "change"}
    assert len(EVENTS) == len(set(EVENTS))


def test_age_counts_from_when_it_began(centre: "Centre") -> None:
    from plugins.tickets.flow.queues import loops

    centre.ticket("T1")
    (row,) = loops(centre.crm.open(), centre.rows("tickets")[0]["opened"] + timedelta(days=3, hours=12)).to_dicts()
    assert row["days"] == 3.5
