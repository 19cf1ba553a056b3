"""Scores of all items for a block of people -> the best few of each, the same every time."""

from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from crm.recommending import Allowed
from plugins.recommend.interactions import Floats, Interactions, Ints, Sparse

CELLS: Final = 4_000_000
"""So many scores are held at a time, which bounds the memory: 32 MB for each array of them."""

OUT: Final = -np.inf
"""The score of what may not be recommended."""


def blocks(people: int, items: int) -> list[slice]:
    """Parts of people, each with no more scores than `CELLS`."""
    size = max(1, CELLS // max(1, items))
    return [slice(start, min(start + size, people)) for start in range(0, people, size)]


def top(scores: Floats, k: int) -> tuple[Ints, Ints]:
    """The best items of each row; of equal scores those that come first.

    Args:
        scores: Shape (people, items); minus infinity for what may not be recommended.
        k: How many at most.

    Returns:
        Rows and columns, in the order of rows and from the best to the worst; shape (found,).
    """
    people, items = scores.shape
    k = min(k, items)
    if not people or k < 1:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    least = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    # All that reach the k-th score are sorted, so that a tie at the border is settled by the order of items.
    rows, columns = np.nonzero((scores >= least) & (scores > OUT))
    order = np.lexsort((columns, -scores[rows, columns], rows))
    rows, columns = rows[order], columns[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < k
    return rows[kept], columns[kept]


def places(rows: Ints) -> Ints:
    """The rank, from 1, of each entry among those of its row; rows are sorted; shape (entries,)."""
    return np.asarray(np.arange(len(rows)) - np.searchsorted(rows, rows) + 1)


class Filter:
    """What may be recommended, as columns and pairs.

    Args:
        known: The items.
        who: The people, in their order.
        allowed: What the caller allows.
    """

    def __init__(self, known: Interactions, who: pl.Series, allowed: Allowed) -> None:
        self._forbidden = np.zeros(len(known.items), dtype=bool)
        if allowed.items is not None:
            self._forbidden = ~known.items.is_in(allowed.items.cast(pl.String).implode()).to_numpy()
        self._without: Sparse = sp.csr_matrix((len(who), len(known.items)))
        if allowed.without is not None and allowed.without.height:
            self._without = _pairs(known, who, allowed.without)

    def apply(self, scores: Floats, block: slice) -> None:
        """Give what may not be recommended to the people of a block the worst score, in place."""
        scores[:, self._forbidden] = OUT
        rows, columns = self._without[block].nonzero()
        scores[rows, columns] = OUT


def _pairs(known: Interactions, who: pl.Series, without: pl.DataFrame) -> Sparse:
    places = who.cast(pl.String).alias("who").to_frame().with_row_index("row")
    pairs = without.select(pl.col("who", "item").cast(pl.String)).unique(maintain_order=True).join(places, on="who")
    columns = known.items_of(pairs["item"])
    inside = columns >= 0
    rows = pairs["row"].cast(pl.Int64).to_numpy()[inside]
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns[inside])), (len(who), len(known.items)))


def filled(scores: Floats, popularity: Floats) -> Floats:
    """Scores in which items without any evidence, 0, come behind those that have some, the most popular first.

    They get less than half of the smallest score above 0 of their row: `popularity`, as a share of its largest, times
    that half. Where no score is above 0, the half is 1. Scores below 0 stay.

    Args:
        scores: Shape (people, items).
        popularity: Of each item, 0 or more; shape (items,).
    """
    most = popularity.max(initial=0.0)
    if most <= 0 or not scores.size:
        return scores
    smallest = np.min(scores, axis=1, where=scores > 0, initial=np.inf)
    room = np.where(np.isfinite(smallest), smallest / 2, 1.0)
    return np.where(scores == 0, room[:, None] * (popularity / most), scores)
