"""What is expected of cells, from totals and from exposure, and how long vehicles were in service."""

import itertools
from collections import Counter
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, norm

from plugins.tickets.quality import exposure
from plugins.tickets.quality.cells import NEEDED, failures, span_of, watched
from plugins.tickets.quality.expecting import expected, table_of
from plugins.tickets.quality.rises import moderated, rises, scores

TICKETS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(("s", "t", None))),
    min_size=1,
    max_size=60,
)


def frame(rows: list[tuple[str, str, str | None]]) -> pl.DataFrame:
    schema = dict.fromkeys(("dealer", "labour_code", "model"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(TICKETS)
def test_tickets_are_counted_and_expected_as_if_independent(rows: list[tuple[str, str, str | None]]) -> None:
    table = table_of(frame(rows), "dealer", "labour_code", "model")
    counted = Counter((dealer, labour) for dealer, labour, _ in rows)
    seen = table.together(table.counts)
    every = {(a, b): seen[i, j] for i, a in enumerate(table.owners) for j, b in enumerate(table.columns)}
    assert {cell: number for cell, number in every.items() if number} == counted
    own, column, whole = (
        Counter(each) for each in ([(d, m) for d, _, m in rows], [(c, m) for _, c, m in rows], [m for *_, m in rows])
    )
    slow = {
        (a, b): sum(own[a, m] * column[b, m] / whole[m] for m in whole) for a in table.owners for b in table.columns
    }
    wild = any(seen_ > slow[cell] + 2 for cell, seen_ in every.items())
    means = expected(table)
    if not wild:  # else counts are cut first
        found = {(a, b): means[i, j] for i, a in enumerate(table.owners) for j, b in enumerate(table.columns)}
        assert found == pytest.approx(slow)
    assert means.sum() <= len(rows) + 1e-6


def test_a_cell_with_a_problem_neither_raises_itself_nor_lowers_others() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(20.0, (30, 40))
    counts[3, 5] = 400
    rows = [(f"d{i:02d}", f"l{j:02d}", "m") for i in range(30) for j in range(40) for _ in range(counts[i, j])]
    means = expected(table_of(frame(rows), "dealer", "labour_code", "model"))
    assert means[3, 5] < 30
    assert means[3].sum() - means[3, 5] > 39 * 18
    naive = counts.sum(axis=1)[3] * counts.sum(axis=0)[5] / counts.sum()
    assert naive > 45


def test_where_the_base_is_zero_nothing_is_expected_and_exposure_makes_the_rest() -> None:
    rows = [("a", "x", "m")] * 30 + [("b", "x", "m")] * 10 + [("b", "y", "m")] * 10
    table = table_of(frame(rows), "dealer", "labour_code", "model")
    means = expected(table, (table.counts > 0).astype(float))
    assert means[0, 1] == 0
    alone = expected(table, np.array([[1.0, 1.0], [3.0, 3.0]]), own_totals=False)
    assert alone[:, 1] == pytest.approx([2.5, 7.5])


@given(
    st.lists(
        st.tuples(st.integers(-900, 300), st.none() | st.integers(0, 900), st.integers(1, 4)), min_size=1, max_size=8
    ),
    st.integers(1, 90),
)
def test_time_in_service_is_what_counting_days_gives(cars: list[tuple[int, int | None, int]], length: int) -> None:
    first = date(2026, 1, 1)
    behind = first + timedelta(days=length)
    sold = [first + timedelta(days=each[0]) for each in cars]
    gone = [None if each[1] is None else day + timedelta(days=each[1]) for each, day in zip(cars, sold, strict=True)]
    vehicles = pl.DataFrame(
        {"sold": sold, "gone": gone, "count": [each[2] for each in cars]}, schema_overrides={"gone": pl.Date}
    )
    found = exposure.in_service(vehicles, first, behind)
    for row, (begin, end, (_, _, count)) in enumerate(zip(sold, gone, cars, strict=True)):
        days = [first + timedelta(days=at) for at in range(length)]
        used = [(day - begin).days for day in days if begin <= day and (end is None or day < end)]
        assert found[row].sum() == pytest.approx(count * len(used))
        edges = [*(each * 365.25 / 12 for each in exposure.BANDS), 1e9]
        for at, (low, high) in enumerate(itertools.pairwise(edges)):
            slow = count * sum(low <= age < high for age in used)
            assert found[row, at] == pytest.approx(slow, abs=2 * count)  # a day at an edge is shared


@given(st.dates(date(2020, 1, 1), date(2027, 1, 1)), st.integers(0, 800))
def test_months_share_out_the_days(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    found = exposure.months_of(first, last)
    assert sum((behind - begin).days for _, begin, behind in found) == length + 1
    assert [name for name, *_ in found] == sorted({f"{first + timedelta(days=at):%Y-%m}" for at in range(length + 1)})


def test_a_ticket_that_tells_of_a_failure_again_does_not_count_twice() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 20), date(2026, 3, 1), date(2026, 1, 2), date(2026, 1, 2)]
    rows = pl.DataFrame({"vin": ["v", "v", "v", "v", None], "fault_code": ["f", "f", "f", "g", "f"], "day": days})
    kept = failures(rows)
    assert sorted(kept["day"].to_list()) == [days[0], days[3], days[4], days[2]]


def test_scores_are_those_of_a_slow_computation() -> None:
    counts, means, spread = [4.0, 9.0, 5.0, 12.0, 14.0, 11.0], [6.0, 8.0, 9.0, 9.0, 10.0, 13.0], 0.05
    weights = [1 / (1 + spread * mean) for mean in means]
    level = sum(w * c for w, c in zip(weights, counts, strict=True)) / sum(
        w * m for w, m in zip(weights, means, strict=True)
    )
    fitted = [level * mean for mean in means]
    weights = [1 / (1 + spread * mean) for mean in fitted]
    middle = sum(t * w * m for t, (w, m) in enumerate(zip(weights, fitted, strict=True)))
    middle /= sum(w * m for w, m in zip(weights, fitted, strict=True))
    score = sum(w * (t - middle) * (c - m) for t, (w, c, m) in enumerate(zip(weights, counts, fitted, strict=True)))
    variance = sum((t - middle) ** 2 * w * m for t, (w, m) in enumerate(zip(weights, fitted, strict=True)))
    found, own, third, _ = scores(np.array(counts)[:, None], np.array(means)[:, None], spread)
    assert found[0] == pytest.approx(score / variance**0.5)
    around = sum(w * (c - m) ** 2 / m for w, c, m in zip(weights, counts, fitted, strict=True))
    assert own[0] == pytest.approx((around - found[0] ** 2) / 4)
    skews = [float(nbinom.stats(1 / spread, 1 / (1 + spread * m), moments="s")) for m in fitted]
    pulls = [w * (t - middle) / variance**0.5 for t, w in enumerate(weights)]
    deviations = [(m * (1 + spread * m)) ** 0.5 for m in fitted]
    slow = sum((p * d) ** 3 * s for p, d, s in zip(pulls, deviations, skews, strict=True))
    assert third[0] == pytest.approx(slow)


def test_a_rise_is_found_and_a_fall_is_not() -> None:
    rng = np.random.default_rng(8)
    means = np.full((12, 60), 20.0)
    counts = rng.poisson(means).astype(float)
    counts[:, 7] = rng.poisson(np.linspace(8, 40, 12))
    counts[:, 8] = counts[::-1, 7]
    found = rises(counts, means)
    assert found.p[7] < 1e-6
    assert found.p[8] > 0.99
    assert np.delete(found.p, [7, 8]).min() > 1e-3
    assert not rises(counts[:5], means[:5]).tested.any()
    counts[:, 9] = 1
    assert not rises(counts, means).tested[9]


def test_faults_that_are_wild_by_nature_need_a_clearer_rise() -> None:
    calm = np.random.default_rng(1).chisquare(10, 50) / 10
    wild = np.random.default_rng(2).gamma(0.7, 2.0, 50)
    z, none = np.full(50, 4.0), np.zeros(50)
    assert np.median(moderated(z, calm, 10, none, none)) < 2 * norm.sf(4.0)
    assert moderated(z, wild, 10, none, none).min() > 5 * norm.sf(4.0)


def test_p_values_of_rises_hold_far_out_where_counts_are_wild() -> None:
    """Draws of one fault without a rise, with the spread known: as many are beyond a bound as their p-values say."""
    rng = np.random.default_rng(4)
    means, spread, draws = np.full((12, 1), 25.0), 0.1, 400_000
    counts = rng.poisson(25.0 * rng.gamma(1 / spread, spread, (12, draws))).astype(float)
    z, _, third, fourth = scores(counts, np.broadcast_to(means, counts.shape), spread)
    calm, freedom = np.ones(draws), 10
    p = moderated(z, calm, freedom, third, fourth)
    for bound in (1e-2, 1e-3, 1e-4):
        assert (p <= bound).sum() <= draws * bound * 1.3 + 4


def test_labour_that_needs_no_parts_is_watched_by_category() -> None:
    rows = pl.DataFrame({name: ["x"] * 40 for name in NEEDED}).with_columns(
        pl.Series("day", [date(2026, 1, 1 + at % 28) for at in range(40)]),
        pl.lit(None, dtype=pl.Date).alias("sold"),
        pl.Series("vin", [f"v{at}" for at in range(40)]),
    )
    none = pl.DataFrame(schema={"batch": pl.String, "model": pl.String, "sold": pl.Date, "gone": pl.Date})
    kinds = [each.kind for each in watched(span_of(rows, none))]
    assert "batch and part" in kinds
    assert "batch and category" not in kinds
    bare = rows.with_columns(pl.lit(None, dtype=pl.String).alias("part"))
    assert "batch and category" in [each.kind for each in watched(span_of(bare, none))]
