"""Clusters of customers by k-means or fuzzy c-means, how many there are, and what tells each apart.

Sources: k-means: Lloyd (1982), with k-means++ by Arthur and Vassilvitskii (2007); fuzzy c-means:
`plugins.customers.fuzzy`; the number of clusters by silhouette: Rousseeuw (1987).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from crm.learning.separation import DIGITS, Floats, Ints
from plugins.customers.features import SCALINGS, Points, evenly
from plugins.customers.fuzzy import FuzzyCMeans

FITTED: Final = 20_000
"""How many rows are looked at to find clusters, evenly taken; all others join the nearest one."""

JUDGED: Final = 2_000
"""On how many rows, evenly taken, numbers of clusters are compared; the silhouette compares each row with each."""

STARTS: Final = 10
"""How often k-means starts anew."""

TELLING: Final = 5
"""How many features at most are said to tell a cluster apart."""

LEAST: Final = 0.2
"""Of how many standard deviations of all rows a cluster's mean must be away to tell it apart."""


@dataclass(frozen=True)
class Clusters:
    """Which row belongs to which cluster; clusters are numbered from 0 by falling size.

    Attributes:
        labels: The cluster of each point; shape (points,).
        degrees: In which degree each belongs to each cluster, of fuzzy c-means only; shape (points, clusters).
        count: How many clusters there are.
        silhouettes: The numbers of clusters that were compared, each with its mean silhouette, -1 to 1.
        objective: What the method makes small: of k-means the sum of squared distances, of fuzzy c-means J.
        fitted: How many points the clusters were found from; `objective` is about these.
        settled: Whether the method came to rest.
    """

    labels: Ints
    degrees: Floats | None
    count: int
    silhouettes: dict[int, float]
    objective: float
    fitted: int
    settled: bool


def clustered(values: Floats, numbers: Sequence[int], method: str, m: float = 2.0, seed: int = 0) -> Clusters:
    """Find clusters; of several numbers of clusters, the one with the best mean silhouette, of equal ones the smallest.

    Args:
        values: Comparable features; shape (points, features).
        numbers: The numbers of clusters to compare. Where too few points are different, there are fewer clusters.
        method: `kmeans` or `fuzzy`.
        m: The fuzzifier.
        seed: Where chance begins. The same seed gives the same clusters, on any number of processors.
    """
    if not len(values):
        return Clusters(np.zeros(0, dtype=np.int64), None, 0, {}, 0.0, 0, settled=True)
    sample = values[evenly(len(values), FITTED)]
    most = min(max(numbers), len(np.unique(sample, axis=0)))
    possible = sorted({min(number, most) for number in numbers})
    with threadpool_limits(limits=1):  # a sum in another order would be another sum
        silhouettes = _silhouettes(values, possible, method, m, seed) if len(possible) > 1 else {}
        number = min(silhouettes, key=lambda each: (-silhouettes[each], each)) if silhouettes else possible[0]
        model, settled = _fitted(sample, number, method, m, seed)
        labels = model.predict(values).astype(np.int64)
        degrees = model.membership(values) if method == "fuzzy" else None
    order = _order(labels, number)
    place = np.argsort(order)
    objective = float(model.objective_ if method == "fuzzy" else model.inertia_)
    shown = None if degrees is None else degrees[:, order]
    return Clusters(place[labels], shown, number, silhouettes, objective, len(sample), settled)


def _silhouettes(values: Floats, numbers: Sequence[int], method: str, m: float, seed: int) -> dict[int, float]:
    """The mean silhouette of each number of clusters, where it is defined."""
    judged = values[evenly(len(values), JUDGED)]
    found = {}
    for number in numbers:
        if 2 <= number < len(judged):
            labels = _fitted(judged, number, method, m, seed)[0].labels_
            if len(np.unique(labels)) > 1:
                found[number] = round(float(silhouette_score(judged, labels)), DIGITS)
    return found


def _fitted(values: Floats, number: int, method: str, m: float, seed: int) -> tuple[Any, bool]:
    """A fitted model, and whether it came to rest."""
    model: Any = KMeans(number, n_init=STARTS, random_state=seed)
    if method == "fuzzy":
        model = FuzzyCMeans(number, m=m, random_state=seed)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(values)
    return model, not any(issubclass(each.category, ConvergenceWarning) for each in said)


def _order(labels: Ints, number: int) -> Ints:
    """Clusters by falling size, of equal ones the one whose first row is earlier; shape (clusters,)."""
    sizes = np.bincount(labels, minlength=number)
    first = np.full(number, len(labels))
    names, at = np.unique(labels, return_index=True)
    first[names] = at
    return np.lexsort((first, -sizes))


def scaled(values: Floats, scaling: str) -> Floats:
    """Features made comparable by one of `SCALINGS`."""
    return np.asarray(SCALINGS[scaling]().fit_transform(values)) if len(values) else values


def per_record(frame: pl.DataFrame, points: Points, found: Clusters) -> pl.DataFrame:
    """The table with the cluster of each row from 1, and its degrees; null where a feature is missing."""
    columns = [points.spread(found.labels + 1).alias("cluster")]
    if found.degrees is not None:
        columns += [
            points.spread(each).alias(name) for name, each in zip(names_of(found), found.degrees.T, strict=True)
        ]
    return frame.with_columns(columns)


def names_of(found: Clusters) -> list[str]:
    """The columns of degrees."""
    return [f"membership_{number}" for number in range(1, found.count + 1)]


def summary(points: Points, features: Sequence[str], found: Clusters) -> pl.DataFrame:
    """One row a cluster: size, share, what tells it apart, and the mean of each feature.

    `distinguishing` are features whose mean is far from that of all rows, with how many standard deviations of all rows
    (divided by n) it is above or below; the farthest first.
    """
    means, away = _means(points.values, found)
    sizes = np.bincount(found.labels, minlength=found.count)
    columns: dict[str, Any] = {
        "cluster": np.arange(1, found.count + 1),
        "size": sizes,
        "share": sizes / max(1, len(found.labels)),
        "distinguishing": pl.Series([_telling(features, row) for row in away], dtype=pl.List(pl.String)),
    }
    return pl.DataFrame(columns | {f"mean_{name}": means[:, at] for at, name in enumerate(features)}).fill_nan(None)


def _means(values: Floats, found: Clusters) -> tuple[Floats, Floats]:
    """The mean of each feature in each cluster, and how many standard deviations it is away from that of all rows."""
    means = np.full((found.count, values.shape[1]), np.nan)
    for cluster in np.unique(found.labels):
        means[cluster] = values[found.labels == cluster].mean(axis=0)
    if not len(values):
        return means, means
    spread = values.std(axis=0)
    return means, (means - values.mean(axis=0)) / np.where(spread > 0, spread, np.inf)


def _telling(features: Sequence[str], away: Floats) -> list[str]:
    """The features that tell a cluster apart, each with its distance: `age +1.25`."""
    order = np.lexsort((np.arange(len(away)), -np.abs(away).round(DIGITS)))[:TELLING]
    return [f"{features[at]} {away[at]:+.2f}" for at in order if abs(away[at]) >= LEAST]
