"""`crm customers cluster`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from crm.learning.separation import Floats, Ints
from plugins.customers.clusters import clustered, summary
from plugins.customers.features import complete

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

PAPER = "income_yuan,education_q,age,children,housing_m2"
METHODS = ["kmeans", "fuzzy"]
ROWS = arrays(np.float64, st.tuples(st.integers(0, 12), st.just(2)), elements=st.sampled_from([0.0, 1.0, 2.5, 7.0]))


def planted(kinds: int, size: int = 60, seed: int = 0) -> tuple[Floats, Ints]:
    """Rows of some kinds that lie apart, the first kind the largest; and their kinds."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(kinds), size - 10 * np.arange(kinds)))
    angle = 0.6 + 2 * np.pi * kind / kinds  # so that both features tell
    return 8 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(size=(len(kind), 2)), kind


def cluster(crm: "Crm", file: Path, *args: object) -> list[dict[str, Any]]:
    return crm.rows("customers", "cluster", "--input", file, *args)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kinds", [2, 3, 5])
def test_the_silhouette_finds_how_many_kinds_there_are(crm: "Crm", kinds: int, method: str) -> None:
    values, kind = planted(kinds)
    file = crm.folder / "in.csv"
    pl.DataFrame(values, schema=["x", "y"]).with_columns(id=np.arange(len(kind))).write_csv(file)
    rows = cluster(crm, file, "--features", "x,y", "--method", method)
    found = [row["cluster"] for row in rows]
    assert adjusted_rand_score(kind, found) > 0.98
    sizes = np.bincount(found)[1:].tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert [row["id"] for row in rows] == [str(number) for number in range(len(kind))]
    degrees = [f"membership_{number}" for number in range(1, kinds + 1)] if method == "fuzzy" else []
    assert list(rows[0]) == ["x", "y", "id", "cluster", *degrees]
    for row in rows if degrees else []:
        each = [row[name] for name in degrees]
        assert sum(each) == pytest.approx(1)
        assert row["cluster"] == 1 + int(np.argmax(each))


@settings(max_examples=60)
@given(ROWS, st.integers(1, 4), st.sampled_from(METHODS))
def test_a_summary_is_what_a_slow_count_says(rows: Floats, number: int, method: str) -> None:
    found = clustered(rows, [number], method)
    table = summary(complete(rows), ["x", "y"], found).to_dicts()
    assert len(found.labels) == len(rows)
    assert found.count == min(number, len({tuple(row) for row in rows.tolist()}))
    for label, row in enumerate(table):
        own = [point for point, its in zip(rows.tolist(), found.labels, strict=True) if its == label]
        assert row["size"] == len(own)
        assert row["share"] == pytest.approx(len(own) / len(rows))
        means = [sum(point[at] for point in own) / len(own) if own else None for at in range(2)]
        assert [row["mean_x"], row["mean_y"]] == pytest.approx(means)
        if own:
            assert row["distinguishing"] == telling(rows, means)


def telling(rows: Floats, means: list[Any]) -> list[str]:
    """Features by how many standard deviations a mean is away."""
    spread = [float(np.std(rows[:, at])) for at in range(2)]
    away = [(means[at] - float(np.mean(rows[:, at]))) / spread[at] if spread[at] else 0.0 for at in range(2)]
    order = sorted(range(2), key=lambda at: (-round(abs(away[at]), 9), at))
    return [f"{'xy'[at]} {away[at]:+.2f}" for at in order if abs(away[at]) >= 0.2]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_rows_give_the_same_clusters_on_any_number_of_processors(method: str) -> None:
    values = np.random.default_rng(0).normal(size=(200, 3))
    with threadpool_limits(limits=2):
        one = clustered(values, range(2, 4), method)
    with threadpool_limits(limits=1):
        other = clustered(values, range(2, 4), method)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.silhouettes == other.silhouettes


@pytest.mark.parametrize("method", METHODS)
def test_of_many_rows_some_are_looked_at_and_all_have_a_cluster(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setattr("plugins.customers.clusters.FITTED", 50)
    values, kind = planted(3)
    found = clustered(values, [3], method)
    assert found.fitted == 50
    assert adjusted_rand_score(kind, found.labels) > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_a_row_without_a_feature_has_no_cluster(crm: "Crm", method: str) -> None:
    file = crm.log("in.csv", "x,y", "1,1", "1,2", ",3", "9,9", "9,8", "9,")
    rows = cluster(crm, file, "--features", "x,y", "--clusters", 2, "--method", method)
    assert [row["cluster"] for row in rows] == [1, 1, None, 2, 2, None]
    if method == "fuzzy":
        assert [row["membership_1"] is None for row in rows] == [False, False, True, False, False, True]
    told = crm("customers", "cluster", "--input", file, "--features", "x,y", "--clusters", 2).stderr
    assert "2 of 6 rows without a cluster: a feature is missing" in told


def test_what_tells_clusters_apart_is_told(crm: "Crm") -> None:
    file = crm.log("in.csv", "age,children,town", "20,0,1", "21,1,1", "22,0,1", "60,1,1", "61,0,1")
    told = crm("customers", "cluster", "--input", file, "--features", "age,children,town", "--clusters", 2).stderr
    mean, spread = 36.8, float(np.std([20, 21, 22, 60, 61]))
    assert f"cluster 1: 3 rows; age {(21 - mean) / spread:+.2f}" in told
    assert f"cluster 2: 2 rows; age {(60.5 - mean) / spread:+.2f}" in told
    assert "town" not in told.split("cluster 1:")[1]


@pytest.mark.parametrize(
    ("lines", "clusters"),
    [
        ([], []),
        (["1,1"], [1]),
        (["1,1", "1,1", "1,1"], [1, 1, 1]),
        (["1,1", "5,5"], [1, 2]),
        ([",", "1,"], [None, None]),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_few_rows_are_no_harm(crm: "Crm", lines: list[str], clusters: list[int | None], method: str) -> None:
    file = crm.log("in.csv", "x,y", *lines)
    for options in ((), ("--clusters", 3)):
        rows = cluster(crm, file, "--features", "x,y", "--method", method, *options)
        assert sorted(map(str, (row["cluster"] for row in rows))) == sorted(map(str, clusters))
    few = cluster(crm, file, "--features", "x,y", "--method", method, "--summary")
    assert len(few) == len({each for each in clusters if each})


def test_fewer_different_rows_than_clusters_are_told(crm: "Crm") -> None:
    file = crm.log("in.csv", "x", "1", "1", "5")
    told = crm("customers", "cluster", "--input", file, "--features", "x", "--clusters", 3).stderr
    assert "fewer clusters than 3: too few rows are different" in told


@pytest.mark.parametrize("scaling", ["max", "standard", "none"])
def test_scaling_makes_features_comparable(crm: "Crm", scaling: str) -> None:
    lines = [f"{1000 + 100 * (n % 3)},{n % 2}" for n in range(12)]
    file = crm.log("in.csv", "income,children", *lines)
    rows = cluster(crm, file, "--features", "income,children", "--clusters", 2, "--scaling", scaling)
    by_children = len({(row["children"], row["cluster"]) for row in rows}) == 2
    assert by_children == (scaling != "none")


@pytest.mark.parametrize(
    ("options", "lines", "code", "said"),
    [
        (("--features", "x,yy"), ["1,2"], 2, "--features: there is no column `yy` (did you mean `y`?)"),
        (("--features", "x", "--m", 2), ["1,2"], 2, "--m is about --method fuzzy"),
        (("--features", "x", "--method", "fuzzy", "--m", 1), ["1,2"], 2, "--m"),
        (("--features", "customer"), ["1,2"], 2, "column `customer` is personal"),
        (("--features", "x"), ["one,2"], 4, "column `x`, row 1: `one` is no number"),
        (("--features", "x"), ["inf,2"], 4, "`inf` is no number"),
    ],
)
def test_a_wrong_call_is_told(crm: "Crm", options: tuple[object, ...], lines: list[str], code: int, said: str) -> None:
    file = crm.log("in.csv", "x,y", *lines)
    assert said in crm("customers", "cluster", "--input", file, *options, code=code).stderr


def test_a_column_of_the_result_may_not_be_there_already(crm: "Crm") -> None:
    file = crm.log("in.csv", "x,membership_2", "1,2", "2,1")
    options = ("--features", "x", "--clusters", 2)
    assert cluster(crm, file, *options)
    told = crm("customers", "cluster", "--input", file, *options, "--method", "fuzzy", code=4).stderr
    assert "has a column `membership_2` already" in told


def test_customers_are_masked(crm: "Crm") -> None:
    file = crm.log("in.csv", "customer,x", "zhang.san,1", "li.si,9")
    assert [row["customer"] for row in cluster(crm, file, "--features", "x", "--clusters", 2)] == ["z***", "l***"]


def test_personal_columns_are_masked_whatever_language_their_headers_are_in(crm: "Crm") -> None:
    file = crm.log("in.csv", "编号,客户姓名,Mobile 2,出生日期,x", "7,张三,13812345678,1980-03-04,1", "8,李四,,,9")
    first = cluster(crm, file, "--features", "x", "--clusters", 2)[0]
    del first["cluster"]
    assert list(first.values()) == ["7", "张***", "138***78", "1980-***", "1"]
    assert "is personal" in crm("customers", "cluster", "--input", file, "--features", "Mobile 2", code=2).stderr
    crm.configure("access: {shown: [客户姓名], personal: {x: hidden}}\n")
    assert "张三" in crm("customers", "cluster", "--input", file, "--features", "编号").stdout
    assert "is personal" in crm("customers", "cluster", "--input", file, "--features", "x", code=2).stderr


@pytest.mark.reference
@pytest.mark.parametrize("seed", range(5))
def test_the_worked_example_of_a_paper_has_these_clusters(crm: "Crm", reference_data: Path, seed: int) -> None:
    file = reference_data / "svm_paper/table1.csv"
    options = ("--features", PAPER, "--scaling", "max", "--method", "fuzzy", "--clusters", 2, "--seed", seed)
    rows = cluster(crm, file, *options)
    clusters = [{int(row["no"]) for row in rows if row["cluster"] == number} for number in (1, 2)]
    assert clusters == [{1, 2, 6, 7, 9, 10, 11, 12, 14}, {3, 4, 5, 8, 13, 15}]
    assert "J = 1.2303\n" in crm("customers", "cluster", "--input", file, *options).stderr
