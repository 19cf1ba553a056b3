"""What faults cost, against a slow computation."""

from collections import defaultdict
from datetime import date, timedelta
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.tickets.quality.pareto import pareto

TICKET = st.fixed_dictionaries(
    {
        "model": st.sampled_from(("M1", "M2", None)),
        "part": st.sampled_from(("p", "q")),
        "day": st.dates(date(2026, 1, 1), date(2026, 3, 31)),
        "loss": st.sampled_from((0.0, 0.1, 99.99, 100.0, 250.5, 3000.0)),
        "settled": st.sampled_from((0.0, 120.0)),
        "sold": st.none() | st.dates(date(2024, 1, 1), date(2026, 2, 1)),
        "produced": st.none() | st.dates(date(2024, 1, 1), date(2026, 2, 1)),
    }
)
SCHEMA = {
    "model": pl.String,
    "part": pl.String,
    "day": pl.Date,
    "loss": pl.Float64,
    "settled": pl.Float64,
    "sold": pl.Date,
    "produced": pl.Date,
}


def months(ticket: dict[str, Any]) -> float | None:
    used = ticket["sold"] or ticket["produced"]
    return None if used is None else max(0.0, (ticket["day"] - used) / timedelta(days=365.25 / 12))


def band(loss: float) -> str:
    return "below 100" if loss < 100 else "100 to 1000" if loss < 1000 else "from 1000"


@given(st.lists(TICKET, min_size=1, max_size=40), st.sampled_from(("loss", "tickets", "settled")))
def test_rows_are_those_of_a_slow_computation(tickets: list[dict[str, Any]], measure: Any) -> None:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for each in tickets:
        groups[each["model"], band(each["loss"]), f"{each['day']:%Y-%m}"].append(each)
    slow = {}
    for key, some in groups.items():
        known = [found for found in map(months, some) if found is not None]
        slow[key] = {
            "tickets": len(some),
            "loss": sum(each["loss"] for each in some),
            "settled": sum(each["settled"] for each in some),
            "months": median(known) if known else None,
        }
    found = pareto(pl.DataFrame(tickets, schema=SCHEMA), ("model", "cost", "month"), measure, (100.0, 1000.0))
    rows = found.to_dicts()
    assert {(row["model"], row["cost"], row["month"]) for row in rows} == set(slow)
    whole, running = sum(each[measure] for each in slow.values()), 0.0
    assert [row[measure] for row in rows] == sorted((row[measure] for row in rows), reverse=True)
    for row in rows:
        expected = slow[row["model"], row["cost"], row["month"]]
        assert {name: row[name] for name in expected} == pytest.approx(expected)
        running += row[measure]
        assert row["share"] == (pytest.approx(expected[measure] / whole) if whole else None)
        assert row["running"] == (pytest.approx(running / whole) if whole else None)
