"""Which records are of one person, once the pairs have their probabilities.

Records that are linked, directly or by others, are taken together. Such a chain may hold together records that have
nothing in common: a is like b, and b like c, but c is unlike a. So where not all pairs of a group are matches, the
group is built up by average linkage (Sokal and Michener 1958), and parts that agree too little on the whole stay apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from plugins.customers.blocking import pairs_within

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Score = Callable[[Ints, Ints], Floats]

COHESION: Final = 0.51
"""How likely the pairs between two parts are matches on average, at least, for the parts to be one person.

More than a half, so that two matches that share a record do not outweigh that the others of them disagree."""
LARGEST: Final = 200
"""Most records of a group that is looked at pair by pair; a larger one is cut at its weaker links first."""


@dataclass(frozen=True)
class Links:
    """Pairs that are matches.

    Attributes:
        left: One record of each; shape (pairs,).
        right: The other.
        weight: How strong the link is.
    """

    left: Ints
    right: Ints
    weight: Floats

    def among(self, first: Ints) -> "Links":
        """The links of the records' representatives, each once, with its greatest weight.

        Args:
            first: The representative of each record; shape (records,).
        """
        one, other = first[self.left], first[self.right]
        low, high = np.minimum(one, other), np.maximum(one, other)
        order = np.lexsort((-self.weight, high, low))
        low, high, weight = low[order], high[order], self.weight[order]
        new = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))[: len(low)]
        return Links(low, high, weight).only(new & (low != high))

    def only(self, rows: npt.NDArray[np.bool_]) -> "Links":
        """Some of them."""
        return Links(self.left[rows], self.right[rows], self.weight[rows])


@dataclass(frozen=True)
class Persons:
    """Who is who.

    Attributes:
        person: The number of each record's person, from 0, in the order of their first records; shape (records,).
        cut: How many groups fell into several persons.
    """

    person: Ints
    cut: int


def persons(records: int, links: Links, score: Score) -> Persons:
    """Put the records of each person together.

    Args:
        records: How many there are.
        links: The matches among their pairs.
        score: Gives the probability of any pairs, for those that were not compared yet.
    """
    whole = _components(records, links)
    label = _small_enough(whole, links).copy()
    parts = _parts(label, _loose(label, links), score)
    if parts:
        most = np.array([found.max() for _, found in parts])
        before = np.cumsum(most) - most + len(label)  # numbers that no other group has
        label[np.concatenate([members for members, _ in parts])] = np.concatenate(
            [found + start for (_, found), start in zip(parts, before, strict=True)]
        )
    first = _numbered(label)
    pieces = np.unique(np.stack([whole, first]), axis=1)
    return Persons(first, int((np.bincount(pieces[0]) > 1).sum()) if records else 0)


def _components(records: int, links: Links) -> Ints:
    graph = coo_array((np.ones(len(links.left), dtype=np.int8), (links.left, links.right)), shape=(records, records))
    return _numbered(connected_components(graph, directed=False)[1].astype(np.int64)) if records else links.left


def _numbered(label: Ints) -> Ints:
    """The same groups, numbered in the order of their first records."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def _small_enough(label: Ints, links: Links) -> Ints:
    """The groups, the largest of them cut: their weaker half of links is left out until they are small."""
    while True:
        large = np.bincount(label, minlength=1) > LARGEST
        inside = large[label[links.left]]
        if not inside.any():
            return label
        group, weight = label[links.left], links.weight
        order = np.lexsort((weight, group))
        count = np.bincount(group, minlength=len(large))
        middle = order[np.minimum(np.cumsum(count) - count + count // 2, len(order) - 1)]
        links = links.only(~inside | (weight > weight[middle][group]))
        label = _components(len(label), links)


def _loose(label: Ints, links: Links) -> Ints:
    """The groups of which not every pair is a match."""
    size = np.bincount(label, minlength=1)
    same = label[links.left] == label[links.right]
    count = np.bincount(label[links.left[same]], minlength=len(size))
    found: Ints = np.flatnonzero(count < size * (size - 1) // 2)
    return found


def _parts(label: Ints, loose: Ints, score: Score) -> list[tuple[Ints, Ints]]:
    """The members of each loose group, and to which part of it each belongs, from 1."""
    members = np.flatnonzero(np.isin(label, loose))
    members = members[np.argsort(label[members], kind="stable")]
    _, sizes = np.unique(label[members], return_counts=True)
    left, right = pairs_within(sizes)
    apart = 1 - score(members[left], members[right])
    groups = np.split(members, np.cumsum(sizes)[:-1])
    distances = np.split(apart, np.cumsum(sizes * (sizes - 1) // 2)[:-1])
    return [
        (group, fcluster(linkage(distance, "average"), 1 - COHESION, "distance").astype(np.int64))
        for group, distance in zip(groups, distances, strict=True)
        if len(group)
    ]
