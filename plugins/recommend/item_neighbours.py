"""Item-based collaborative filtering: items are near when the same people have taken them up.

Cosine: Sarwar, Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms", 2001.
Conditional probability: Karypis, "Evaluation of item-based top-N recommendation algorithms", 2001.
"""

from typing import Literal

import numpy as np
import scipy.sparse as sp

from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import NotNegative, Share
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse, Weighting, entries_at

Similarity = Literal["cosine", "conditional"]


def similarities(values: Sparse, kind: Similarity, shrink: float = 0.0, alpha: float = 0.0) -> Sparse:
    """How near items are to each other; shape (items, items), a row the item that is known, 0 on the diagonal.

    With c(i, j) the sum over people of x(i)·x(j): cosine is c(i, j) / √(c(i, i)·c(j, j)); conditional is
    c(i, j) / (c(i, i)·c(j, j)^alpha), which for values of 1 and alpha 0 is the share of those with i who have j. Both
    are multiplied by n / (n + shrink), n the number of people who have both.

    Args:
        values: Shape (people, items).
        kind: Which.
        shrink: How many people in common count as doubtful.
        alpha: How much items that many people have are held back.
    """
    together = (values.T @ values).tocoo()
    sums = np.asarray(values.power(2).sum(axis=0)).ravel()
    i, j, found = together.row, together.col, together.data.astype(np.float64)
    norm = np.sqrt(sums[i] * sums[j]) if kind == "cosine" else sums[i] * sums[j] ** alpha
    found = found / norm
    if shrink:
        ones = values.copy()
        ones.data = np.ones_like(ones.data)
        both = entries_at((ones.T @ ones).tocsr(), i, j)
        found *= both / (both + shrink)
    other = i != j
    return sp.csr_matrix((found[other], (i[other], j[other])), together.shape)


class ItemNeighbours(ItemRanker):
    """Items that are near to what somebody has taken up: the sum of similarities.

    Args:
        similarity: cosine or conditional.
        shrink: How many people in common count as doubtful.
        alpha: Of conditional, how much popular items are held back, from 0 to 1.
        weighting: once: an item counts 1 for somebody; log: log(1 + weight of the events).
    """

    def __init__(
        self,
        similarity: Similarity = "cosine",
        shrink: NotNegative = 0.0,
        alpha: Share = 0.0,
        weighting: Weighting = "once",
    ) -> None:
        self.similarity = similarity
        self.shrink = shrink
        self.alpha = alpha
        self.weighting = weighting

    def _learn(self, known: Interactions) -> None:
        values = known.profiles.values(self.weighting)
        self.similarities_ = similarities(values, self.similarity, self.shrink, self.alpha)

    def evidence(self, profiles: Profiles) -> Floats:
        """Sums of similarities; shape (people, items)."""
        found: Floats = (profiles.values(self.weighting) @ self.similarities_).toarray()
        return found

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - as in the base
        return entries_at(self.similarities_, own, other)
