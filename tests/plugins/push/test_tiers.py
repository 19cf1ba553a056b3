"""Grey relational tiers."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.push import grey
from plugins.push.grey import Feature

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

PAPER = (
    .4726, .5637, .6637, .6643, .7912, .6691, .5845, .7929, .5788, .5345, .6307, .5246, .6039, .5465, .6872,
)  # fmt: skip

tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(-5, 9), st.none()), min_size=width, max_size=width), min_size=1, max_size=6
    )
)
directions = st.lists(st.sampled_from(("up", "down")), min_size=3, max_size=3)


@pytest.mark.reference
def test_grades_are_those_of_the_worked_example(reference_data: Path) -> None:
    file = reference_data / "svm_paper" / "table1.csv"
    columns = ("income_yuan", "education_q", "age", "children", "housing_m2")
    table = np.genfromtxt(file, delimiter=",", names=True, dtype=None, encoding="utf-8")
    values = np.column_stack([table[name].astype(float) for name in columns])
    features = [Feature(name) for name in columns]
    found = grey.grades(grey.coefficients(values, features), features)
    assert found[:15] == pytest.approx(PAPER, abs=1e-4)


def slow(rows: list[list[Any]], features: list[Feature], rho: float) -> list[float]:
    """Deng's grades, one value at a time."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    distances = []
    for column, feature in zip(columns, features, strict=True):
        there = [value for value in column if value is not None] or [0]
        best, worst = (max(there), min(there)) if feature.direction == "up" else (min(there), max(there))
        full = [worst if value is None else value for value in column]
        unit = max(abs(value) for value in full) or 1
        distances.append([abs(value / unit - best / unit) for value in full])
    every = [distance for column in distances for distance in column]
    least, most = min(every), max(every)
    found = []
    for row in zip(*distances, strict=True):
        each = [(least + rho * most) / (value + rho * most) if most else 1.0 for value in row]
        weights = [feature.weight for feature in features]
        found.append(sum(w * c for w, c in zip(weights, each, strict=True)) / sum(weights))
    return found


@given(tables, directions, st.sampled_from((0.1, 0.5, 1.0)))
def test_grades_are_those_of_the_definition(rows: list[list[Any]], ways: list[Any], rho: float) -> None:
    features = [Feature(str(n), ways[n], weight=n + 1) for n in range(len(rows[0]))]
    values = np.array([[np.nan if value is None else float(value) for value in row] for row in rows])
    found = grey.grades(grey.coefficients(values, features, rho), features)
    assert found == pytest.approx(slow(rows, features, rho))
    assert ((found > 0) & (found <= 1 + 1e-12)).all()


@given(tables, st.sampled_from(("maximum", "min-max", "mean")))
def test_units_do_not_matter(rows: list[list[Any]], scale: Any) -> None:
    values = np.array([[0.0 if value is None else float(value) for value in row] for row in rows])
    features = [Feature(str(n)) for n in range(values.shape[1])]
    found, other = (grey.coefficients(each, features, scale=scale) for each in (values, values * 8))
    assert found == pytest.approx(other)


def test_an_ideal_of_ones_own_counts_instead_of_the_best() -> None:
    values = np.array([[1.0], [2.0], [3.0]])
    found = grey.coefficients(values, [Feature("x", ideal=2.0)])
    assert found[1] > found[0] == pytest.approx(found[2])


@pytest.mark.parametrize(("quantiles", "wanted"), [(True, [0, 1, 1, 2]), (False, [0, 0, 1, 2])])
def test_cuts(quantiles: bool, wanted: list[int]) -> None:
    found = grey.tiers(np.array([0.1, 0.4, 0.5, 0.9]), (0.3, 0.8) if quantiles else (0.5, 0.8), quantiles=quantiles)
    assert found.tolist() == wanted


def test_tiers_of_a_file_are_saved_as_segments(crm: "Crm") -> None:
    crm.log("customers.csv", "customer,name", *(f"{who},n" for who in "abcd"))
    crm("customers", "import", crm.folder / "customers.csv")
    file = crm.log("members.csv", "会员号,积分,退货", "a,10,0", "b,5,3", "c,0,1", "d,9,", "a,1,1")
    words = ("--customer", "会员号", "--feature", "积分=up", "--feature", "退货=down:2")
    cuts = ("--cuts", "0.4,0.6", "--by", "grade", "--names", "low,middle,high", "--save", "--unmask", "--explain")
    rows = crm.rows("push", "tiers", "--input", file, *words, *cuts)
    assert [row["customer"] for row in rows] == ["a", "c", "d", "b"]
    assert rows[0] == {"customer": "a", "grade": 1.0, "tier": "high", "coef_积分": 1.0, "coef_退货": 1.0}
    assert rows[1]["grade"] == pytest.approx((1 / 3 + 2 * 0.6) / 3)
    members = crm.rows("customers", "segments")
    assert {row["segment"]: row["members"] for row in members} == {"tier:high": 1, "tier:middle": 2, "tier:low": 1}


def test_tiers_of_the_workspace(crm_on: "Crm") -> None:
    crm = crm_on
    crm.log("customers.csv", "customer,name", "a,n", "b,n", "c,n")
    crm("customers", "import", crm.folder / "customers.csv")
    lines = ("a1,1,a,2026-03-01,x,100", "b1,1,b,2026-03-09,x,50", "b1,2,b,2026-03-09,y,-10", "c1,1,c,2026-03-20,x,999")
    crm.log("orders.csv", "order_id,line,customer,ts,item,amount", *lines)
    crm("orders", "import", crm.folder / "orders.csv")
    words = ("--feature", "spent=up", "--feature", "recency=down", "--at", "2026-03-11", "--explain", "--unmask")
    rows = {row["customer"]: row for row in crm.rows("push", "tiers", *words)}
    # spent 100, 40, 0; recency 10, 2, and 10, the worst, for c, who has ordered nothing before
    assert rows["a"]["coef_spent"] == 1.0
    assert rows["c"]["coef_spent"] == pytest.approx(1 / 3)
    assert rows["b"]["coef_spent"] == pytest.approx(0.5 / 1.1)
    assert rows["a"]["coef_recency"] == rows["c"]["coef_recency"] == pytest.approx(0.5 / 1.3)
    said = crm("push", "tiers", *words).stderr
    assert "not known, and taken for the worst: recency of 1 of 3 customers" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--feature", "spend=up"), "there is no column `spend` (did you mean `spent`?)"),
        (("--feature", "spent=high"), "write a column as spent=up"),
        (("--cuts", "0.8,0.5"), "cuts rise"),
        (("--cuts", "0.5"), "1 cuts make 2 tiers, and there are 3 names"),
        (("--rho", "0"), "0"),
        (("--customer", "x"), "no"),
    ],
)
def test_mistakes(crm: "Crm", words: tuple[str, ...], said: str) -> None:
    crm.log("customers.csv", "customer,name", "a,n")
    crm("customers", "import", crm.folder / "customers.csv")
    assert said in crm("push", "tiers", *words, code=2).stderr
