"""How dealers compare, against slow computations, and through the command."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.proportions import wilson
from plugins.tickets.dealers import Story, dealers

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

AT = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN = timedelta(days=30)
SCHEMA = {
    **dict.fromkeys(("dealer", "vin", "labour_code", "fault_code", "state"), pl.String),
    "opened": pl.Datetime("us", "UTC"),
    "loss": pl.Float64,
    "ticket": pl.String,
}
TICKET = st.fixed_dictionaries(
    {
        "dealer": st.sampled_from("ABC"),
        "vin": st.sampled_from(("v", "w", "x", None)),
        "labour_code": st.sampled_from(("l", "m", None)),
        "fault_code": st.sampled_from("fg"),
        "state": st.sampled_from((None, "rejected", "withdrawn", "in_review", "settled", "served")),
        "opened": st.integers(0, 120).map(lambda day: AT + timedelta(days=day)),
        "loss": st.floats(1, 100),
    }
)
GROUPS = pl.DataFrame({"dealer": ["A", "B"], "group": ["g", "g"]})
NOBODY = pl.DataFrame(schema={"ticket": pl.String, "kind": pl.String, "score": pl.Float64})
NEVER = pl.DataFrame(
    schema={"ticket": pl.String, "signed_at": pl.Datetime("us", "UTC"), "settled_at": pl.Datetime("us", "UTC")}
)


def repairs(tickets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in tickets if each["state"] not in ("rejected", "withdrawn")]


def repeat(ticket: dict[str, Any], tickets: list[dict[str, Any]]) -> bool:
    later = [
        each
        for each in repairs(tickets)
        if each["vin"] == ticket["vin"] and (each["opened"], each["ticket"]) > (ticket["opened"], ticket["ticket"])
    ]
    return any(
        ticket[code] is not None and each[code] == ticket[code] and each["opened"] - ticket["opened"] <= WITHIN
        for each in later
        for code in ("labour_code", "fault_code")
    )


def index(dealer: str, tickets: list[dict[str, Any]]) -> float | None:
    group = {"A": "g", "B": "g"}.get(dealer)
    alike = [each for each in repairs(tickets) if {"A": "g", "B": "g"}.get(each["dealer"]) == group]
    own, expected = 0.0, 0.0
    for each in alike:
        others = [o["loss"] for o in alike if o["dealer"] != dealer and o["labour_code"] == each["labour_code"]]
        if each["dealer"] == dealer and others:
            own += each["loss"]
            expected += sum(others) / len(others)
    return own / expected if expected else None


@given(st.lists(TICKET, min_size=1, max_size=25))
def test_numbers_are_those_of_a_slow_computation(tickets: list[dict[str, Any]]) -> None:
    tickets = [each | {"ticket": f"t{at:02d}"} for at, each in enumerate(tickets)]
    found = dealers(pl.DataFrame(tickets, schema=SCHEMA), Story(NEVER, NOBODY, GROUPS), WITHIN, 0.95)
    last = max(each["opened"] for each in tickets)
    by_dealer = defaultdict(list)
    for each in tickets:
        if each["state"] != "withdrawn":
            by_dealer[each["dealer"]].append(each)
    assert set(found["dealer"]) == set(by_dealer)
    for row in found.iter_rows(named=True):
        own = by_dealer[row["dealer"]]
        assert row["tickets"] == len(own)
        decided = [each for each in own if each["state"] in ("rejected", "settled", "served")]
        rejected = sum(each["state"] == "rejected" for each in decided)
        assert row["rejected"] == (rejected / len(decided) if decided else None)
        if decided:
            assert (row["rejected_low"], row["rejected_high"]) == wilson(rejected, len(decided))
        known = [each for each in repairs(own) if each["vin"] and each["opened"] <= last - WITHIN]
        came = sum(repeat(each, tickets) for each in known)
        assert row["repeat"] == (came / len(known) if known else None)
        expected = index(row["dealer"], tickets)
        assert row["cost_index"] == (None if expected is None else pytest.approx(expected))
        assert (
            row["cost"] == pytest.approx(sum(each["loss"] for each in repairs(own)) / len(repairs(own)))
            if repairs(own)
            else True
        )


def test_wilson_gives_published_numbers() -> None:
    """Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def year() -> dict[str, pl.DataFrame]:
    """Three dealers of a group, one that rejects much is large, one small; each repair costs 100, the third's 200."""
    count = {"big": 200, "small": 2, "dear": 200, "alone": 10}
    rows = [
        (f"{dealer}{at:03d}", dealer, f"v{dealer}{at}", "l", "f", (200.0 if dealer == "dear" else 100.0) + at % 3, AT)
        for dealer, number in count.items()
        for at in range(number)
    ]
    names = ("ticket", "dealer", "vin", "labour_code", "fault_code", "amount", "opened")
    tickets = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("opened") + pl.duration(days=pl.col("ticket").str.tail(3).cast(pl.Int64) % 90)
    )
    states = tickets.select("ticket", state=pl.lit("settled")).with_columns(
        pl.when(pl.col("ticket").str.contains(r"^(big0[0-5]|small000)"))
        .then(pl.lit("rejected"))
        .otherwise("state")
        .alias("state")
    )
    events = pl.concat(
        tickets.select(
            "ticket",
            pl.lit(number, dtype=pl.Int32).alias("number"),
            (pl.col("opened") + pl.duration(days=days)).alias("ts"),
            pl.lit(event).alias("event"),
        )
        for number, (event, days) in enumerate((("sign", 3), ("settle", 8)), start=1)
    )
    ratings = pl.DataFrame(
        {
            "ticket": ["big100", "big100", "big101", "dear100"],
            "kind": ["complaint", "score", "score", "praise"],
            "score": [None, 2.0, 5.0, None],
            "ts": [AT, AT, AT, AT],
        }
    )
    groups = pl.DataFrame({"dealer": list(count), "group": ["g", "g", "g", None]})
    tables = {"tickets": tickets, "ticket_states": states, "ticket_events": events, "ticket_ratings": ratings}
    return {**tables, "dealers": groups}


def test_a_small_dealer_is_not_flagged_by_chance(crm_on: "Crm") -> None:
    records = crm_on.open().records
    with records.begin() as connection:
        for name, frame in year().items():
            records.append(connection, name, frame)
    rows = {row["dealer"]: row for row in crm_on.rows("tickets", "dealers", "--sort", "rejected")}
    assert next(iter(rows)) == "big"
    assert rows["small"]["rejected"] == 0.5
    assert rows["small"]["rejected"] > rows["big"]["rejected"] == pytest.approx(0.3)
    assert rows["big"]["flags"] == "rejected high, cost low"
    assert not rows["small"]["flags"]
    assert rows["dear"]["flags"] == "rejected low, cost high"
    assert (rows["big"]["signed_days"], rows["big"]["settled_days"]) == (3, 8)
    assert rows["big"]["score"] == 3.5
    assert (rows["big"]["scores"], rows["big"]["complaints"]) == (2, pytest.approx(1 / 200))
    assert rows["alone"]["cost_index"] is None  # nobody in its group
    dear = rows["dear"]
    assert dear["cost_low"] < dear["cost_index"] < dear["cost_high"]
    assert dear["cost_index"] == pytest.approx(2, abs=0.05)


def test_nothing_is_nothing_found(crm: "Crm") -> None:
    assert "crm tickets import" in crm("tickets", "dealers", code=6).stderr
    assert "confidence" in crm("tickets", "dealers", "--confidence", "1", code=2).stderr
    assert "--within is no time" in crm("tickets", "dealers", "--within", "0d", code=2).stderr
