"""Words as numbers."""

import math
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import check_estimator

from plugins.customers.quantify import NoNumberError, Quantifier, quantified

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SCALE = {"本科": 1.0, "硕士": 2.0, "博士后": 3.6, "4": 40.0}
CELLS = st.sampled_from(
    [None, "", " ", "本科", " 硕士\t", "博士后", "4", "４", "-2.5", "1e3", "１２", "bad", "inf", "nan"]
)


def slowly(cell: str | None) -> float | None:
    """A cell as a number; NaN where it is missing, None where it is none."""
    text = unicodedata.normalize("NFKC", cell or "").strip()
    if not text:
        return math.nan
    if text in SCALE:
        return SCALE[text]
    try:
        return float(text) if math.isfinite(float(text)) else None
    except ValueError:
        return None


@pytest.mark.filterwarnings("ignore")
def test_it_is_a_transformer_as_scikit_learn_wants_it() -> None:
    assert len(check_estimator(Quantifier(), on_skip=None)) > 20


@given(st.lists(CELLS))
def test_words_of_the_scale_come_first_then_numbers(cells: list[str | None]) -> None:
    column = pl.Series("education", cells, dtype=pl.String)
    wanted = [slowly(cell) for cell in cells]
    if None in wanted:
        with pytest.raises(NoNumberError, match=f"column `education`, row {wanted.index(None) + 1:,}: "):
            quantified(column, SCALE)
    else:
        np.testing.assert_array_equal(quantified(column, SCALE), np.array(wanted, dtype=float))


@given(st.lists(CELLS.filter(lambda cell: slowly(cell) is not None), min_size=1))
def test_an_array_means_the_same_as_a_table(cells: list[str | None]) -> None:
    of_table = Quantifier({"a": SCALE}).fit_transform(pl.DataFrame({"a": pl.Series(cells, dtype=pl.String)}))
    of_array = Quantifier({0: SCALE}).fit_transform(np.array([cells], dtype=object).T)
    np.testing.assert_array_equal(of_table, of_array)


def test_columns_of_numbers_stay_what_they_are() -> None:
    table = pl.DataFrame({"a": [1, None, 3], "b": [True, False, None], "c": [0.5, float("nan"), None]})
    found = Quantifier().fit(table)
    np.testing.assert_array_equal(found.transform(table), [[1, 1, 0.5], [np.nan, 0, np.nan], [3, np.nan, np.nan]])
    assert found.get_feature_names_out().tolist() == ["a", "b", "c"]


def test_an_infinite_number_is_refused() -> None:
    with pytest.raises(NoNumberError, match="row 2: `inf` is no number"):
        quantified(pl.Series("a", [1.0, math.inf]), {})


@pytest.mark.parametrize("values", [["1", "-1e308"], [1.0, -1e308]])
def test_a_number_whose_square_is_infinite_is_refused(values: list[str | float]) -> None:
    with pytest.raises(NoNumberError, match=r"row 2: `-1e\+?308` is no number"):
        quantified(pl.Series("a", values), {})


def test_a_number_may_be_a_word() -> None:
    assert quantified(pl.Series("grade", [4, 5]), SCALE).tolist() == [40.0, 5.0]


def test_the_nearest_word_is_suggested() -> None:
    with pytest.raises(NoNumberError, match=r"`hihg` is no number \(did you mean `high`\?\); its words are low, high"):
        quantified(pl.Series("a", ["hihg"]), {"low": 1, "high": 2})


def clustered(crm: "Crm", scales: str, code: int = 0) -> str:
    file = crm.log("in.csv", "safety,size", "low,1", "high,2", "med,3")
    yaml = crm.log("words.yaml", *scales.splitlines())
    told = crm("customers", "cluster", "--input", file, "--features", "safety,size", "--quantify", yaml, code=code)
    return str(told.stderr)


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        ("safety: 5", "words.yaml: `safety`: expected words with their numbers"),
        ("safety: {low: 1, high: dear}", "words.yaml: `safety`: `high`: `dear` is no number"),
        ("safety: {low: .inf}", "`inf` is no number"),
        ("safety: [low, low]", "words.yaml: `safety`: a word is there twice"),
        ("safety: {no: 1}", "`False` is no text; write the word in quotes"),
        ("safety: [low", "no valid YAML"),
        ("safety: [low, high]", "column `safety`, row 3: `med` is no number"),
        ("{}", "row 1: `low` is no number; give its words numbers with --quantify"),
    ],
)
def test_wrong_scales_are_told_in_a_sentence(crm: "Crm", scales: str, said: str) -> None:
    assert said in clustered(crm, scales, code=4)


def test_a_scale_of_no_feature_is_wrong_usage(crm: "Crm") -> None:
    assert "words for `safty` (did you mean `safety`?)" in clustered(crm, "safty: [low, med, high]", code=2)


def test_a_list_counts_from_1(crm: "Crm", tmp_path: Path) -> None:
    file = crm.log("in.csv", "safety", "low", "high", "med", "7")
    yaml = crm.log("words.yaml", "safety: [low, med, high]")
    (row,) = crm.rows(
        *(
            "customers",
            "cluster",
            "--input",
            file,
            "--features",
            "safety",
            "--quantify",
            yaml,
            "--clusters",
            1,
            "--summary",
        )
    )
    assert row["mean_safety"] == (1 + 3 + 2 + 7) / 4
