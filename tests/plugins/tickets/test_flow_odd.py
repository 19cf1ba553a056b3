"""The work flow where something is odd: late tickets, times that cannot be, few seats, ids of other systems."""

from typing import TYPE_CHECKING, Any

import pytest

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
