"""What is alike, found: TF-IDF, truncated SVD, k-means, and the number of clusters by silhouette.

Sources: TF-IDF: Salton and Buckley (1988), "Term-weighting approaches in automatic text retrieval". Truncated SVD:
Deerwester et al. (1990), "Indexing by latent semantic analysis", by the randomised method of Halko, Martinsson and
Tropp (2011). k clusters among the first k singular vectors, in rows scaled to length 1: Ng, Jordan and Weiss (2001),
"On spectral clustering", and for words and documents Dhillon (2001). k-means++: Arthur and Vassilvitskii (2007).
Silhouette: Rousseeuw (1987). The standard error as the measure of a tie: Breiman et al. (1984).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_samples
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from plugins.paths.corpus import Codes, Ints

Floats = npt.NDArray[np.float64]

FITTED: Final = 50_000
"""How many rows are looked at to find clusters, evenly taken; all others join the nearest one."""

JUDGED: Final = 2_000
"""Of how many rows, evenly taken, the silhouette is the mean; it compares each with each."""

TURNS: Final = 4
"""How often the randomised method multiplies by the rows and back, which brings out the first singular vectors."""

STARTS: Final = 10
"""How often k-means starts anew; the best end counts."""

DIGITS: Final = 9
"""Numbers that agree in so many decimals count as equal, so that the last bits of a sum decide nothing."""


@dataclass(frozen=True)
class Partition:
    """Which row belongs to which cluster.

    Attributes:
        labels: The cluster of each row, from 0; shape (rows,).
        silhouettes: The numbers of clusters that were compared, each with its mean silhouette, -1 to 1.
        explained: The share of the rows' squared length that lies in the dimensions in which they were clustered.
        fitted: How many rows the clusters were found from.
    """

    labels: Ints
    silhouettes: dict[int, float]
    explained: float
    fitted: int

    @property
    def count(self) -> int:
        """How many clusters."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


@dataclass(frozen=True)
class _Trial:
    """What k-means has found: a fitted model, and how far apart its clusters are."""

    model: Any
    number: int
    silhouette: float
    error: float


def counts(rows: Codes | Ints, columns: Codes | Ints, shape: tuple[int, int]) -> sparse.csr_array:
    """How often each row has each feature.

    Args:
        rows: The row of each occurrence; shape (occurrences,).
        columns: Its feature, likewise.
        shape: How many rows and features there are.
    """
    places = rows.astype(np.int32), columns.astype(np.int32)
    return sparse.coo_array((np.ones(len(rows)), places), shape=shape).tocsr()


def idf(occurrences: sparse.csr_array) -> Floats:
    """How much a feature tells: 1 + ln((1 + rows) / (1 + rows that have it)); shape (features,)."""
    having = np.bincount(occurrences.indices, minlength=occurrences.shape[1])
    weights: Floats = 1 + np.log((1 + occurrences.shape[0]) / (1 + having))
    return weights


def weighted(occurrences: sparse.csr_array, weights: Floats) -> sparse.csr_array:
    """Rows of (1 + ln count) x weight, scaled to length 1; a row without a feature stays 0.

    Args:
        occurrences: What `counts` gives.
        weights: What `idf` gives, for these rows or for others; shape (features,).
    """
    found = occurrences.copy()
    found.data = (1 + np.log(found.data)) * weights[found.indices]
    number = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    squares = np.bincount(number, weights=found.data**2, minlength=found.shape[0])
    found.data /= np.sqrt(squares)[number]
    return found


def clustered(rows: sparse.csr_array, numbers: Sequence[int], seed: int = 0, fitted: int = FITTED) -> Partition:
    """Cluster rows; of several numbers of clusters, the one that the silhouette speaks for.

    For k clusters, k-means sees the first k singular vectors. Few clusters lie in few dimensions, which alone raises
    their silhouette a little; so of all k whose silhouette is within one standard error of the best, the largest
    counts.

    Args:
        rows: What `weighted` gives; no row is empty.
        numbers: The numbers of clusters to compare. Where too few rows are different, there are fewer clusters.
        seed: Where chance begins. The same seed gives the same clusters, on any number of processors.
        fitted: How many rows to find the clusters from.
    """
    if not rows.shape[0]:
        return Partition(np.zeros(0, dtype=np.int64), {}, 0.0, 0)
    sample = _evenly(rows.shape[0], fitted)
    possible = sorted({min(number, len(sample)) for number in numbers})
    with threadpool_limits(limits=1):  # a sum in another order would be another sum
        places = _places(rows, sample, possible[-1], seed)
        trials = [_tried(_unit(places[sample, :number]), number, seed, judge=len(numbers) > 1) for number in possible]
        best = _best(trials)
        dimensions = best.model.n_features_in_
        labels = best.model.predict(_unit(places[:, :dimensions])).astype(np.int64)
    compared = {each.number: each.silhouette for each in trials if each.silhouette > -1}
    explained = float((places[:, :dimensions] ** 2).sum() / rows.shape[0])
    return Partition(np.unique(labels, return_inverse=True)[1], compared, explained, len(sample))


def _evenly(total: int, most: int) -> Ints:
    """Numbers below `total`, from the first to the last in even steps, at most `most` of them."""
    return np.arange(total) if total <= most else np.linspace(0, total - 1, most).round().astype(np.int64)


def _places(rows: sparse.csr_array, sample: Ints, dimensions: int, seed: int) -> Floats:
    """Where rows lie along the first singular vectors of a sample; shape (rows, dimensions) or fewer dimensions."""
    fitted = rows if len(sample) == rows.shape[0] else rows[sample]
    vectors = randomized_svd(fitted, min(dimensions, *fitted.shape), n_iter=TURNS, random_state=seed)[2]
    places: Floats = rows @ vectors.T
    return places


def _unit(places: Floats) -> Floats:
    """Rows scaled to length 1; one that lies in none of the dimensions stays at 0."""
    lengths = np.sqrt((places**2).sum(axis=1, keepdims=True))
    scaled: Floats = np.round(places / np.where(lengths > 10.0**-DIGITS, lengths, np.inf), DIGITS)
    return scaled


def _tried(points: Floats, number: int, seed: int, *, judge: bool) -> _Trial:
    """Clusters of some points, fewer than `number` where too few points are different."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # says just that, and is seen in the labels
        model = KMeans(number, n_init=STARTS, random_state=seed).fit(points)
    found = len(np.unique(model.labels_))
    judged = _evenly(len(points), JUDGED)
    labels = model.labels_[judged]
    if not judge or not 2 <= len(np.unique(labels)) < len(labels):
        return _Trial(model, found, -1.0, 0.0)
    each = silhouette_samples(points[judged], labels)
    return _Trial(model, found, float(each.mean()), float(each.std() / np.sqrt(len(each))))


def _best(trials: Sequence[_Trial]) -> _Trial:
    """The trial with the largest number of clusters whose silhouette is within one standard error of the best."""
    highest = max(trials, key=lambda trial: trial.silhouette)
    close = [trial for trial in trials if trial.silhouette >= highest.silhouette - highest.error - 10.0**-DIGITS]
    return max(close, key=lambda trial: trial.number)


def likeness(centred: sparse.csr_array, labels: Ints, rows: sparse.csr_array, own: Ints) -> Floats:
    """The cosine of each row and the middle of its cluster; shape (rows,).

    Args:
        centred: The rows whose means are the middles, each of length 1.
        labels: The cluster of each of them; shape (centred rows,).
        rows: The rows that are compared, each of length 1 or 0.
        own: The cluster of each of these; shape (rows,).
    """
    found: Floats = np.zeros(rows.shape[0])
    for cluster in range(int(labels.max()) + 1 if len(labels) else 0):
        middle = np.asarray(centred[labels == cluster].sum(axis=0)).ravel()
        here = np.flatnonzero(own == cluster)
        found[here] = rows[here] @ (middle / np.sqrt((middle**2).sum()))
    rounded: Floats = np.round(found, DIGITS)
    return rounded
