"""`crm customers rfm`."""

from itertools import product
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.customers.rfm import SEGMENTS, grid, scored, summary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.conftest import Crm

CUSTOMERS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.integers(0, 90)), max_size=30)
SCHEMA = {"customer": pl.String, "recency": pl.Int64, "frequency": pl.Int64, "monetary": pl.Float64}
CUTS = {"recency": (1, 3, 5, 7), "monetary": (10, 20, 30, 40)}


def frame(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    named = [(f"c{number:03}", *row) for number, row in enumerate(rows)]
    return pl.DataFrame(named, schema=SCHEMA, orient="row")


def fifth(value: float, values: list[float]) -> int:
    """A score, found by counting whole fifths."""
    worse = sum(other < value for other in values)
    return 1 + sum(worse * 5 >= fifths * len(values) for fifths in (1, 2, 3, 4))


@given(CUSTOMERS)
def test_a_score_counts_the_fifths_that_are_worse(rows: list[tuple[int, int, int]]) -> None:
    found = {row["customer"]: (row["r"], row["f"], row["m"]) for row in scored(frame(rows)).iter_rows(named=True)}
    columns: list[list[float]] = [[-row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]]
    wanted = {
        f"c{number:03}": tuple(fifth(column[number], column) for column in columns) for number in range(len(rows))
    }
    assert found == wanted


def test_ten_different_customers_make_fifths_of_two() -> None:
    found = scored(frame([(day, 10 - day, 7 * (10 - day)) for day in range(10)]))
    assert found["rfm"].to_list() == ["555", "555", "444", "444", "333", "333", "222", "222", "111", "111"]


@given(CUSTOMERS)
def test_cuts_count_the_numbers_that_are_reached(rows: list[tuple[int, int, int]]) -> None:
    for row in scored(frame(rows), CUTS).iter_rows(named=True):
        assert row["r"] == 5 - sum(row["recency"] > cut for cut in CUTS["recency"])
        assert row["m"] == 1 + sum(row["monetary"] >= cut for cut in CUTS["monetary"])


@given(CUSTOMERS)
def test_a_summary_adds_up(rows: list[tuple[int, int, int]]) -> None:
    customers = scored(frame(rows))
    found = summary(customers)
    assert found["customers"].sum() == len(rows)
    assert found["monetary"].sum() == pytest.approx(sum(row[2] for row in rows))
    for row in found.iter_rows(named=True):
        its = customers.filter(pl.col("segment") == row["segment"])
        assert (row["customers"], row["share"]) == (its.height, pytest.approx(its.height / len(rows)))
        assert row["recency"] == pytest.approx(its["recency"].mean())
        assert row["frequency"] == pytest.approx(its["frequency"].mean())
    order = [segment.name for segment in SEGMENTS]
    assert found["segment"].to_list() == sorted(found["segment"], key=order.index)


def segments_of_all_scores() -> dict[tuple[int, ...], str]:
    """The segment of each of the 125 triples of scores, by cuts that give a number as its own score."""
    cuts = {"recency": (-4.5, -3.5, -2.5, -1.5), "frequency": (2, 3, 4, 5), "monetary": (2, 3, 4, 5)}
    triples = [(-r, f, m) for r, f, m in product(range(1, 6), repeat=3)]
    return {
        (row["r"], row["f"], row["m"]): row["segment"] for row in scored(frame(triples), cuts).iter_rows(named=True)
    }


def test_every_triple_of_scores_has_a_segment_and_every_segment_a_triple() -> None:
    found = segments_of_all_scores()
    assert len(found) == 125
    assert set(found.values()) == {segment.name for segment in SEGMENTS}


@pytest.mark.parametrize(
    ("scores", "segment"),
    [
        *(((5, 5, 5), "champions"), ((5, 5, 3), "loyal"), ((3, 4, 1), "loyal"), ((4, 3, 5), "promising")),
        *(
            ((5, 1, 5), "new"),
            ((3, 2, 2), "needs attention"),
            ((3, 1, 5), "about to sleep"),
            ((1, 5, 4), "cannot lose"),
        ),
        *(((2, 4, 3), "at risk"), ((1, 3, 3), "at risk"), ((2, 1, 1), "hibernating"), ((1, 2, 5), "lost")),
    ],
)
def test_segments_are_those_that_the_help_names(scores: tuple[int, int, int], segment: str) -> None:
    assert segments_of_all_scores()[scores] == segment


def orders(crm: "Crm") -> "Path":
    """Five customers: of `a` to `e` each bought later, more often and for more than the one before."""
    lines = [
        f"{who},2024-01-{day:02},{10 * number}"
        for number, who in enumerate("abcde", 1)
        for day in range(5 * number, 5 * number - number, -1)
    ]
    return crm.log("orders.csv", "customer,date,amount", *lines)


def rfm(crm: "Crm", *args: object) -> list[dict[str, Any]]:
    return crm.rows("customers", "rfm", "--input", orders(crm), *args)


def test_customers_are_listed_the_best_first_and_masked(crm: "Crm") -> None:
    found = rfm(crm)
    assert [row["rfm"] for row in found] == ["555", "444", "333", "222", "111"]
    assert [row["customer"] for row in found] == ["e***", "d***", "c***", "b***", "a***"]
    assert found[0] == {
        "customer": "e***",
        "recency": 0,
        "frequency": 5,
        "monetary": 250.0,
        "r": 5,
        "f": 5,
        "m": 5,
        "rfm": "555",
        "segment": "champions",
    }


def test_until_bounds_the_observation(crm: "Crm") -> None:
    assert [row["recency"] for row in rfm(crm, "--until", "2024-02-04")] == [10, 15, 20, 25, 30]
    frequencies = {row["customer"]: row["frequency"] for row in rfm(crm, "--until", "2024-01-22")}
    assert frequencies == {"a***": 1, "b***": 2, "c***": 3, "d***": 4, "e***": 2}


def test_cuts_are_given_for_each_measure(crm: "Crm") -> None:
    found = rfm(crm, "--cuts", "recency=0,1,2,3", "--cuts", "frequency=5,6,7,8")
    assert {row["customer"]: (row["r"], row["f"], row["m"]) for row in found} == {
        "e***": (5, 2, 5), "d***": (1, 1, 4), "c***": (1, 1, 3), "b***": (1, 1, 2), "a***": (1, 1, 1)
    }  # fmt: skip


def test_a_summary_has_a_row_a_segment(crm: "Crm") -> None:
    found = rfm(crm, "--summary")
    assert [row["segment"] for row in found] == ["champions", "needs attention", "hibernating", "lost"]
    assert found[0] == {
        "segment": "champions",
        "customers": 2,
        "share": 0.4,
        "recency": 2.5,
        "frequency": 4.5,
        "monetary": 410.0,
        "monetary_share": pytest.approx(410 / 550),
    }


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        (["recency=1,2,3"], "four rising numbers"),
        (["recency=1,2,2,3"], "four rising numbers"),
        (["recency=1,2,3,nan"], "four rising numbers"),
        (["recency"], "four rising numbers"),
        (["recencies=1,2,3,4"], "did you mean `recency`"),
        (["recency=1,2,3,4", "recency=1,2,3,4"], "can be cut once"),
    ],
)
def test_wrong_cuts_are_refused(crm: "Crm", cuts: list[str], message: str) -> None:
    words = [word for each in cuts for word in ("--cuts", each)]
    found = crm("customers", "rfm", "--input", orders(crm), *words, code=2)
    assert message in found.stderr


def test_few_different_values_are_told(crm: "Crm") -> None:
    file = crm.log("one.csv", "customer,date,amount", "a,2024-01-01,5", "b,2024-01-02,6")
    found = crm("customers", "rfm", "--input", file)
    assert "recency has 2 different values, so it makes no five scores" in found.stderr
    assert "frequency has 1 different value, so it makes no five scores" in found.stderr


@pytest.mark.parametrize("words", [[], ["--summary"]])
def test_no_orders_make_no_rows(crm: "Crm", words: list[str]) -> None:
    file = crm.log("none.csv", "customer,date,amount")
    assert "no rows" in crm("customers", "rfm", "--input", file, *words).stderr


def test_other_names_of_columns(crm: "Crm") -> None:
    file = crm.log("chinese.csv", "客户,日期,金额", "张三,2024年1月1日,¥5", "李四,2024/1/3,6")
    names = ("--customer", "客户", "--date", "日期", "--amount", "金额")
    found = crm.rows("customers", "rfm", "--input", file, *names)
    assert [(row["customer"], row["recency"], row["monetary"]) for row in found] == [
        ("李***", 0, 6.0),
        ("张***", 2, 5.0),
    ]


@given(CUSTOMERS)
def test_a_grid_counts_every_customer_once(rows: list[tuple[int, int, int]]) -> None:
    customers = scored(frame(rows))
    cells = {(row["r"], row["f"]): row for row in grid(customers).iter_rows(named=True)}
    for (r, f), row in cells.items():
        its = customers.filter(r=r, f=f)
        assert (row["customers"], row["m"]) == (its.height, pytest.approx(its["m"].mean()))
        assert (row["share"], row["monetary"]) == (pytest.approx(its.height / len(rows)), its["monetary"].sum())
    assert sum(row["customers"] for row in cells.values()) == len(rows)


def test_a_grid_is_listed_and_excludes_the_summary(crm: "Crm") -> None:
    assert {"r", "f", "customers", "share", "m", "monetary"} == set(rfm(crm, "--grid")[0])
    assert "exclude each other" in crm("customers", "rfm", "--grid", "--summary", code=2).stderr
