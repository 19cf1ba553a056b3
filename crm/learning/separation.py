"""Which classes lie apart, and trees of classes made by it.

Sources: binary trees of support vector machines: Cheong, Oh and Lee (2004), "Support vector machines with binary tree
architecture for multi-class classification"; distance of classes in units of their own spread: Mahalanobis (1936);
halves that are improved by swaps: Kernighan and Lin (1970), here for the largest cut instead of the smallest.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Split = tuple[Sequence[int], Sequence[int]]

DIGITS: Final = 9
"""Distances that agree in so many decimals count as equal, so that the last bits of a sum decide nothing."""

RIDGE: Final = 1e-3
"""Which share of the mean variance is added to each variance, so that features which say the same do no harm."""


def distances(points: Floats, codes: Ints, classes: int) -> Floats:
    """How far apart the centroids of classes are, in units of the spread within classes.

    With S the pooled covariance within classes, d(i, j)^2 = (c_i - c_j)' S^-1 (c_i - c_j).

    Args:
        points: Shape (rows, features).
        codes: The class of each row, from 0; shape (rows,). No class is empty.
        classes: How many classes there are.

    Returns:
        A symmetric matrix of shape (classes, classes).
    """
    sizes = np.bincount(codes, minlength=classes)
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    centroids = np.add.reduceat(points[order], starts, axis=0) / sizes[:, None]
    inside = points - centroids[codes]
    spread = inside.T @ inside / len(points)
    ridge = RIDGE * np.trace(spread) / len(spread)
    values, vectors = np.linalg.eigh(spread + (ridge or 1.0) * np.eye(len(spread)))
    places = centroids @ (vectors / np.sqrt(values))
    found: Floats = np.sqrt(((places[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)).round(DIGITS)
    return found


def peeled(apart: Floats, classes: Sequence[int]) -> Split:
    """The class whose nearest other class is the farthest, and all others; of equal ones the last.

    Args:
        apart: What `distances` gives.
        classes: Two classes or more, ascending.
    """
    inner = apart[np.ix_(classes, classes)]
    nearest = np.where(np.eye(len(classes), dtype=bool), np.inf, inner).min(axis=1)
    at = len(classes) - 1 - int(np.argmax(nearest[::-1]))
    return [classes[at]], [each for each in classes if each != classes[at]]


def halved(apart: Floats, classes: Sequence[int]) -> Split:
    """Two halves whose classes have a large mean distance; of an odd number, the first half has one more.

    Begins with the classes ordered by how much nearer they are to one of the two farthest classes than to the other,
    then swaps the two classes of different halves that add most, until no swap adds anything.

    Args:
        apart: What `distances` gives.
        classes: Two classes or more, ascending.

    Returns:
        Both halves ascending; with two classes, the last one is the first half.
    """
    inner = apart[np.ix_(classes, classes)]
    low, high = divmod(int(np.argmax(inner)), len(classes))
    order = np.lexsort((-np.arange(len(classes)), (inner[:, high] - inner[:, low]).round(DIGITS)))
    first = np.zeros(len(classes), dtype=bool)
    first[order[: (len(classes) + 1) // 2]] = True
    first = _swapped(inner, first)
    numbers = np.asarray(classes)
    return numbers[first].tolist(), numbers[~first].tolist()


def _swapped(inner: Floats, first: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Halves that no swap of two classes sets farther apart."""
    while True:
        side = np.where(first, 1.0, -1.0)
        own = (inner @ side) * side  # distances to the own half less those to the other
        one, other = np.flatnonzero(first), np.flatnonzero(~first)
        gain = (own[one][:, None] + own[other][None, :] + 2 * inner[np.ix_(one, other)]).round(DIGITS)
        if not gain.size or gain.max() <= 0:
            return first
        at = divmod(int(np.argmax(gain)), len(other))
        first = first.copy()
        first[one[at[0]]], first[other[at[1]]] = False, True


STRATEGIES: Final[dict[str, Callable[[Floats, Sequence[int]], Split]]] = {"chain": peeled, "balanced": halved}
"""How a node of the tree parts its classes, by name: one class from all others, or halves."""


def tree(apart: Floats, strategy: str) -> list[Split]:
    """The nodes of a binary tree of classes, each before those below it: which classes it parts from which.

    Args:
        apart: What `distances` gives, of two classes or more.
        strategy: A key of `STRATEGIES`.
    """
    waiting: list[Sequence[int]] = [range(len(apart))]
    nodes: list[Split] = []
    while waiting:
        split = STRATEGIES[strategy](apart, waiting.pop(0))
        nodes.append(split)
        waiting += [side for side in split if len(side) > 1]
    return nodes


def sides(nodes: Sequence[Split], classes: int) -> Ints:
    """Which side of each node each class is on, 1 the first, -1 the second, 0 none; shape (nodes, classes)."""
    found = np.zeros((len(nodes), classes), dtype=np.int64)
    for side, (first, second) in zip(found, nodes, strict=True):
        side[list(first)], side[list(second)] = 1, -1
    return found


def children(nodes: Sequence[Split]) -> Ints:
    """What comes behind each side: the number of another node, or -1 - that of a class; shape (nodes, 2).

    Nodes stand in the order in which the sides above them do, as `tree` gives them.
    """
    number = 0
    found = np.zeros((len(nodes), 2), dtype=np.int64)
    for node, split in enumerate(nodes):
        for place, side in enumerate(split):
            number += len(side) > 1
            found[node, place] = number if len(side) > 1 else -1 - side[0]
    return found
