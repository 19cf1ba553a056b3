"""Fuzzy c-means: clusters to which every row belongs in some degree.

Sources: Dunn (1973), "A fuzzy relative of the ISODATA process"; Bezdek (1981), "Pattern recognition with fuzzy
objective function algorithms"; the first centres by k-means++: Arthur and Vassilvitskii (2007).
"""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from crm.learning.separation import DIGITS, Floats


@dataclass(frozen=True)
class _Found:
    """Where one start has ended."""

    centres: Floats
    degrees: Floats
    objective: float
    turns: int
    settled: bool


class FuzzyCMeans(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Finds clusters to which every row belongs in some degree, from 0 to 1; the degrees of a row sum to 1.

    Makes J = sum over rows i and clusters j of u_ij^m |x_i - c_j|^2 small, by turns: each centre c_j becomes the mean
    of the rows weighted by u_ij^m, and each degree u_ij becomes 1 / sum over clusters l of
    (|x_i - c_j| / |x_i - c_l|)^(2 / (m - 1)). A row that lies on a centre belongs to it alone, on several to each of
    them alike.

    Args:
        n_clusters: How many clusters.
        m: The fuzzifier, above 1: near 1 almost every degree is 0 or 1, and the larger it is the more alike they are.
        max_iter: How many turns at most.
        tol: When no degree changes by more in a turn, all is settled.
        n_init: How often to start anew; the end with the smallest J counts.
        random_state: Where chance begins.

    Attributes:
        cluster_centers_: The centres; shape (clusters, features).
        membership_: The degrees; shape (rows, clusters).
        labels_: The cluster of each row in which its degree is the largest; shape (rows,).
        objective_: J.
        n_iter_: How many turns the best start took.
        n_features_in_: How many features there are.
    """

    def __init__(
        self,
        n_clusters: int = 2,
        *,
        m: float = 2.0,
        max_iter: int = 500,
        tol: float = 1e-6,
        n_init: int = 5,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.m = m
        self.max_iter = max_iter
        self.tol = tol
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """Find clusters of rows.

        Args:
            X: Numbers of shape (rows, features).
            y: Not used.

        Raises:
            ValueError: a parameter is wrong, there are fewer rows than clusters, or a value is missing or no number.
        """
        self._check()
        points = validate_data(self, X, dtype=np.float64)
        if len(points) < self.n_clusters:
            raise ValueError(f"n_samples={len(points)} rows are too few for {self.n_clusters} clusters")
        chance = check_random_state(self.random_state)
        middle = points.mean(axis=0)  # about which numbers are small, and their squares exact
        found = [self._started(points - middle, chance) for _ in range(self.n_init)]
        least = min(each.objective for each in found)
        best = next(each for each in found if each.objective <= least * (1 + 10.0**-DIGITS))
        if not best.settled:
            warnings.warn(f"not settled after {self.max_iter} turns", ConvergenceWarning, stacklevel=2)
        self.cluster_centers_ = best.centres + middle
        self.membership_, self.labels_ = best.degrees, best.degrees.argmax(axis=1)
        self.objective_, self.n_iter_ = best.objective, best.turns
        return self

    def membership(self, X: Any) -> Floats:  # noqa: N803 - scikit-learn's name
        """In which degree each row belongs to each cluster; shape (rows, clusters)."""
        check_is_fitted(self)
        points = validate_data(self, X, dtype=np.float64, reset=False)
        return degrees(_squares(points, self.cluster_centers_), self.m)

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """The cluster of each row in which its degree is the largest; shape (rows,)."""
        return self.membership(X).argmax(axis=1)

    def _check(self) -> None:
        """See that parameters make sense."""
        for name in ("n_clusters", "max_iter", "n_init"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}, and must be 1 or more")
        if not 1 < self.m < np.inf:
            raise ValueError(f"m is {self.m!r}, and must be a number above 1")

    def _started(self, points: Floats, chance: Any) -> _Found:
        """Start with some rows as centres, and go on until all is settled."""
        centres, _ = kmeans_plusplus(points, self.n_clusters, random_state=chance)
        known = degrees(_squares(points, centres), self.m)
        turns, change = 0, np.inf
        while turns < self.max_iter and change > self.tol:
            turns += 1
            weights = known**self.m
            total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
            centres = weights.T @ points / total[:, None]
            squares = _squares(points, centres)
            now = degrees(squares, self.m)
            known, change = now, float(np.abs(now - known).max())
        return _Found(centres, known, float((known**self.m * squares).sum()), turns, change <= self.tol)


def degrees(squares: Floats, m: float) -> Floats:
    """In which degree rows belong to centres, from their squared distances; both of shape (rows, clusters)."""
    nearest = squares.min(axis=1, keepdims=True)
    # The nearest centre has share 1 and the others less, so that no power of a tiny distance overflows.
    on = squares == 0
    shares = np.where(on, 1.0, nearest / np.where(on, 1.0, squares)) ** (1 / (m - 1))
    found: Floats = shares / shares.sum(axis=1, keepdims=True)
    return found


def _squares(points: Floats, centres: Floats) -> Floats:
    """The squared distance of each row and each centre; shape (rows, clusters)."""
    return np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
