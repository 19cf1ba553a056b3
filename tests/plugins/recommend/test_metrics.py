"""Measures against plain loops."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.recommend.metrics import MEASURES, coverage, intervals, means, novelty, per_person

LISTS = st.dictionaries(st.sampled_from("uvwxy"), st.permutations("abcdefg"), min_size=1)
HIDDEN = st.dictionaries(st.sampled_from("uvwxy"), st.sets(st.sampled_from("abcdefgh"), min_size=1), min_size=1)


def slow(items: list[str], hidden: set[str], k: int) -> tuple[float, float, float, float]:
    hits, precisions, gain = 0, 0.0, 0.0
    for rank, item in enumerate(items[:k], 1):
        if item in hidden:
            hits += 1
            precisions += hits / rank
            gain += 1 / math.log2(1 + rank)
    ideal = sum(1 / math.log2(1 + rank) for rank in range(1, min(k, len(hidden)) + 1))
    return precisions / min(k, len(hidden)), gain / ideal, hits / len(hidden), float(hits > 0)


@given(LISTS, HIDDEN, st.integers(1, 9))
def test_measures_are_what_they_are_called(lists: dict[str, list[str]], hidden: dict[str, set[str]], k: int) -> None:
    rows = [(who, rank, item) for who, items in lists.items() for rank, item in enumerate(items, 1)]
    pairs = [(who, item) for who, items in hidden.items() for item in sorted(items)]
    found = per_person(
        pl.DataFrame(rows, ("who", "rank", "item"), orient="row"), pl.DataFrame(pairs, ("who", "item"), orient="row"), k
    )
    assert found["who"].to_list() == sorted(hidden)
    for who, *values in found.iter_rows():
        assert values == pytest.approx(slow(list(lists.get(who, [])), hidden[who], k))


def test_intervals_hold_the_mean_and_are_the_same_every_time() -> None:
    values = np.random.default_rng(1).random((200, 2))
    low, high = intervals(values, 2000, 7)
    middle, spread = values.mean(axis=0), values.std(axis=0) / math.sqrt(200)
    assert low == pytest.approx(middle - 1.96 * spread, abs=0.005)
    assert high == pytest.approx(middle + 1.96 * spread, abs=0.005)
    assert (np.array(intervals(values, 2000, 7)) == np.array([low, high])).all()
    assert (np.array(intervals(values, 2000, 8)) != np.array([low, high])).any()


def test_means_name_the_ends_of_intervals_if_they_are_wanted() -> None:
    rows = pl.DataFrame({"who": ["u", "v"], **{name: [0.0, 1.0] for name in MEASURES}})
    assert means(rows, 0, 0) == dict.fromkeys(MEASURES, 0.5)
    assert means(rows, 100, 0)["ndcg_high"] == 1.0


def test_coverage_and_novelty() -> None:
    lists = pl.DataFrame({"who": ["u", "u", "v"], "rank": [1, 2, 1], "item": ["a", "b", "a"]})
    training = pl.DataFrame({"who": ["u", "v", "w", "x", "u"], "item": ["a", "a", "b", "c", "a"]})
    assert coverage(lists, 4) == 0.5
    assert novelty(lists, training) == pytest.approx((1 + 2 + 1) / 3)
