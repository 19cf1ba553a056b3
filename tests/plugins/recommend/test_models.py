"""What models compute, against their definitions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plugins.recommend.content import Content, features, words
from plugins.recommend.ease import weights
from plugins.recommend.interactions import Interactions
from plugins.recommend.item_neighbours import similarities
from plugins.recommend.loglinear import _gradient, _steps, contexts, fitted
from plugins.recommend.popularity import shares
from plugins.recommend.sequence import steps
from plugins.recommend.user_neighbours import UserNeighbours

Events = Callable[[Any], pl.DataFrame]
SETS = arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(2, 5)), elements=st.sampled_from([0.0, 1.0]))
NOTHING = pl.DataFrame(schema={"item": pl.String})


@given(SETS, st.sampled_from(["cosine", "conditional"]), st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 0.5]))
def test_similarities_are_those_of_loops(values: Any, kind: Any, shrink: float, alpha: float) -> None:
    found = similarities(sp.csr_matrix(values), kind, shrink, alpha).toarray()
    for i in range(values.shape[1]):
        for j in range(values.shape[1]):
            both = sum(row[i] * row[j] for row in values)
            a, b = sum(values[:, i]), sum(values[:, j])
            norm = math.sqrt(a * b) if kind == "cosine" else a * b**alpha
            wanted = both / norm * both / (both + shrink) if i != j and both else 0
            assert found[i, j] == pytest.approx(wanted)


@given(SETS, st.sampled_from([0.5, 10.0]))
def test_ease_is_ridge_regression_of_each_item_on_the_others(values: Any, penalty: float) -> None:
    gram = values.T @ values
    found = weights(gram, penalty)
    for j in range(gram.shape[0]):
        rest = [i for i in range(gram.shape[0]) if i != j]
        wanted = np.linalg.solve(gram[np.ix_(rest, rest)] + penalty * np.eye(len(rest)), gram[rest, j])
        assert found[rest, j] == pytest.approx(wanted)
        assert found[j, j] == 0


@given(SETS)
def test_dropout_is_a_penalty_by_popularity(values: Any) -> None:
    gram = values.T @ values
    found = weights(gram, 2.0, 0.25)
    for j in range(gram.shape[0]):
        rest = [i for i in range(gram.shape[0]) if i != j]
        added = np.diag(2.0 + np.diag(gram)[rest] / 3)
        assert found[rest, j] == pytest.approx(np.linalg.solve(gram[np.ix_(rest, rest)] + added, gram[rest, j]))


@given(SETS)
def test_contexts_are_profiles_without_one_item(values: Any) -> None:
    inside, missing = contexts(sp.csr_matrix(values))
    wanted: dict[tuple[int, ...], dict[int, int]] = {}
    for row in values:
        items = np.flatnonzero(row).tolist()
        for item in items if len(items) > 1 else []:
            counts = wanted.setdefault(tuple(each for each in items if each != item), {})
            counts[item] = counts.get(item, 0) + 1
    found = {
        tuple(np.flatnonzero(row).tolist()): {int(at): int(counts[at]) for at in np.flatnonzero(counts)}
        for row, counts in zip(inside.toarray(), missing.toarray(), strict=True)
    }
    assert found == wanted
    assert inside.shape[0] == len(wanted)


def likelihood(model: Any, inside: Any, missing: Any, penalty: float) -> float:
    """The penalised negative log-likelihood, by its definition."""
    total = penalty / 2 * (model[:-1] ** 2).sum()
    for row, counts in zip(inside, missing, strict=True):
        odds = row @ model[:-1] / math.sqrt(row.sum()) + model[-1]
        free = row == 0
        total -= sum(count * (odds[j] - np.log(np.exp(odds[free]).sum())) for j, count in enumerate(counts))
    return float(total)


def test_the_log_linear_model_goes_down_its_likelihood_to_where_it_is_flat() -> None:
    chance = np.random.default_rng(3)
    inside, missing = contexts(sp.csr_matrix((chance.random((40, 5)) < 0.5).astype(float)))
    model = chance.normal(size=(6, 5))
    scaled = (sp.diags(1 / np.sqrt(np.diff(inside.indptr))) @ inside).tocsr()
    given_, counts = inside.toarray(), missing.toarray()
    gradient = _gradient(model, scaled, counts, 0.3)  # type: ignore[arg-type]  # in double precision
    for place in ((0, 1), (3, 2), (5, 4)):
        step = np.zeros_like(model)
        step[place] = 1e-5
        rise = likelihood(model + step, given_, counts, 0.3) - likelihood(model - step, given_, counts, 0.3)
        assert gradient[place] == pytest.approx(rise / 2e-5, abs=1e-4)
    best = fitted(inside, missing, 0.3, 0.5, 16, 0.05, 0).astype(float)
    assert np.abs(_gradient(best, scaled, counts, 0.3)).max() < 0.2  # type: ignore[arg-type]  # as above
    assert (best == fitted(inside, missing, 0.3, 0.5, 16, 0.05, 0)).all()


@settings(max_examples=40, deadline=None)
@given(SETS, st.integers(1, 5), st.sampled_from(["jaccard", "cosine", "overlap"]), st.booleans())
def test_user_neighbours_are_the_k_nearest_with_ties_shared(
    events: Events, values: Any, k: int, similarity: Any, informative: bool
) -> None:
    names = "abcde"
    rows = [(f"u{at}", names[item], None) for at, row in enumerate(values) for item in np.flatnonzero(row)]
    model = UserNeighbours(k, similarity, informative).fit(events(rows), NOTHING)
    known = model.known_
    found = model.evidence(known.profiles)
    sets = [set(np.flatnonzero(row).tolist()) for row in known.profiles.weights.toarray()]
    for own, scores in zip(sets, found, strict=True):
        near: dict[float, list[set[int]]] = {}
        for other in sets:
            like = {
                "jaccard": len(own & other) / len(own | other),
                "cosine": len(own & other) / math.sqrt(len(own) * len(other)),
                "overlap": float(len(own & other)),
            }[similarity]
            if like and not (informative and other <= own):
                near.setdefault(round(like, 9), []).append(other)
        room, wanted = float(k), np.zeros(len(known.items))
        for like in sorted(near, reverse=True):
            share = min(1, room / len(near[like]))
            room -= share * len(near[like])
            for other in near[like]:
                wanted[list(other)] += like * share / k
        assert scores == pytest.approx(wanted, abs=1e-6)


@given(st.lists(st.permutations(range(4)), min_size=1, max_size=4), st.integers(1, 3))
def test_steps_are_those_of_loops(orders: list[list[int]], window: int) -> None:
    recency = np.zeros((len(orders), 4))
    wanted = np.zeros((4, 4))
    for row, order in enumerate(orders):
        for at, item in enumerate(order):
            recency[row, item] = len(order) - at
            for distance in range(1, window + 1):
                if at + distance < len(order):
                    wanted[item, order[at + distance]] += 0.5 ** (distance - 1)
    assert steps(sp.csr_matrix(recency), window, 0.5).toarray() == pytest.approx(wanted)


def test_popularity_halves_after_its_half_life(events: Events) -> None:
    known = Interactions.of(
        events([("u", "a", 30), ("v", "a", 30), ("u", "b", 0), ("v", "b", 0), ("w", "b", 0)]), NOTHING
    )
    assert shares(known, 30.0) == pytest.approx([2 / 3.5, 1.5 / 3.5])
    assert shares(known, None) == pytest.approx([2 / 5, 3 / 5])


def test_chinese_is_cut_into_signs_and_pairs() -> None:
    assert words("东北大米 5kg Rice") == ["东", "北", "大", "米", "东北", "北大", "大米", "5kg", "rice"]


def test_what_is_said_of_items_makes_them_alike(catalogue: pl.DataFrame) -> None:
    found = features(catalogue)
    alike = (found @ found.T).toarray()
    assert np.diag(alike) == pytest.approx(1)
    assert alike[0, 1] > alike[0, 2] > alike[0, 3]
    assert features(NOTHING).shape == (0, 0)
    assert Content().fit(
        pl.DataFrame(
            schema={"who": pl.String, "item": pl.String, "ts": pl.Datetime("us", "UTC"), "weight": pl.Float64}
        ),
        catalogue,
    )


def test_large_profiles_are_written_out_for_the_contexts_that_count_alone() -> None:
    values = sp.csr_matrix((np.random.default_rng(1).random((60, 40)) < 0.5).astype(float))
    inside, missing = contexts(values)
    some, of_some = contexts(values, most=25)
    assert some.shape == of_some.shape == (25, 40)
    every = {tuple(row) for row in np.hstack([inside.toarray(), missing.toarray()])}
    assert every >= {tuple(row) for row in np.hstack([some.toarray(), of_some.toarray()])}


@pytest.mark.parametrize(
    ("count", "size", "items", "steps"),
    [(100, 3, 300, 400), (30_000, 3, 300, 944), (200_000, 10, 2000, 817), (200_000, 150, 2000, 100)],
)
def test_the_work_of_a_fit_is_bounded(count: int, size: int, items: int, steps: int) -> None:
    inside = sp.csr_matrix(
        (np.ones(count * size, np.int8), np.zeros(count * size, np.int32), np.arange(count + 1) * size), (count, items)
    )
    assert _steps(inside, 16) == steps
