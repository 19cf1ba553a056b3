"""User-based collaborative filtering: what people with a similar profile have taken up.

Resnick, Iacovou, Suchak, Bergstrom, Riedl, "GroupLens: an open architecture for collaborative filtering", 1994.
"""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import polars as pl
import scipy.sparse as sp

from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import Count
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse
from plugins.recommend.ranking import blocks

Likeness = Literal["jaccard", "cosine", "overlap"]
SIMILAR: Final = "people with similar interests chose it"


_LIKENESS: Final[dict[str, Callable[[Floats, Floats, Floats], Floats]]] = {
    "jaccard": lambda common, own, other: common / (own + other - common),
    "cosine": lambda common, own, other: common / np.sqrt(own * other),
    "overlap": lambda common, own, other: common * 1.0,  # noqa: ARG005 - sizes do not matter to it
}


class UserNeighbours(ItemRanker):
    """What the k people with the most similar profiles have taken up, weighted by their similarity.

    A profile is a set of items. People with the same profile are one neighbour with their number, so that work grows
    with the number of different profiles. Somebody whose profile holds nothing that a person lacks says nothing, and is
    no neighbour of that person. Where more people are just as similar as the k-th than there is room for, all of them
    count, each in part, so that no neighbour is picked by chance.

    Args:
        k: How many people.
        similarity: Of sets of a and b items with o in common: jaccard o / (a + b - o), cosine o / √(a·b), overlap o.
        informative: Whether people who have nothing new are passed over.
    """

    def __init__(self, k: Count = 200, similarity: Likeness = "jaccard", informative: bool = True) -> None:
        self.k = k
        self.similarity = similarity
        self.informative = informative

    def _learn(self, known: Interactions) -> None:
        self.sets_, self.counts_ = distinct(known.profiles.values())
        self.set_sizes_ = np.diff(self.sets_.indptr).astype(np.float64)

    def evidence(self, profiles: Profiles) -> Floats:
        """Sums of the similarities of those of the k nearest who have an item, over k; shape (people, items)."""
        unique, of = _rows_once(profiles.values())
        found = np.zeros(unique.shape)
        for block in blocks(unique.shape[0], self.sets_.shape[0]):
            found[block] = self._of_sets(unique[block])
        return found[of]

    def _of_sets(self, sets: Sparse) -> Floats:
        """Scores for some different profiles; shape (profiles, items)."""
        common = (sets @ self.sets_.T).tocoo()
        own = np.diff(sets.indptr).astype(np.float64)[common.row]
        other = self.set_sizes_[common.col]
        likeness = _LIKENESS[self.similarity](common.data, own, other)
        if self.informative:
            likeness[common.data >= other] = 0
        weights = likeness * self._taken(common.row, likeness, self.counts_[common.col])
        near = weights > 0
        nearest = sp.csr_matrix((weights[near], (common.row[near], common.col[near])), common.shape)
        found: Floats = (nearest @ self.sets_).toarray()
        return found / max(1, self.k)

    def _taken(self, rows: Ints, likeness: Floats, people: Ints) -> Floats:
        """How many people of each profile are among the k nearest; of a tie at the border all count in part."""
        order = np.lexsort((-likeness, rows))
        of, near, count = rows[order], likeness[order], people[order].astype(np.float64)
        begins = np.ones(len(of), dtype=bool)
        begins[1:] = (of[1:] != of[:-1]) | (near[1:] != near[:-1])
        tie = np.cumsum(begins) - 1
        tied = np.bincount(tie, count)
        before = np.cumsum(tied) - tied  # so many people are nearer, of this row and of all rows before
        row = of[begins]
        before -= before[np.searchsorted(row, row)]
        share = np.clip((self.k - before) / np.maximum(tied, 1), 0, 1)
        found = np.empty(len(of))
        found[order] = count * share[tie]
        return found

    def reasons(self, profiles: Profiles, rows: Ints, columns: Ints, titles: pl.Series) -> pl.Series:  # noqa: ARG002
        """That similar people chose it, where any did; the arguments are those of the base."""
        known = (profiles.sizes > 0)[rows]
        said = pl.select(pl.when(pl.Series(known)).then(pl.lit(SIMILAR))).to_series()
        return said if len(rows) else pl.Series([], dtype=pl.String)


def distinct(values: Sparse) -> tuple[Sparse, Ints]:
    """The different rows of a matrix of 0 and 1 that are not empty, and how often each is."""
    unique, of = _rows_once(values)
    counts = np.bincount(of, minlength=unique.shape[0])
    kept = np.flatnonzero(np.diff(unique.indptr) > 0)
    return unique[kept], counts[kept].astype(np.int64)


def _rows_once(values: Sparse) -> tuple[Sparse, Ints]:
    """The different rows, sorted by their items, and which of them each row is."""
    row = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
    lists = (
        pl.DataFrame({"row": row, "item": values.indices.astype(np.int64)})
        .sort("row", "item")
        .group_by("row", maintain_order=True)
        .agg(pl.col("item").cast(pl.String).str.zfill(9).str.join(" "))
    )
    each = pl.select(row=pl.int_range(values.shape[0], dtype=pl.Int64)).join(lists, on="row", how="left")
    of = each.sort("row").select((pl.col("item").fill_null("").rank("dense") - 1).cast(pl.Int64))["item"].to_numpy()
    first = np.unique(of, return_index=True)[1]
    return values[first], of
