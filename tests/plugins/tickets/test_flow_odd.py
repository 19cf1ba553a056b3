"""The work flow where something is odd: late tickets, times that cannot be, few seats, ids of other systems."""

from typing import TYPE_CHECKING, Any

import pytest

from plugins.tickets.config import TicketsConfig
from plugins.tickets.flow.case import SYSTEM, Actor, Asked, Case, Standing
from plugins.tickets.flow.machine import step

if TYPE_CHECKING:
    from tests.plugins.tickets.conftest import Centre

TO_SIGNED = ("submit", "review", "serve", "sign")


def test_of_twins_one_is_settled_also_where_the_earlier_one_comes_late(centre_on: "Centre", days: Any) -> None:
    centre = centre_on
    centre.ticket("T2", vin="V1", opened=days(20))
    centre.bring("T2", *TO_SIGNED, "settle")
    centre.ticket("T1", vin="V1", opened=days(0))
    centre.bring("T1", *TO_SIGNED)
    assert "T1: T2 is of the same vehicle and labour code, opened within 30d of it" in centre("settle", "T1", code=7)
    assert centre.states() == {"T1": "signed", "T2": "settled"}
    assert "the work is another" not in centre("release", "T1", "--remark", "the work is another")
    centre("settle", "T1")


@pytest.mark.parametrize("there", ["PAY-abcdef", "PAY-999999", "PAY-12", "PAY-", "PAY-²", "2026/7"])
def test_payments_are_numbered_on_whatever_ids_others_have(centre_on: "Centre", there: str) -> None:
    centre_on.write("payments", [{"payment": there, "dealer": "D1", "tickets": 0, "total": 0.0}])
    for number, expected in enumerate(("T1", "T2")):
        centre_on.ticket(expected)
        centre_on.bring(expected, *TO_SIGNED, "settle")
        (row,) = centre_on.crm.rows("tickets", "batch")
        last = {"PAY-999999": 999_999, "PAY-12": 12}.get(there, 0)
        assert row["payment"] == f"PAY-{last + 1 + number:06d}"


def test_an_event_is_neither_in_the_future_nor_before_the_ticket(centre: "Centre") -> None:
    centre.ticket("T1")
    assert "--at 2999-01-01 has not come yet" in centre("submit", "T1", "--at", "2999-01-01", code=2)
    told = centre("submit", "T1", "--at", "2026-03-02T07:59", code=7)
    assert "it was opened at 2026-03-02 08:00:00 UTC, and this would be before it" in told
    assert centre.states() == {}
    centre("submit", "T1", "--at", "2026-03-02T08:00")


def test_what_happened_earlier_refuses_no_ticket_that_nobody_has_named(centre: "Centre", days: Any) -> None:
    for seat in ("S1", "S2", "S3"):
        centre("seat", seat, "offline")
    centre.ticket("T1")
    centre.ticket("T2", opened=days(5))
    centre("submit", "T2", "--at", "2026-03-09")
    told = centre("seat", "S1", "online", "--at", "2026-03-08")
    assert "refused" not in told
    assert centre.crm.rows("tickets", "queue")[0]["seat"] == "S1"
    assert "refused" not in centre("seat", "S1", "offline", "--at", "2026-03-03")
    assert centre.crm.rows("tickets", "queue")[0]["seat"] is None
    centre.check_stories()


def test_a_seat_that_a_higher_level_cannot_do_without_is_spared(centre: "Centre") -> None:
    for seat in ("S1", "S2"):
        centre("seat", seat, "offline")
    centre.ticket("T1", amount=9000.0)
    assert "1 ticket waits for a seat" in centre("submit", "T1")
    assert "1 ticket waits for a seat; `crm tickets queue`" in centre("assign")
    for seat in ("S1", "S2", "S3"):
        centre("seat", seat, "online")
    centre.bring("T1", "review", "review", "review")
    assert centre.states() == {"T1": "approved"}


def test_where_there_are_too_few_seats_in_any_case_work_goes_on_as_far_as_it_can(centre: "Centre") -> None:
    centre.crm.configure("tickets: {levels: [1, 2, 3, 4]}\n")
    centre.ticket("T1")
    centre("submit", "T1")
    assert centre.crm.rows("tickets", "queue")[0]["seat"] == "S1"


def test_all_new_tickets_are_those_that_the_user_may_act_for(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.tickets.acting.user", lambda: "wang")
    centre.ticket("T1")
    centre.ticket("T2", dealer="D2")
    centre.crm.configure("tickets: {staff: {wang: {roles: [dealer], dealers: [D2]}}}\n")
    assert "refused" not in centre("submit", "--all")
    assert centre.states() == {"T2": "in_review"}


def test_loops_tell_what_is_held_and_a_payment_once(centre: "Centre") -> None:
    centre.with_part("T1", dealer="D2", amount=9999.0)
    centre.bring("T1", "submit", "review", "review", "review", "ship", "receive", "serve", "sign")
    centre.bring("T1", "return-part", "receive back")
    (loop,) = centre.crm.rows("tickets", "loops")
    assert loop["loop"] == "part back and not settled"
    centre("settle", "T1", code=7)
    (loop,) = centre.crm.rows("tickets", "loops")
    assert loop["loop"] == "part back and held"
    centre("release", "T1", "--remark", "agreed by phone")
    centre("settle", "T1")
    assert [row["loop"] for row in centre.crm.rows("tickets", "loops")] == ["settled and not paid"]
    centre("batch")
    assert [row["loop"] for row in centre.crm.rows("tickets", "loops")] == ["payment made and not paid"]


def test_of_two_shipments_of_a_ticket_the_one_under_way_arrives(centre: "Centre") -> None:
    centre.with_part("T1", dealer="D2", amount=540.0)
    centre.bring("T1", "submit", "review", "ship")
    (first,) = (row["shipment"] for row in centre.rows("shipments"))
    centre("lose", first)
    centre("ship", "T1")
    (second,) = (row["shipment"] for row in centre.rows("shipments") if row["shipment"] != first)
    told = centre("receive", first, second, code=7)
    assert f"the shipment {first} was given up" in told
    assert centre.states() == {"T1": "parts_ready"}


def test_what_staff_may_not_do_with_one_kind_of_shipment_stops_the_call_before_the_other(
    centre: "Centre", monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("T1", "T2"):
        centre.with_part(name, dealer="D2", amount=540.0)
        centre.bring(name, "submit", "review", "ship")
    centre.bring("T1", "receive", "serve", "sign", "return-part")
    under_way = [row["shipment"] for row in centre.rows("shipments") if row["received"] is None]
    assert len(under_way) == 2
    monkeypatch.setattr("plugins.tickets.acting.user", lambda: "wang")
    centre.crm.configure("tickets: {staff: {wang: {roles: [dealer]}}}\n")
    assert "may not act as store" in centre("receive", *under_way, code=7)
    assert centre.states() == {"T1": "returning", "T2": "parts_shipped"}


def test_unknown_dealers_and_seats_are_told(centre: "Centre") -> None:
    for words in (("batch",), ("settle", "--all")):
        assert "there is no dealer D77" in centre(*words, "--dealer", "D77", code=6)
        assert "D1" not in centre(*words, "--dealer", "D1")
    centre.ticket("T1", dealer="D77")  # where no dealers are known, those of tickets are
    centre("batch", "--dealer", "D77")
    assert "there is no seat S77" in centre("queue", "--seat", "S77", code=6)
    assert centre.crm.rows("tickets", "queue", "--seat", "S1") == []


SEATS = {
    "S1": {"seat": "S1", "level": 2, "state": "online", "skills": None, "open": 0, "today": 0},
    "S2": {"seat": "S2", "level": 2, "state": "offline", "skills": None, "open": 0, "today": 0},
    "S3": {"seat": "S3", "level": 1, "state": "online", "skills": None, "open": 0, "today": 0},
    "S4": {"seat": "S4", "level": 2, "state": "online", "skills": "doors", "open": 0, "today": 0},
    "S5": {"seat": "S5", "level": 2, "state": "online", "skills": "doors|lamps", "open": 4, "today": 0},
    "S6": {"seat": "S6", "level": 2, "state": "online", "skills": None, "open": 5, "today": 0},
}


@pytest.mark.parametrize(
    ("seat", "reason"),
    [
        ("S1", None),
        ("S2", "the seat S2 is offline"),
        ("S3", "the seat S3 reviews up to level 1, and this is level 2"),
        ("S4", "the seat S4 does not know lamps"),
        ("S5", None),
        ("S6", "the seat S6 has 5 tickets already"),
        ("S7", "there is no seat S7"),
        ("S8", "the seat S8 has approved it at another level"),
    ],
)
def test_a_seat_is_given_only_what_it_can_take_whoever_has_chosen_it(seat: str, reason: str | None, days: Any) -> None:
    standing = Standing(state="in_review", level=2, approvers=("S8",), events=3, changed=days(0))
    ticket = {"ticket": "T1", "part_category": "lamps"}
    case = Case(ticket=ticket, standing=standing, config=TicketsConfig(), seats={**SEATS, "S8": SEATS["S1"]})
    found = step(case, Asked("assign", SYSTEM, days(1), seat=seat))
    assert (found if isinstance(found, str) else None) == reason


def test_a_seat_approves_one_level_alone_even_if_it_has_the_ticket_again(days: Any) -> None:
    standing = Standing(state="in_review", level=2, seat="S1", approvers=("S1",), events=4, changed=days(0))
    case = Case(ticket={"ticket": "T1", "amount": 6000.0}, standing=standing, config=TicketsConfig())
    asked = Asked("approve", Actor("agent", "somebody"), days(1), seat="S1")
    assert step(case, asked) == "the seat S1 has approved it at another level"


def test_tickets_of_one_call_share_what_lies_in_stock(centre_on: "Centre") -> None:
    centre = centre_on
    centre.write("stock", [{"place": place, "part": "P1", "quantity": 1.0} for place in ("D1", "east", "west")])
    for name in ("T1", "T2", "T3", "T4"):
        centre.with_part(name)
        centre.bring(name, "submit", "review")
    assert "T4: no source has 1 of the part P1" in centre("ship", "T1", "T2", "T3", "T4", code=7)
    assert centre.states() == {"T1": "parts_ready", "T2": "parts_shipped", "T3": "parts_shipped", "T4": "approved"}
    assert {quantity for (_, part), quantity in centre.stock().items() if part == "P1"} == {0}


def test_to_hold_and_to_release_is_about_money(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.bring("T1", *TO_SIGNED)
    centre.crm.configure("access: {role: operator, needs: {settle: admin}}\n")
    for word in ("hold", "release"):
        assert "may not settle" in centre(word, "T1", "--remark", "x", code=7)


def test_the_story_tells_which_seat_has_approved(centre: "Centre") -> None:
    centre.ticket("T1")
    centre.bring("T1", "submit", "review")
    rows = centre.crm.rows("tickets", "show", "T1")
    assert [(row["event"], row["seat"]) for row in rows][2:4] == [("assign", "S1"), ("approve", "S1")]


def test_of_seats_with_as_few_tickets_the_one_with_the_fewest_of_the_day_is_next(centre_on: "Centre") -> None:
    centre = centre_on
    seats = []
    for name, at in (("T1", "03-05T09:00"), ("T2", "03-05T23:59:59"), ("T3", "03-06T00:00"), ("T4", "03-06T01:00")):
        centre.ticket(name)
        centre("submit", name, "--at", f"2026-{at}")
        (row,) = centre.crm.rows("tickets", "queue")
        seats.append(row["seat"])
        centre("review", name, "--seat", row["seat"], "--at", f"2026-{at}")
    assert seats == ["S1", "S2", "S1", "S2"]


@pytest.mark.parametrize(
    ("amount", "agrees"), [(202.0, True), (202.01, False), (198.0, True), (197.99, False), (0.0, False), (None, False)]
)
def test_an_amount_agrees_within_the_tolerance_and_no_further(amount: float | None, agrees: bool, days: Any) -> None:
    standing = Standing(state="signed", events=5, changed=days(0))
    ticket = {"ticket": "T1", "part": None, "parts_cost": 80.0, "labour_cost": 999.0, "amount": amount}
    case = Case(ticket=ticket, standing=standing, config=TicketsConfig(), labour={"hours": 1.5}, dealer={"rate": 80.0})
    found = step(case, Asked("settle", Actor("clerk", "somebody"), days(1)))
    assert isinstance(found, str) != agrees


def test_a_ticket_that_comes_again_is_reviewed_from_the_start(days: Any) -> None:
    standing = Standing(state="sent_back", level=2, approvers=("S1",), events=5, changed=days(0))
    case = Case(ticket={"ticket": "T1", "amount": 6000.0}, standing=standing, config=TicketsConfig())
    found = step(case, Asked("submit", Actor("dealer", "somebody"), days(1)))
    assert not isinstance(found, str)
    assert (found.standing.level, found.standing.approvers) == (1, ())
