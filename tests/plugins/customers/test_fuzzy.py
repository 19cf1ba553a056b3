"""Fuzzy c-means."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from crm.learning.separation import Floats
from plugins.customers.fuzzy import FuzzyCMeans, degrees

ROWS = arrays(
    np.float64, st.tuples(st.integers(4, 12), st.just(2)), elements=st.integers(-8, 8).map(lambda number: number / 4)
)
FUZZIFIERS = st.sampled_from([1.2, 2.0, 3.5])


def slowly(squares: list[float], m: float) -> list[float]:
    """The degrees of one row, by the formula."""
    if 0 in squares:
        return [(square == 0) / squares.count(0) for square in squares]
    return [1 / sum((own / other) ** (1 / (m - 1)) for other in squares) for own in squares]


@pytest.mark.filterwarnings("ignore")
def test_it_finds_clusters_as_scikit_learn_wants_it() -> None:
    assert len(check_estimator(FuzzyCMeans(), on_skip=None)) > 30


@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 9.0]), min_size=3, max_size=3), min_size=1), FUZZIFIERS)
def test_degrees_are_what_the_formula_says(squares: list[list[float]], m: float) -> None:
    np.testing.assert_allclose(degrees(np.array(squares), m), [slowly(row, m) for row in squares])


@settings(max_examples=50)
@given(ROWS, st.integers(1, 3), FUZZIFIERS)
def test_it_ends_where_each_centre_is_the_mean_that_the_degrees_say(rows: Floats, clusters: int, m: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = FuzzyCMeans(clusters, m=m, random_state=0, tol=1e-9, max_iter=3000).fit(rows)
    weights = found.membership_**m
    squares = [[((row - centre) ** 2).sum() for centre in found.cluster_centers_] for row in rows]
    assert found.objective_ == pytest.approx(float((weights * squares).sum()), abs=1e-9)
    np.testing.assert_allclose(found.membership_.sum(axis=1), 1)
    assert found.labels_.tolist() == found.membership_.argmax(axis=1).tolist()
    if found.n_iter_ < 3000:
        for cluster in range(clusters):
            mean = sum(w * row for w, row in zip(weights[:, cluster], rows, strict=True)) / weights[:, cluster].sum()
            np.testing.assert_allclose(found.cluster_centers_[cluster], mean, atol=1e-4)


@given(ROWS, st.integers(0, 100))
def test_the_same_seed_gives_the_same_clusters(rows: Floats, seed: int) -> None:
    one, other = (FuzzyCMeans(2, random_state=seed, n_init=2, max_iter=20, tol=1).fit(rows) for _ in range(2))
    assert one.membership_.tolist() == other.membership_.tolist()


def test_near_1_degrees_are_0_or_1_and_the_larger_m_is_the_more_alike_they_are() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    clear, usual, vague = (FuzzyCMeans(2, m=m, random_state=0).fit(rows).membership_.max(axis=1) for m in (1.01, 2, 5))
    assert np.median(clear) > 0.999
    assert clear.mean() > usual.mean() > vague.mean()


def test_new_rows_get_degrees_too() -> None:
    rows = np.array([[0.0], [0.2], [5.0], [5.2]])
    found = FuzzyCMeans(2, random_state=0).fit(rows)
    np.testing.assert_allclose(found.membership(rows), found.membership_, atol=1e-4)
    assert found.predict([[-1.0], [7.0]]).tolist() == found.labels_[[0, 3]].tolist()


def test_it_says_that_it_has_not_settled() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.warns(ConvergenceWarning, match="not settled after 1 turns"):
        FuzzyCMeans(3, max_iter=1, random_state=0).fit(rows)


@pytest.mark.parametrize(
    ("wrong", "said"), [({"m": 1}, "m is 1,"), ({"n_clusters": 0}, "n_clusters is 0"), ({"n_init": 0}, "n_init is 0")]
)
def test_a_wrong_parameter_is_told(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FuzzyCMeans(**wrong).fit([[0.0], [1.0]])
