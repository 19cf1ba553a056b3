"""EASE: a linear model in closed form that makes each item out of all others.

Steck, "Embarrassingly shallow autoencoders for sparse data", 2019: B = I - P / diag(P) with P = (XᵀX + λI)⁻¹. With
`dropout` p it is EDLAE (Steck, "Autoencoders that don't overfit towards the identity", 2020): the diagonal added is
λ + p/(1 - p)·diag(XᵀX). With features it is feature-level fusion: rows of side information below X, as in collective
EASE (Jeunen, Van Balen, Goethals, "Closed-form models for collaborative filtering with side-information", 2020).
"""

from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import Modelled, NotNegative, Part, Positive
from plugins.recommend.content import features
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse, Weighting

MOST: Final = 5000
"""So many items are modelled; time grows with the cube of their number, memory with the square."""


def weights(gram: Floats, penalty: float, dropout: float = 0.0) -> Floats:
    """B of EASE, whose diagonal is 0; shape (items, items).

    Args:
        gram: XᵀX; shape (items, items).
        penalty: λ, above 0.
        dropout: p, from 0 to below 1.
    """
    added = penalty + dropout / (1 - dropout) * np.diag(gram)
    # One thread, or the last digits would depend on the number of cores.
    with threadpool_limits(1):
        inverse = _inverse(gram + np.diag(added))
    found: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0)
    return found


def _inverse(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite matrix, by Cholesky: half the work of a general one.

    Raises:
        LinAlgError: it is not positive definite.
    """
    if not len(matrix):
        return matrix
    factor, failed = lapack.dpotrf(matrix, lower=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("not positive definite; the penalty is too small")
    lower = np.tril(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    found: Floats = lower + np.tril(lower, -1).T
    return found


def modelled(popularity: Floats, wanted: Floats, most: int) -> Ints:
    """The columns of the items that are modelled: those that are wanted, the most popular `most` of them; sorted."""
    columns = np.flatnonzero(wanted)
    best = np.argsort(-popularity[columns], kind="stable")[:most]
    return np.sort(columns[best])


class Ease(ItemRanker):
    """Each item is the weighted sum of the others that somebody has taken up, by ridge regression.

    Args:
        penalty: λ: how much weights are shrunk.
        dropout: Of EDLAE, the share of items that is thought away while learning.
        side: How much features of items (title, tags, categories) count as rows beside people; 0 for none.
        weighting: once or log, as for item neighbours.
        most: How many items are modelled, the most popular ones.
    """

    def __init__(
        self,
        penalty: Positive = 100.0,
        dropout: Part = 0.0,
        side: NotNegative = 0.0,
        weighting: Weighting = "once",
        most: Modelled = MOST,
    ) -> None:
        self.penalty = penalty
        self.dropout = dropout
        self.side = side
        self.weighting = weighting
        self.most = most

    def _learn(self, known: Interactions) -> None:
        values = known.profiles.values(self.weighting)
        described = features(known.catalogue) if self.side else sp.csr_matrix((len(known.items), 0))
        wanted = np.asarray(values.sum(axis=0)).ravel() + np.diff(described.indptr)
        self.columns_ = modelled(self.popularity_, wanted, self.most)
        values = values[:, self.columns_]
        gram = (values.T @ values).toarray() + self.side * (described @ described.T)[self.columns_][
            :, self.columns_
        ].toarray()
        self.weights_ = weights(gram, self.penalty, self.dropout)
        self.place_ = placed(self.columns_, len(known.items))

    def evidence(self, profiles: Profiles) -> Floats:
        """What the others of a profile make of each item; shape (people, items)."""
        values: Sparse = profiles.values(self.weighting)[:, self.columns_]
        found = np.zeros((len(profiles.people), len(self.place_)))
        found[:, self.columns_] = values @ self.weights_
        return found

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - as in the base
        return between(self.weights_, self.place_, own, other)


def placed(columns: Ints, items: int) -> Ints:
    """The place of each item among those that are modelled, -1 for others; shape (items,)."""
    found = np.full(items, -1, dtype=np.int64)
    found[columns] = np.arange(len(columns))
    return found


def between(weights: Floats, place: Ints, own: Ints, other: Ints) -> Floats:
    """Weights of pairs of items, 0 where one of them is not modelled; shape (pairs,)."""
    i, j = place[own], place[other]
    found = np.zeros(len(own))
    both = np.flatnonzero((i >= 0) & (j >= 0))
    found[both] = weights[i[both], j[both]]
    return found
