"""What makes numbers of texts, and the machines that tell classes by them."""

import math
import unicodedata
from collections import Counter
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from plugins.tickets.classify import texts
from plugins.tickets.classify.calibration import calibrated
from plugins.tickets.classify.features import Columns, learnt
from plugins.tickets.classify.machines import LinearSVM, SVMTree, evidence
from plugins.tickets.classify.measures import calibration_error, of_confidence, of_coverage
from plugins.tickets.classify.reasons import reasons

LETTERS = "水泵渗油 ab-0"


def pieces(text: str, longest: int) -> Counter[str]:
    """Runs without Latin letters, words, and pairs of words, counted one by one."""
    import re

    found = Counter(
        text[at : at + length]
        for length in range(1, longest + 1)
        for at in range(len(text) - length + 1)
        if not re.search("[a-z]", text[at : at + length])
    )
    runs = Counter({f"run:{piece}": count for piece, count in found.items()})
    words = re.findall(r"[a-z0-9]+(?:[-'][a-z0-9]+)*", text)
    return runs + Counter(f"word:{word}" for word in (*words, *(f"{a} {b}" for a, b in pairwise(words))))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(LETTERS, max_size=9), min_size=1, max_size=6),
    st.lists(st.text(LETTERS + "x", max_size=9), max_size=4),
    st.integers(1, 4),
)
def test_weights_are_those_of_the_formula(known: list[str], asked: list[str], longest: int) -> None:
    learnt_of, looked_up = texts.plain(pl.Series(known)), texts.plain(pl.Series(asked, dtype=pl.String))
    lexicon = texts.learnt(learnt_of, longest, 1)
    matrix = texts.weighed(looked_up, lexicon).toarray()
    every = [pieces(text, longest) for text in learnt_of]
    spread = Counter(piece for each in every for piece in each)
    names = lexicon.names(np.arange(len(lexicon.weights)))
    assert sorted(names) == sorted(piece.partition(":")[2] for piece in spread)
    for text, row in zip(looked_up, matrix, strict=True):
        wanted = {
            piece: (1 + math.log(count)) * (1 + math.log((1 + len(known)) / (1 + spread[piece])))
            for piece, count in pieces(text, longest).items()
            if piece in spread
        }
        length = math.sqrt(sum(value**2 for value in wanted.values())) or 1.0
        found = sorted(value for value in row if value)
        assert found == pytest.approx(sorted(value / length for value in wanted.values()))


def test_width_and_case_make_no_difference() -> None:
    found = texts.plain(pl.Series(["ＡＢＳ　泵", "abs\t泵", None, "ｶﾞ"]))
    assert found.to_list() == ["abs 泵", "abs 泵", "", unicodedata.normalize("NFKC", "ｶﾞ")]


def test_codes_count_one_by_one_and_numbers_in_units_of_their_spread() -> None:
    frame = pl.DataFrame(
        {"text": ["a", "b", "c", "d"], "part": ["P1", "P1", "P2", None], "cost": ["1", "10", None, "1,000.5"]}
    )
    made = learnt(frame, Columns(("text",), ("part",), ("cost",)), 2, 1)
    matrix = made.matrix(frame).toarray()
    names = made.names(np.arange(made.width)).to_list()
    assert (matrix[:, names.index("part=P1")] > 0).tolist() == [True, True, False, False]
    assert "part=P2" not in names  # it is there only once
    cost = matrix[:, names.index("cost")]
    assert cost[0] < cost[1] < cost[3]
    assert cost[2] == 0
    assert cost.sum() == pytest.approx(0)


@parametrize_with_checks([LinearSVM(), SVMTree()])
def test_machines_keep_the_rules_of_scikit_learn(estimator: object, check: object) -> None:
    check(estimator)  # type: ignore[operator]  # a function


@pytest.mark.parametrize("strategy", ["chain", "balanced"])
def test_the_largest_value_of_a_tree_is_the_class_that_it_comes_to(strategy: str) -> None:
    rows, codes = load_iris(return_X_y=True)
    tree = SVMTree(strategy=strategy).fit(sparse.csr_array(rows), codes)
    values = tree.decision_function(rows)
    assert (tree.classes_[values.argmax(axis=1)] == tree.predict(rows)).all()
    assert ((values > 0).sum(axis=1) == 1).all()
    assert (tree.predict(rows) == codes).mean() > 0.9


def test_wrong_parameters_are_refused() -> None:
    rows, codes = load_iris(return_X_y=True)
    for wrong in (LinearSVM(C=0), LinearSVM(C=float("inf")), SVMTree(C=-1), SVMTree(strategy="forest")):
        with pytest.raises(ValueError, match="must be"):
            wrong.fit(rows, codes)
    with pytest.raises(ValueError, match="1 class"):
        LinearSVM().fit(rows[:40], codes[:40])


def test_calibrated_probabilities_are_what_the_values_were_made_of() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6000, 3))
    raised = np.exp(2.5 * values + np.array([0.8, 0.0, -0.8]))
    shares = raised / raised.sum(axis=1, keepdims=True)
    codes = (rng.random((len(shares), 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    found = calibrated(values, codes)
    assert found.scale == pytest.approx(2.5, rel=0.08)
    assert found.offsets - found.offsets.mean() == pytest.approx([0.8, 0.0, -0.8], abs=0.1)
    assert calibration_error(of_confidence(codes, found.probabilities(values))) < 0.02


def test_where_a_share_of_classes_is_wrong_no_value_makes_sure() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 6000)
    values = 8.0 * np.eye(4)[codes]
    codes = np.where(rng.random(6000) < 0.2, rng.integers(0, 4, 6000), codes)
    told = calibrated(values, codes).probabilities(values)
    assert told.sum(axis=1) == pytest.approx(1)
    assert told.max(axis=1) == pytest.approx(0.85, abs=0.02)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(1, 5), min_size=3, max_size=3)), min_size=1))
def test_coverage_counts_what_is_left_to_the_model(rows: list[tuple[int, list[int]]]) -> None:
    codes = np.array([code for code, _ in rows])
    weights = np.array([each for _, each in rows], dtype=float)
    shares = weights / weights.sum(axis=1, keepdims=True)
    table = of_coverage(codes, shares, 0.5)
    kept = [(code, row) for code, row in zip(codes, shares, strict=True) if row.max() >= 0.5]
    first = table.row(0, named=True)
    assert (first["rows"], first["persons"]) == (len(kept), len(rows) - len(kept))
    assert first["correct"] == sum(int(row.argmax()) == code for code, row in kept)
    assert table["rows"][1:].to_list() == [math.ceil(round(s * len(rows), 6)) for s in (1, 0.95, 0.9, 0.8, 0.7, 0.5)]


def test_reasons_are_the_features_that_add_most_and_no_part_of_another() -> None:
    frame = pl.DataFrame(
        {"text": ["水泵渗油", "灯不亮", "水泵渗油", "灯不亮", ""], "part": ["P1", "P2", "P1", "P2", "P2"]}
    )
    made = learnt(frame, Columns(("text",), ("part",)), 2, 1)
    rows = made.matrix(frame)
    model = LinearSVM().fit(rows, [0, 1, 0, 1, 1])
    says = evidence(model)
    assert says is not None
    told = reasons(made, rows, np.array([0, 1, 0, 1, 1]), says).to_list()
    assert "part=P1" in told[0]
    assert "part=P2" in told[1]
    assert told[4] == "part=P2"
    for each in told:
        names = each.split(", ")
        assert not any(a != b and a in b for a in names for b in names)
    assert reasons(made, rows[4:], np.array([0]), says).to_list() == [None]  # its part speaks against it
