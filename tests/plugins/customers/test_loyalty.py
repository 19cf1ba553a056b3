"""Repurchase, tiers, NPS and CSAT: `crm customers loyalty`."""

from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from plugins.customers.config import Tier
from plugins.customers.loyalty import cohorts, repurchases
from plugins.customers.standing import listed, standings, summed
from plugins.customers.surveys import csat, nps

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

UNTIL = date(2026, 3, 10)
MOMENT = pl.Datetime("us", "UTC")
Z = float(norm.ppf(0.975))
days = st.integers(0, 500).map(lambda back: UNTIL - timedelta(days=back))
bought = st.lists(st.tuples(st.sampled_from("abc"), days), max_size=15, unique=True)
periods = st.sampled_from(("month", "quarter", "year"))


def begin(day: date, period: str) -> date:
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[period]
    return date(day.year, month, 1)


def frame(rows: list[tuple[str, date]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"customer": pl.String, "date": pl.Date}, orient="row")


def following(day: date, period: str) -> date:
    months = {"month": 1, "quarter": 3, "year": 12}[period] + day.month - 1
    return date(day.year + months // 12, months % 12 + 1, 1)


@given(bought, st.integers(1, 120), periods, st.booleans())
def test_repurchases_are_those_found_by_hand(rows: list[tuple[str, date]], within: int, period: str, new: bool) -> None:
    wanted: dict[date, list[int | None]] = {}
    for who in "abc":
        own = sorted(day for customer, day in rows if customer == who)
        starts = {begin(day, period): day for day in reversed(own)}
        starts = {begin(own[0], period): own[0]} if new and own else starts
        for place, day in starts.items():
            later = [(each - day).days for each in own if each > day]
            gap = min(later) if later and min(later) <= within else 0
            known = day + timedelta(days=within) <= UNTIL
            wanted.setdefault(place, []).append(gap if known else None)
    found = repurchases(frame(rows), UNTIL, within, period, new=new)
    assert found["period"].to_list() == sorted(wanted)
    for row in found.iter_rows(named=True):
        gaps = wanted[row["period"]]
        known = [gap for gap in gaps if gap is not None]
        again = [gap for gap in known if gap]
        assert (row["customers"], row["known"], row["again"]) == (len(gaps), len(known), len(again))
        assert row["rate"] == (pytest.approx(len(again) / len(known)) if known else None)
        assert row["median_days"] == (median(again) if again else None)


@given(bought, periods)
def test_cohorts_are_those_found_by_hand(rows: list[tuple[str, date]], period: str) -> None:
    own = {who: sorted(begin(day, period) for customer, day in rows if customer == who) for who in "abc"}
    wanted = {}
    for cohort in {places[0] for places in own.values() if places}:
        people = [places for places in own.values() if places and places[0] == cohort]
        place, after = cohort, 0
        while after == 0 or following(place, period) <= UNTIL + timedelta(days=1):
            wanted[cohort, after] = (len(people), sum(place in places for places in people))
            place, after = following(place, period), after + 1
    found = cohorts(frame(rows), UNTIL, period)
    rows_found = {
        (row["cohort"], row["after"]): (row["customers"], row["buyers"]) for row in found.iter_rows(named=True)
    }
    last = max(
        (after for places in own.values() if places for after in [_steps(places[0], places[-1], period)]), default=0
    )
    assert rows_found == {key: value for key, value in wanted.items() if key[1] <= last}


def _steps(first: date, last: date, period: str) -> int:
    steps = 0
    while first < last:
        first, steps = following(first, period), steps + 1
    return steps


scores = st.lists(st.tuples(st.sampled_from(("x", "y", None)), st.integers(0, 10)), max_size=20)


@given(scores)
def test_nps_and_its_interval(rows: list[tuple[str | None, int]]) -> None:
    answers = pl.DataFrame(rows, {"group": pl.String, "score": pl.Float64}, orient="row")
    for row in nps(answers).iter_rows(named=True):
        own = [score for group, score in rows if group == row["group"]]
        signs = [(score >= 9) - (score <= 6) for score in own]
        mean = sum(signs) / len(signs)
        spread = (sum((sign - mean) ** 2 for sign in signs) / len(signs) / len(signs)) ** 0.5
        assert row["nps"] == pytest.approx(100 * mean)
        assert row["low"] == pytest.approx(max(-100, 100 * (mean - Z * spread)))
        assert row["high"] == pytest.approx(min(100, 100 * (mean + Z * spread)))
        assert row["promoters"] + row["passives"] + row["detractors"] == row["answers"] == len(own)


@given(scores)
def test_csat_and_its_interval(rows: list[tuple[str | None, int]]) -> None:
    rows = [(group, 1 + score % 5) for group, score in rows]
    for row in csat(pl.DataFrame(rows, {"group": pl.String, "score": pl.Float64}, orient="row")).iter_rows(named=True):
        own = [score for group, score in rows if group == row["group"]]
        share = sum(score >= 4 for score in own) / len(own)
        assert (row["csat"], row["mean"]) == pytest.approx((share, sum(own) / len(own)))
        for end in (row["low"], row["high"]):  # Wilson: the shares from which this one is just z standard errors away
            assert (share - end) ** 2 == pytest.approx(Z**2 * end * (1 - end) / len(own), abs=1e-9)
        assert row["low"] - 1e-12 <= share <= row["high"] + 1e-12


TIERS = (Tier(name="银", spent=100), Tier(name="金", spent=200, orders=2))


def test_a_tier_is_the_last_whose_bounds_are_all_reached() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        ("a", "1", 250.0, 10),
        ("b", "2", 150.0, 10),
        ("b", "3", 60.0, 20),
        ("c", "4", 900.0, 400),
        ("d", "5", 120.0, 5),
        ("d", "5", -30.0, 4),
    ]
    orders = pl.DataFrame(
        [(who, order, amount, now - timedelta(days=back)) for who, order, amount, back in rows],
        {"customer": pl.String, "order_id": pl.String, "amount": pl.Float64, "ts": MOMENT},
        orient="row",
    )
    points = pl.DataFrame(schema={"customer": pl.String, "ts": MOMENT, "points": pl.Int64, "order_id": pl.String})
    found = listed(pl.DataFrame({"customer": list("abcde")}), orders, points, now, TIERS, 12)
    columns = ("customer", "tier", "spent", "orders", "next", "spent_missing", "orders_missing")
    assert found.select(columns).rows() == [
        ("b", "金", 210.0, 2, None, None, None),
        ("a", "银", 250.0, 1, "金", 0.0, 1),
        ("d", None, 90.0, 1, "银", 10.0, None),
        ("c", None, 0.0, 0, "银", 100.0, None),
        ("e", None, 0.0, 0, "银", 100.0, None),
    ]
    sums = summed(found, TIERS)
    assert sums.drop("share").rows() == [(None, 3, 90.0), ("银", 1, 250.0), ("金", 1, 210.0)]
    assert sums["share"].to_list() == pytest.approx([0.6, 0.2, 0.2])
    assert standings(orders.lazy(), points.lazy(), now, (), 12).collect()["tier"].null_count() == 3


# The commands


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    records = crm.open().records
    answers = [
        ("a", 1, "nps", 10),
        ("a", 40, "nps", 2),
        ("b", 2, "nps", 9),
        ("c", 41, "nps", 7),
        ("c", 3, "nps", 11),
        ("b", 3, "csat", 5),
        ("a", 3, "csat", 3),
    ]
    rows = [
        (who, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day), question, float(score))
        for who, day, question, score in answers
    ]
    surveys = pl.DataFrame(
        rows, {"customer": pl.String, "ts": MOMENT, "question": pl.String, "score": pl.Float64}, orient="row"
    )
    bought = [("a", 1, 50.0), ("a", 20, 60.0), ("b", 2, 10.0), ("b", 150, 9.0)]
    orders = pl.DataFrame(
        [
            (f"o{at}", 1, who, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day), amount)
            for at, (who, day, amount) in enumerate(bought)
        ],
        {"order_id": pl.String, "line": pl.Int32, "customer": pl.String, "ts": MOMENT, "amount": pl.Float64},
        orient="row",
    )
    with records.begin() as connection:
        records.append(
            connection, "customers", pl.DataFrame({"customer": list("abc"), "region": ["广东", "广东", "北京"]})
        )
        records.append(connection, "surveys", surveys)
        records.append(connection, "orders", orders)
    return crm


def table(crm: "Crm", *args: object, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in columns) for row in crm.rows("customers", "loyalty", *args)]


def test_nps_of_the_workspace(shop: "Crm") -> None:
    assert table(shop, "nps", columns=("group", "answers", "nps")) == [("all", 4, 25.0)]
    assert table(shop, "nps", "--by", "month", columns=("period", "answers", "nps")) == [
        ("2026-01-01", 2, 100.0), ("2026-02-01", 2, -50.0),
    ]  # fmt: skip
    assert table(shop, "nps", "--by", "region", "--last", columns=("region", "answers", "nps")) == [
        ("北京", 1, 0.0), ("广东", 2, 0.0),
    ]  # fmt: skip
    assert "1 of 5 answers left out: no whole number from 0 to 10" in shop("customers", "loyalty", "nps").stderr
    assert table(shop, "csat", columns=("answers", "csat", "mean")) == [(2, 0.5, 4.0)]


def test_a_workspace_without_answers_says_how_to_get_some(crm: "Crm") -> None:
    crm("customers", "import", crm.log("people.csv", "customer,city", "a,x"))
    said = "crm: the workspace has no answers; `crm surveys import` brings some in, or name a file with --input\n"
    for command in ("nps", "csat"):
        assert crm("customers", "loyalty", command, code=4).stderr == said


def test_scores_of_a_file(crm: "Crm") -> None:
    file = crm.folder / "in.csv"
    file.write_text(
        "顾客,分数,日期,店\nx,10,2026-01-05,甲\nx,0,2026/2/6,甲\ny,9,2026年2月7日,乙\nz,好,2026-01-01,乙\n",
        encoding="utf-8",
    )
    args = ("nps", "--input", file, "--score", "分数", "--date", "日期", "--customer", "顾客")
    assert table(crm, *args, columns=("answers", "nps")) == [(3, pytest.approx(100 / 3))]
    assert table(crm, *args, "--by", "店", columns=("店", "answers", "nps")) == [("乙", 1, 100.0), ("甲", 2, 0.0)]
    assert table(crm, *args, "--by", "quarter", "--last", columns=("period", "nps")) == [("2026-01-01", 0.0)]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("nps", "--by", "regin"), "did you mean `region`"),
        (("nps", "--by", "name"), "the column `name` is personal"),
        (("csat", "--question", "npx"), "did you mean `nps`"),
        (("nps", "--score", "x"), "are about a file"),
        (("tiers",), "there are no tiers"),
        (("repurchase", "--cohorts", "--within", "9d"), "without --within"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(shop: "Crm", args: tuple[str, ...], sentence: str) -> None:
    assert sentence in shop("customers", "loyalty", *args, code=2).stderr


def test_repurchases_of_the_workspace_and_of_a_file(shop: "Crm") -> None:
    columns = ("period", "customers", "known", "again", "rate", "median_days")
    wanted = [("2026-01-01", 2, 2, 1, 0.5, 19.0)]
    assert table(shop, "repurchase", columns=columns) == wanted
    file = shop.folder / "orders.csv"
    file.write_text("customer,date,amount\na,2026-01-02,1\na,2026-01-21,1\nb,2026-01-03,1\nb,2026-05-31,9\n")
    assert table(shop, "repurchase", "--input", file, columns=columns) == wanted
    rows = table(shop, "repurchase", "--cohorts", "--by", "month", columns=("after", "buyers"))
    assert rows == [(0, 2), (1, 0), (2, 0), (3, 0), (4, 1)]
    file.write_text("customer,date,amount\n")
    assert shop.rows("customers", "loyalty", "repurchase", "--input", file) == []


def test_tiers_of_the_workspace(shop: "Crm") -> None:
    shop.configure("customers: {tiers: [{name: 银, spent: 15}, {name: 金, orders: 2, spent: 100}]}\n")
    args = ("tiers", "--as-of", "2026-07-01")
    assert table(shop, *args, columns=("tier", "spent", "next", "spent_missing")) == [
        ("金", 110.0, None, None), ("银", 19.0, "金", 81.0), (None, 0.0, "银", 15.0),
    ]  # fmt: skip
    assert table(shop, *args, "--summary", columns=("tier", "customers")) == [(None, 1), ("银", 1), ("金", 1)]
    assert table(shop, "tiers", "--as-of", "2026-01-10", "--summary", columns=("tier", "customers"))[0] == (None, 2)


@pytest.mark.parametrize(
    "text", ["tiers: [{name: x}]", "tiers: [{name: x, spent: 1}, {name: x, spent: 2}]", "points: {per_unit: -1}"]
)
def test_a_configuration_that_makes_no_sense_is_refused(shop: "Crm", text: str) -> None:
    shop.configure(f"customers: {{{text}}}\n")
    assert "customers" in shop("customers", "loyalty", "tiers", code=4).stderr
