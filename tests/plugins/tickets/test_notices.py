"""What customers are told: after a visit, before maintenance, and when their ticket moves; each once."""

import json
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.units import Duration
from plugins.tickets.config import NoticesConfig
from plugins.tickets.notices.maintenance import due

if TYPE_CHECKING:
    from tests.plugins.tickets.conftest import Centre

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAYS = st.integers(0, 900).map(lambda days: date(2023, 6, 1) + timedelta(days=days))
READINGS = st.lists(st.tuples(DAYS, st.integers(0, 90_000).map(float)), max_size=5)


def people(centre: "Centre") -> None:
    """Two customers; the first agrees to files."""
    file = centre.crm.folder / "people.csv"
    file.write_text("id,name,language\nK1,张三,zh\nK2,Li Si,en\n", encoding="utf-8")
    centre.crm("customers", "import", file)
    file = centre.crm.folder / "consents.csv"
    file.write_text("customer,channel,granted,at\nK1,file,yes,2026-01-01\n", encoding="utf-8")
    centre.crm("consents", "import", file)
    centre.crm.configure("tickets: {notices: {channel: file}}\n")


def told(centre: "Centre", *words: str) -> list[dict[str, Any]]:
    return centre.crm.rows("tickets", "notices", "--unmask", *words)


def outbox(centre: "Centre") -> list[dict[str, Any]]:
    return centre.crm.open().records.frame("outbox").to_dicts()


def signed(centre: "Centre", name: str, at: str, **facts: Any) -> None:
    """A ticket that is signed at a time."""
    centre.ticket(name, **facts)
    centre("submit", name, "--at", at)
    (seat,) = (row["seat"] for row in centre.rows("ticket_states") if row["ticket"] == name)
    centre("review", name, "--seat", seat, "--at", at)
    for event in ("serve", "sign"):
        centre(event, name, "--at", at)


def test_a_channel_that_there_is_not_gets_no_messages(centre: "Centre") -> None:
    people(centre)
    signed(centre, "T1", "2026-03-10T12:00", customer="K1", vin="V1", model="Aria")
    centre.crm.configure("tickets: {notices: {channel: fiel}}\n")
    said = centre.crm("tickets", "notices", "--queue", "--as-of", "2026-03-13T12:00", code=4).stderr
    assert "no channel `fiel` (did you mean `file`?)" in said
    assert outbox(centre) == []


def test_customers_are_asked_how_it_was_some_days_after_they_signed(centre_on: "Centre") -> None:
    signed(centre_on, "T1", "2026-03-10T12:00", customer="K1", vin="V1", model="Aria")
    signed(centre_on, "T2", "2026-03-10T12:00")  # of nobody who is known
    for as_of, expected in (
        ("2026-03-13T11:59", []),
        ("2026-03-13T12:00", ["T1"]),
        ("2026-03-20T11:59", ["T1"]),
        ("2026-03-20T12:00", []),
    ):
        rows = told(centre_on, "--kind", "follow-up", "--as-of", as_of)
        assert [row["ticket"] for row in rows] == expected
    (row,) = told(centre_on, "--kind", "follow-up", "--as-of", "2026-03-14")
    assert (row["customer"], row["due"]) == ("K1", "2026-03-13T12:00:00+00:00")
    assert json.loads(row["data"])["model"] == "Aria"


def test_changes_of_state_are_told_once_each(centre_on: "Centre") -> None:
    people(centre_on)
    signed(centre_on, "T1", "2026-03-10T12:00", customer="K1")
    states = told(centre_on, "--kind", "state", "--as-of", "2026-03-11")
    assert [json.loads(row["data"])["state"] for row in states] == ["approved", "served"]
    words = ("notices", "--kind", "state", "--as-of", "2026-03-11", "--queue")
    assert "2 new messages in the outbox" in centre_on(*words)
    assert "0 new messages in the outbox" in centre_on(*words)
    queued = outbox(centre_on)
    assert {(row["customer"], row["channel"], row["template"]) for row in queued} == {("K1", "file", "ticket-state")}


def test_what_is_queued_is_sent_to_those_who_agree_in_their_language(centre: "Centre") -> None:
    people(centre)
    now = datetime.now(UTC).replace(microsecond=0)
    for name, customer in (("T1", "K1"), ("T2", "K2")):
        signed(centre, name, (now - timedelta(days=4)).isoformat(), customer=customer, model="Aria")
    centre("notices", "--kind", "follow-up", "--queue")
    centre.crm("push", "send")
    (out,) = (centre.crm.workspace / "outbox").glob("*.ndjson")
    (sent,) = (json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())
    assert "张三，您好！" in sent["text"]
    assert "工单 T1" in sent["text"]
    states = {row["customer"]: row["state"] for row in outbox(centre)}
    assert states == {"K1": "acknowledged", "K2": "failed"}  # a file that is written has arrived


def test_without_an_outbox_they_go_into_a_file_once(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    signed(centre, "T1", "2026-03-10T12:00", customer="K1", vin="V1")
    monkeypatch.setenv("CRM_BLOCK_PLUGINS", "push")
    words = ("notices", "--as-of", "2026-03-14", "--queue")
    assert "there is no outbox: 3 new messages in " in centre(*words)
    assert "0 new messages" in centre(*words)
    file = centre.crm.workspace / "ticket-notices.ndjson"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["template"] for row in rows] == ["ticket-state", "ticket-state", "ticket-follow-up"]
    assert file.stat().st_mode & 0o077 == 0


def test_maintenance_is_due_by_time_or_by_mileage_whichever_is_first(centre_on: "Centre") -> None:
    centre_on.write("vehicles", [
        {"vin": "TIME", "customer": "K1", "sold": date(2025, 3, 10), "mileage": 3000.0, "read": date(2025, 12, 1)},
        {"vin": "FAR", "customer": "K1", "sold": date(2025, 9, 1), "mileage": 9000.0, "read": date(2026, 2, 28)},
        {"vin": "GONE", "customer": "K1", "sold": date(2025, 3, 10), "gone": date(2026, 1, 1)},
        {"vin": "NOBODY", "sold": date(2025, 3, 10)},
        {"vin": "NEW", "customer": "K1", "sold": date(2025, 9, 1), "mileage": 1000.0, "read": date(2026, 2, 28)},
    ])  # fmt: skip
    rows = told(centre_on, "--kind", "maintenance", "--as-of", "2026-03-08")
    assert [(row["vin"], row["due"][:10]) for row in rows] == [("TIME", "2026-03-10"), ("FAR", "2026-03-20")]
    assert json.loads(rows[1]["data"])["km"] == 10_000
    # A ticket tells that NEW goes farther than was thought.
    centre_on.ticket("T1", vin="NEW", mileage=9900.0, opened=datetime(2026, 3, 5, tzinfo=UTC), customer="K1")
    vins = [row["vin"] for row in told(centre_on, "--kind", "maintenance", "--as-of", "2026-03-08")]
    assert sorted(vins) == ["FAR", "NEW", "TIME"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("every: 0d", "`tickets.notices.every`: expected more than no time"),
        ("states: [sined]", "got `sined` (did you mean `signed`?)"),
    ],
    ids=["every", "states"],
)
def test_mistakes_in_the_configuration_are_told(centre: "Centre", section: str, said: str) -> None:
    centre.crm.configure(f"tickets: {{notices: {{{section}}}}}\n")
    assert said in centre.crm("config", "check", code=4).stderr


def test_notices_are_masked_and_sending_takes_the_right(centre: "Centre", monkeypatch: pytest.MonkeyPatch) -> None:
    signed(centre, "T1", "2026-03-10T12:00", customer="K12345", vin="LSVAA4182E2123456")
    shown = centre("notices", "--as-of", "2026-03-14")
    assert "K12345" not in shown
    assert "LSVAA4182E2123456" not in shown
    with monkeypatch.context() as context:
        context.setenv("CRM_BLOCK_PLUGINS", "push")
        assert "LSVAA4182E2123456" not in centre("notices", "--as-of", "2026-03-14", "-f", "json")
    centre.crm.configure("access: {role: analyst}\n")
    centre("notices", "--as-of", "2026-03-14")
    assert "may not send" in centre("notices", "--as-of", "2026-03-14", "--queue", code=7)


def slow(sold: date | None, readings: list[tuple[date, float]], config: NoticesConfig) -> tuple[int, date] | None:
    """The number and day of the latest maintenance that is due within the time ahead, told from the description."""
    by_day = {day: max(km for at, km in readings if at == day) for day, _ in readings}
    last = max(by_day, default=None)
    older = [day for day in by_day if last is not None and (last - day).days >= 90]
    per_day = None
    if last is not None and older:
        per_day = Fraction(by_day[last] - by_day[max(older)]) / (last - max(older)).days
    soon = AT + config.ahead
    found = None
    for number in range(1, 300):
        moments: list[datetime] = []
        if sold is not None and config.every is not None:
            moments.append(midnight(sold) + number * config.every)
        if per_day is not None and per_day > 0 and config.every_km is not None:
            assert last is not None
            days = (Fraction(number * config.every_km) - Fraction(by_day[last])) / per_day
            if abs(days) < 40_000:
                moments.append(midnight(last) + timedelta(days=float(days)))
        if moments and min(moments) <= soon:
            found = number, min(moments)
    if found is None or midnight(found[1].date()) + config.within <= AT:
        return None
    return found[0], found[1].date()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@given(
    sold=st.none() | DAYS,
    readings=READINGS,
    every=st.none() | st.integers(20, 500).map(lambda days: Duration(days=days)),
    every_km=st.none() | st.sampled_from([5_000.0, 7_500.0, 10_000.0]),
    within=st.sampled_from([7, 60]),
)
def test_maintenance_is_what_its_description_says(
    sold: date | None, readings: list[tuple[date, float]], every: Duration | None, every_km: float | None, within: int
) -> None:
    config = NoticesConfig(every=every, every_km=every_km, within=Duration(days=within))
    vehicles = pl.DataFrame({"vin": ["V"], "sold": [sold]}, schema={"vin": pl.String, "sold": pl.Date})
    rows = [("V", day, km) for day, km in readings]
    frame = pl.DataFrame(rows, schema={"vin": pl.String, "day": pl.Date, "km": pl.Float64}, orient="row")
    expected = slow(sold, readings, config)
    found = due(vehicles, frame, config, AT)
    # A moment within a second of a bound may fall on either side of it, for fractions are rounded.
    moved = {
        slow(sold, [(day, km + shift) for day, km in readings], config)
        for shift in (Fraction(-1, 1000), Fraction(1, 1000))
    }
    assume(moved == {expected})
    assert [(row["number"], row["due"].date()) for row in found.to_dicts()] == ([expected] if expected else [])
