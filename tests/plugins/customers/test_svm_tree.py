"""The tree of support vector machines, and the order of its classes."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from crm.learning.separation import STRATEGIES, Floats, Ints, distances, halved, peeled, tree
from plugins.customers.svm_tree import SVMTreeClassifier

SEEDS = st.integers(0, 10_000)


def clouds(classes: int, seed: int, size: int = 12) -> tuple[Floats, Ints]:
    """Rows of some classes that overlap, in no order."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(classes).repeat(size))
    return rng.normal(size=(classes, 3))[codes] * 2 + rng.normal(size=(len(codes), 3)), codes


def apart(classes: int, seed: int) -> Floats:
    """Distances of places on a small grid, so that many are equal."""
    places = np.random.default_rng(seed).integers(0, 3, (classes, 2))
    return np.round(np.linalg.norm(places[:, None] - places[None], axis=2), 9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("strategy", "kernel"), [("chain", "linear"), ("balanced", "rbf")])
def test_it_is_a_classifier_as_scikit_learn_wants_it(strategy: str, kernel: str) -> None:
    results = check_estimator(SVMTreeClassifier(strategy=strategy, kernel=kernel), on_skip=None)
    assert len(results) > 30


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(sorted(STRATEGIES)), st.sampled_from(["linear", "rbf"]), st.sampled_from([0.1, 10.0]))
def test_two_classes_are_one_machine(seed: int, strategy: str, kernel: str, cost: float) -> None:
    points, codes = clouds(2, seed)
    found = SVMTreeClassifier(strategy=strategy, kernel=kernel, C=cost).fit(points, codes)
    plain = SVC(kernel=kernel, C=cost, tol=1e-6).fit(points, codes)
    np.testing.assert_allclose(found.decision_function(points), plain.decision_function(points), atol=1e-4)
    assert found.n_support_.tolist() == [plain.n_support_.sum()]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_of_two_classes_in_one_place_the_second_is_positive_too(strategy: str) -> None:
    found = SVMTreeClassifier(strategy=strategy).fit([[0.0], [0.0], [1.0], [1.0]], ["a", "b", "a", "b"])
    assert found.sides_.tolist() == [[-1, 1]]


@settings(max_examples=25)
@given(SEEDS, st.integers(3, 6), st.sampled_from(sorted(STRATEGIES)), st.sampled_from(["linear", "rbf"]))
def test_a_row_goes_down_the_tree(seed: int, classes: int, strategy: str, kernel: str) -> None:
    points, codes = clouds(classes, seed)
    found = SVMTreeClassifier(strategy=strategy, kernel=kernel).fit(points, codes)
    machines = []
    for first, second in tree(distances(points, codes, classes), strategy):
        here = np.isin(codes, [*first, *second])
        svm = SVC(kernel=kernel, gamma=found.gamma_, tol=1e-6).fit(points[here], np.isin(codes[here], first))
        machines.append((set(first), set(second), svm))
    for point, said in zip(points, found.predict(points), strict=True):
        left = set(range(classes))
        while len(left) > 1:
            first, second, svm = next(each for each in machines if each[0] | each[1] == left)
            left = first if svm.decision_function([point])[0] > 0 else second
        assert left == {said}


@settings(max_examples=25)
@given(SEEDS, st.integers(3, 6), st.sampled_from(sorted(STRATEGIES)))
def test_the_class_that_is_predicted_has_the_only_value_above_0(seed: int, classes: int, strategy: str) -> None:
    points, codes = clouds(classes, seed)
    found = SVMTreeClassifier(strategy=strategy).fit(points, codes)
    values = found.decision_function(points)
    assert values.argmax(axis=1).tolist() == found.predict(points).tolist()
    assert ((values > 0).sum(axis=1) == 1).all()


def test_a_value_of_exactly_0_is_on_the_second_side() -> None:
    last = set()
    for seed in range(6):
        points, codes = clouds(4, seed)
        found = SVMTreeClassifier().fit(points, codes)
        found.dual_coef_[:] = 0
        found.intercept_[:] = 0
        last.add(int(found.predict(points[:1])[0]))
        assert found.decision_function(points[:1]).argmax() == found.predict(points[:1])[0]
    assert len(last) > 1  # so that it is not merely the first class


@given(SEEDS, st.integers(2, 9), st.sampled_from(sorted(STRATEGIES)))
def test_a_tree_parts_all_classes_with_each_node_before_those_below(seed: int, classes: int, strategy: str) -> None:
    leaves, known = [], [set(range(classes))]
    for first, second in tree(apart(classes, seed), strategy):
        known.remove(set(first) | set(second))
        for side in (set(first), set(second)):
            (known if len(side) > 1 else leaves).append(side)
        assert len(first) == 1 if strategy == "chain" else 0 <= len(first) - len(second) <= 1
    assert known == []
    assert sorted(map(list, leaves)) == [[code] for code in range(classes)]


@given(SEEDS, st.integers(2, 7))
def test_a_chain_takes_off_the_class_that_is_farthest_from_its_nearest(seed: int, classes: int) -> None:
    d = apart(classes, seed)
    nearest = {one: min(d[one, other] for other in range(classes) if other != one) for one in range(classes)}
    assert list(peeled(d, range(classes))[0]) == [max(nearest, key=lambda one: (nearest[one], one))]


@given(SEEDS, st.integers(2, 8))
def test_no_swap_of_two_classes_sets_halves_farther_apart(seed: int, classes: int) -> None:
    d = apart(classes, seed)
    first, second = map(set, halved(d, range(classes)))

    def between(one: set[int], other: set[int]) -> float:
        return sum(d[a, b] for a, b in product(one, other))

    found = between(first, second)
    for a, b in product(first, second):
        assert between(first - {a} | {b}, second - {b} | {a}) <= found + 1e-6


@given(SEEDS, st.integers(2, 4))
def test_classes_are_as_far_apart_as_their_spread_says(seed: int, classes: int) -> None:
    points, codes = clouds(classes, seed)
    centroids = [points[codes == code].mean(axis=0) for code in range(classes)]
    spread = sum(np.outer(p - centroids[c], p - centroids[c]) for p, c in zip(points, codes, strict=True)) / len(points)
    inverse = np.linalg.inv(spread + 1e-3 * np.trace(spread) / 3 * np.eye(3))
    wanted = [[float(np.sqrt((a - b) @ inverse @ (a - b))) for b in centroids] for a in centroids]
    np.testing.assert_allclose(distances(points, codes, classes), wanted, atol=1e-6)


@given(arrays(np.float64, (4, 2), elements=st.sampled_from([0.0, 1.0])))
def test_classes_of_one_row_each_can_be_told_apart(points: Floats) -> None:
    found = SVMTreeClassifier(C=1e6).fit(points, list("abcd"))
    for row, said in zip(points, found.predict(points), strict=True):
        assert row.tolist() == points["abcd".index(said)].tolist()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"strategy": "chains"}, "strategy is 'chains'"),
        ({"kernel": "poly"}, "kernel is 'poly'"),
        ({"C": 0}, "C is 0"),
        ({"gamma": "wide"}, "gamma is 'wide'"),
        ({"gamma": -1.0}, r"gamma is -1\.0"),
    ],
)
def test_a_wrong_parameter_is_told(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SVMTreeClassifier(**wrong).fit([[0.0], [1.0]], [0, 1])
