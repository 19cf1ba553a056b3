"""`crm customers churn train`, `predict` and `evaluate`."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from threadpoolctl import threadpool_limits

from plugins.customers import churn, churn_features, churn_files, churn_measures, churn_reasons, churn_source

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

START = datetime(2025, 1, 1, tzinfo=UTC)
judged = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from((0.0, 0.1, 0.35, 0.5, 0.9, 1.0))), min_size=1, max_size=30
)


def table(size: int = 400, seed: int = 0) -> pl.DataFrame:
    """Customers who leave more often the fewer months they have and if they live in 北京; with gaps."""
    rng = np.random.default_rng(seed)
    months, city = rng.integers(0, 60, size), rng.choice(["北京", "广州", "成都"], size)
    odds = 1.0 - 0.08 * months + 2.0 * (city == "北京")
    left = rng.random(size) < 1 / (1 + np.exp(-odds))
    texts = pl.Series(months.astype(str)).set(pl.Series(rng.random(size) < 0.05), "")
    return pl.DataFrame(
        {"id": [f"m{at}" for at in range(size)], "月数": texts, "城市": city, "流失": np.where(left, "是", "否")}
    )


@pytest.fixture
def file(crm: "Crm") -> Path:
    path = crm.folder / "in.csv"
    table().write_csv(path)
    return path


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    """Customers who order every few days, until half of them stop at some day."""
    rng = np.random.default_rng(1)
    rows = []
    for who in range(120):
        end = 300 if who % 2 else int(rng.integers(60, 260))
        days = np.cumsum(rng.integers(4, 20, 80))
        rows += [(f"c{who}", f"o{who}-{day}", START + timedelta(days=int(day))) for day in days[days < end]]
    orders = pl.DataFrame(
        rows, {"customer": pl.String, "order_id": pl.String, "ts": pl.Datetime("us", "UTC")}, orient="row"
    )
    records = crm.open().records
    with records.begin() as connection:
        full = orders.with_columns(line=pl.lit(1, dtype=pl.Int32), amount=pl.lit(10.0))
        records.append(connection, "orders", full)
        records.append(connection, "customers", full.select("customer").unique().with_columns(sex=pl.lit("f")))
    return crm


# How good probabilities are


@given(judged)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[int, float]]) -> None:
    labels, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = churn_measures.area(labels, scores)
    ones, zeros = scores[labels == 1], scores[labels == 0]
    if not len(ones) or not len(zeros):
        assert np.isnan(found.value)
        return
    psi = (ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)
    assert found.value == pytest.approx(psi.mean())
    variance = sum(
        part.var(ddof=1) / len(part) if len(part) > 1 else 0.0 for part in (psi.mean(axis=1), psi.mean(axis=0))
    )
    half = 1.959963984540054 * variance**0.5
    assert (found.low, found.high) == pytest.approx((max(0, psi.mean() - half), min(1, psi.mean() + half)))


@given(judged)
def test_tables_count_every_customer_once(rows: list[tuple[int, float]]) -> None:
    labels, chances = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    tenths, cells = churn_measures.by_decile(labels, chances), churn_measures.calibration(labels, chances)
    for found in (tenths, cells):
        assert found["customers"].sum() == len(rows)
        assert found["churned"].sum() == labels.sum()
    assert tenths["customers"].max() - tenths["customers"].min() <= 1 or len(rows) < 10
    means = tenths["probability"].round(12)  # a mean of equal chances is one of them but for its last digit
    assert means.to_list() == sorted(means, reverse=True)
    if labels.any():
        assert tenths["captured"][-1] == pytest.approx(1)
        assert (tenths["lift"] * tenths["customers"]).sum() == pytest.approx(len(rows))
    for row in cells.iter_rows(named=True):
        own = (chances >= row["from"]) & ((chances < row["to"]) | (row["to"] == 1.0))
        assert row["customers"] == own.sum()
        assert row["rate"] == pytest.approx(labels[own].mean())
    assert churn_measures.brier(labels, chances) == pytest.approx(sum((p - y) ** 2 for y, p in rows) / len(rows))


# Learning


def learnable(frame: pl.DataFrame, seed: int = 0) -> tuple[Any, churn.Validated, churn.Churn]:
    said, _ = churn_source.labels_of(frame, "流失", None)
    rows = churn_source.Rows(frame["id"], frame, said.cast(pl.Int64).to_numpy())
    known = churn_source.learnable(rows, ["月数", "城市"])
    validated = churn.cross_validated(known.features, known.values, known.labels, 4, seed)
    return known, validated, churn.learnt(known.features, known.values, known.labels, validated, seed)


def test_texts_that_are_numbers_are_numbers_and_a_gap_is_missing() -> None:
    known, _, fitted = learnable(table())
    assert [(each.name, each.kind) for each in fitted.features] == [("月数", "number"), ("城市", "word")]
    assert fitted.features[0].missing == pytest.approx(np.isnan(known.values[:, 0]).mean())
    assert fitted.features[0].missing > 0
    assert set(fitted.features[1].words) == {"北京", "广州", "成都"}
    columns = churn_features.design(fitted.features, known.values)
    assert columns.mean(axis=0) == pytest.approx(np.zeros(columns.shape[1]), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [(1.0, 2.0), ("rare", "rarer"), (1e308, -1e308)])
def test_a_column_of_which_a_fold_has_no_value_is_no_harm(values: tuple[Any, Any], seed: int) -> None:
    frame = table(60).with_columns(new=pl.Series([*values, *[None] * 58]))
    rows = churn_source.Rows(frame["id"], frame, (frame["流失"] == "是").cast(pl.Int64).to_numpy())
    known = churn_source.learnable(rows, ["月数", "new"])
    found = churn.cross_validated(known.features, known.values, known.labels, 4, seed)
    assert np.isfinite(found.scores).all()


def test_the_same_rows_give_the_same_model_on_any_number_of_threads() -> None:
    first = learnable(table())
    with threadpool_limits(limits=2):
        second = learnable(table())
    assert (first[1].scores == second[1].scores).all()
    assert (first[2].probabilities(first[0].values) == second[2].probabilities(first[0].values)).all()
    assert first[2].weights.tolist() == second[2].weights.tolist()


def test_probabilities_are_honest_about_rows_that_were_not_seen() -> None:
    known, _, fitted = learnable(table(3000))
    others = table(3000, seed=5)
    labels = (others["流失"] == "是").cast(pl.Int64).to_numpy()
    chances = fitted.probabilities(churn_features.matrix(others, fitted.features))
    assert churn_measures.area(labels, chances).value > 0.8
    assert churn_measures.calibration_error(labels, chances) < 0.04
    assert len(known.labels) == 3000


def test_reasons_of_the_logistic_regression_sum_to_the_score() -> None:
    known, _, fitted = learnable(table())
    for chosen in ("logistic", "boosting", "average"):
        model = churn.Churn(fitted.features, fitted.weights, fitted.intercept, fitted.boosting, fitted.lines, chosen)
        added = churn_reasons.contributions(model, known.values)
        if chosen == "logistic":
            usual = fitted.lines[chosen](np.array([fitted.intercept]))
            assert added.sum(axis=1) + usual == pytest.approx(model.log_odds(known.values))
        away = known.values.copy()
        away[:, 0] = fitted.features[0].usual
        same = churn_reasons.contributions(model, away)[:, 0]
        assert np.abs(same).max() <= (0 if chosen == "boosting" else np.abs(added[:, 0]).max())
    texts = churn_reasons.reasons(fitted, known.values[:5], 1)
    assert all(len(each) <= 1 for each in texts)


def test_what_a_city_adds_is_what_the_rows_say() -> None:
    known, _, fitted = learnable(table(2000))
    added = churn_reasons.contributions(fitted, known.values)[:, 1]
    city = table(2000)["城市"].to_numpy()
    assert added[city == "北京"].mean() > added[city == "广州"].mean() + 1


# The workspace


def test_churn_is_known_from_what_comes_after_and_features_from_what_was_before() -> None:
    at = START + timedelta(days=100)
    times = {"a": (90, 110), "b": (90,), "c": (90, 195), "d": (110,), "e": (90, 100), "f": (99,)}
    orders = pl.DataFrame(
        [(who, START + timedelta(days=day), 1.0) for who, days in times.items() for day in days],
        {"customer": pl.String, "ts": pl.Datetime("us", "UTC"), "amount": pl.Float64},
        orient="row",
    )
    people = churn_source.active(orders, at, 30)
    assert people.to_list() == ["a", "b", "c", "e", "f"]
    assert churn_source.churned(orders, people, at, 90).tolist() == [0, 1, 1, 0, 1]
    returned = orders.with_columns(amount=pl.when(pl.col("ts") >= at).then(-1.0).otherwise("amount"))
    assert churn_source.churned(returned, people, at, 90).tolist() == [1, 1, 1, 1, 1]


def test_nothing_after_the_cut_off_is_learnt_from(shop: "Crm") -> None:
    """Rows from the cut-off on decide who churned, and change nothing that the model sees."""
    args = ("customers", "churn", "train", "--as-of", "2025-07-20", "--horizon", "60d")
    shop(*args, "--model", shop.folder / "a.model")
    records = shop.open().records
    late = pl.DataFrame(
        {
            "customer": ["c1", "c1"], "order_id": ["x", "y"], "line": pl.Series([1, 1], dtype=pl.Int32),
            "ts": pl.Series([START + timedelta(days=210)] * 2).cast(pl.Datetime("us", "UTC")), "amount": [1e6, -1e6],
        }
    )  # fmt: skip
    with records.begin() as connection:
        records.append(connection, "orders", late)
    shop(*args, "--model", shop.folder / "b.model")
    one, other = (churn_files.unpacked((shop.folder / name).read_bytes())[0] for name in ("a.model", "b.model"))
    assert one.fingerprint == other.fingerprint
    assert one.churned > 10


def test_a_model_of_the_workspace_warns_of_those_who_stay_away(shop: "Crm") -> None:
    model = shop.folder / "c.model"
    weights = shop.rows("customers", "churn", "train", "--model", model, "--horizon", "40d", "--active", "120d")
    assert {"last_order_days", "overdue"} <= {row["feature"] for row in weights}
    args = ("customers", "churn", "predict", "--model", model, "--as-of", "2025-08-15", "--unmask")
    rows = shop.rows(*args, "--warn", "0.7", "--save", "leaving")
    assert rows
    assert [row["probability"] for row in rows] == sorted((row["probability"] for row in rows), reverse=True)
    gone = [int(row["customer"][1:]) % 2 == 0 for row in rows]
    assert np.mean(gone) > 0.9, gone
    assert set(shop.open().scan("segment_members").collect()["who"]) == {row["customer"] for row in rows}
    best = shop.rows("customers", "churn", "predict", "--model", model, "--warn", "10%", "--reasons", 0)
    every = shop.rows("customers", "churn", "predict", "--model", model)
    assert len(best) == round(0.1 * len(every))
    assert "reasons" not in best[0]
    judged = shop.rows("customers", "churn", "evaluate", "--model", model, "--as-of", "2025-08-01")
    assert all(row["auc"] > 0.9 for row in judged if row["chosen"])


def test_days_that_are_not_known_yet_are_refused(shop: "Crm") -> None:
    told = shop("customers", "churn", "evaluate", "--as-of", "2025-10-20", code=4).stderr
    assert "the orders end on 2025-10-2" in told
    assert "--as-of" in told
    told = shop("customers", "churn", "evaluate", "--as-of", "2024-06-01", code=4).stderr
    assert "0 of 0 customers churned" in told


def test_a_workspace_without_orders_is_told(crm: "Crm") -> None:
    crm.open().records.count("orders")
    assert "the workspace has no orders" in crm("customers", "churn", "evaluate", code=4).stderr


# Files


def test_a_file_is_learnt_predicted_and_evaluated(crm: "Crm", file: Path) -> None:
    model = crm.folder / "m"
    said = crm("customers", "churn", "train", "--input", file, "--label", "流失", "--customer", "id", "--model", model)
    assert "of them churned: 流失 is 是" in said.stderr
    rows = crm.rows("customers", "churn", "predict", "--input", file, "--model", model, "--customer", "id", "--unmask")
    assert len(rows) == 400
    assert [row["decile"] for row in rows] == sorted(row["decile"] for row in rows)
    assert rows[0]["reasons"][0].startswith(("月数", "城市"))
    known = {row["id"]: row["流失"] for row in table().iter_rows(named=True)}
    assert np.mean([known[row["customer"]] == "是" for row in rows[:40]]) > 0.8
    about, _ = churn_files.unpacked(model.read_bytes())
    judged = {
        row["model"]: row
        for row in crm.rows("customers", "churn", "evaluate", "--input", file, "--label", "流失", "--customer", "id")
    }
    assert about.metrics["auc"] == pytest.approx(judged[about.chosen]["auc"])
    assert [name for name, row in judged.items() if row["chosen"]] == [about.chosen]
    for view in ("decile", "calibration"):
        table_rows = crm.rows("customers", "churn", "evaluate", "--input", file, "--label", "流失", "--by", view)
        assert sum(row["customers"] for row in table_rows) == 400
    assert "learnt from a file" in crm("customers", "churn", "predict", "--model", model, code=2).stderr


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        ([], 2, "--label: name the column"),
        (["--label", "流失", "--positive", "对"], 2, "no value `对`"),
        (["--label", "城市"], 4, "has 3 different values"),
        (["--label", "流"], 2, "there is no column `流`"),
        (["--label", "流失", "--features", "月数,流失"], 2, "would tell itself"),
        (["--label", "流失", "--features", "月"], 2, "did you mean `月数`"),
        (["--label", "流失", "--horizon", "9d"], 2, "are about the workspace"),
        (["--label", "流失", "--as-of", "9d"], 2, "--as-of is about the workspace"),
        (["--label", "流失", "--features", "id"], 4, "none of the columns can be learnt from"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(crm: "Crm", file: Path, args: list[str], code: int, sentence: str) -> None:
    model = crm.folder / "m"
    told = crm("customers", "churn", "train", "--input", file, "--model", model, *args, code=code).stderr
    assert sentence in told
    assert not model.exists()


def test_a_column_that_is_personal_is_left_out(crm: "Crm", file: Path) -> None:
    frame = pl.read_csv(file, infer_schema=False).with_columns(pl.lit("13800138000").alias("phone"))
    frame.write_csv(file)
    args = ("customers", "churn", "evaluate", "--input", file, "--label", "流失")
    assert "left out, as they are personal: phone" in crm(*args).stderr
    assert "is personal" in crm(*args, "--features", "phone", code=2).stderr
    frame.rename({"phone": "客户手机号"}).write_csv(file)
    assert "left out, as they are personal: 客户手机号" in crm(*args).stderr


def test_a_viewer_may_not_train(shop: "Crm") -> None:
    shop.configure("access: {role: viewer}\n")
    shop("customers", "churn", "train", "--model", shop.folder / "m", code=7)


@pytest.mark.reference
def test_churn_of_a_phone_company_is_told_as_well_as_others_do(crm: "Crm", reference_data: Path) -> None:
    file = crm.folder / "telco.csv"
    file.write_bytes(gzip.decompress((reference_data / "telco_churn" / "telco.csv.gz").read_bytes()))
    args = ("customers", "churn", "evaluate", "--input", file, "--label", "Churn", "--customer", "customerID")
    rows = {row["model"]: row for row in crm.rows(*args)}
    best = next(row for row in rows.values() if row["chosen"])
    assert best["auc"] >= 0.845
    assert best["auc_low"] < best["auc"] < best["auc_high"]
    assert rows["logistic"]["auc"] == pytest.approx(0.845, abs=0.002)
    assert best["calibration_error"] < 0.02
    tenths = crm.rows(*args, "--by", "decile")
    assert tenths[0]["lift"] > 2.7
    chances = np.array([row["probability"] for row in crm.rows(*args, "--by", "calibration")])
    assert (np.diff(logit(chances)) > 0).all()
