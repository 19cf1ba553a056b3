"""The best items of each row, and what comes behind them."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from plugins.recommend.ranking import blocks, filled, places, top

SCORES = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 1.0, 2.0]),
)


@given(SCORES, st.integers(1, 10))
def test_the_best_of_each_row_and_of_equals_the_first(scores: Any, k: int) -> None:
    rows, columns = top(scores, k)
    found = list(zip(rows.tolist(), columns.tolist(), strict=True))
    wanted = [
        (row, column)
        for row, line in enumerate(scores)
        for column in sorted(range(len(line)), key=lambda at: (-line[at], at))[:k]
        if line[column] > -np.inf
    ]
    assert found == wanted
    assert places(rows).tolist() == [sum(r == row for r, _ in found[:at]) + 1 for at, (row, _) in enumerate(found)]


@given(SCORES.filter(lambda each: np.isfinite(each).all()), st.data())
def test_items_without_evidence_follow_by_popularity(scores: Any, data: st.DataObject) -> None:
    shares = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=scores.shape[1], max_size=scores.shape[1])))
    found = filled(scores, shares)
    for before, after in zip(scores, found, strict=True):
        assert (after[before != 0] == before[before != 0]).all()
        empty = np.flatnonzero(before == 0)
        if (before > 0).any():
            assert (after[empty] < before[before > 0].min()).all()
        assert (after[empty] > 0).all()
        assert sorted(empty, key=lambda at: -after[at]) == sorted(empty, key=lambda at: -shares[at])


def test_blocks_are_all_rows_once() -> None:
    for people, items in ((0, 5), (1, 10**9), (10, 10**6), (100_000, 300)):
        assert [row for block in blocks(people, items) for row in range(people)[block]] == list(range(people))
