"""The next item from the last ones: what others took up after the same items.

A first-order Markov chain over gaps (Shani, Heckerman, Brafman, "An MDP-based recommender system", 2005, skipping and
mixing): a step over d places counts decay^(d - 1).
"""

import numpy as np
import scipy.sparse as sp

from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import Few, Positive, Share
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse, entries_at


def steps(recency: Sparse, window: int, decay: float) -> Sparse:
    """How often one item came after another; shape (items, items), a row the earlier one.

    Args:
        recency: 1 for the newest item of a person, 2 for the one before, and so on; shape (people, items).
        window: Up to how many places apart steps count.
        decay: How much less a step over one place more counts.
    """
    entries = recency.tocoo()
    order = np.lexsort((-entries.data, entries.row))  # the oldest of each person first
    row, item = entries.row[order], entries.col[order]
    found = sp.csr_matrix((recency.shape[1],) * 2)
    for distance in range(1, window + 1):
        same = row[:-distance] == row[distance:]
        pair = (item[:-distance][same], item[distance:][same])
        found += decay ** (distance - 1) * sp.csr_matrix((np.ones(int(same.sum())), pair), found.shape)
    return sp.csr_matrix(found)


class Sequence(ItemRanker):
    """What others took up next after the last items of somebody.

    After item i, item j has the probability (n(i, j) + backoff·popularity(j)) / (n(i) + backoff), n being counts of
    steps. The probabilities after the last items are averaged with the weights 1, decay, decay² ...

    Args:
        window: How many last items count, and up to how many places apart steps do.
        decay: How much less an older item counts, from 0 to 1.
        backoff: How many steps popularity is worth.
    """

    def __init__(self, window: Few = 5, decay: Share = 0.7, backoff: Positive = 5.0) -> None:
        self.window = window
        self.decay = decay
        self.backoff = backoff

    def _learn(self, known: Interactions) -> None:
        counts = steps(known.profiles.recency, self.window, self.decay)
        sums = np.asarray(counts.sum(axis=1)).ravel()
        self.known_share_ = sums / (sums + self.backoff)
        self.next_ = sp.csr_matrix(sp.diags(1 / (sums + self.backoff)) @ counts)

    def _last(self, profiles: Profiles) -> Sparse:
        """The weights of the last items, which sum to 1 for everybody; shape (people, items)."""
        last = profiles.recency.copy()
        last.data = np.where(last.data <= self.window, self.decay ** (last.data - 1), 0.0)
        sums = np.asarray(last.sum(axis=1)).ravel()
        return sp.diags(1 / np.where(sums > 0, sums, 1)) @ last

    def evidence(self, profiles: Profiles) -> Floats:
        """Mean probabilities after the last items; shape (people, items)."""
        last = self._last(profiles)
        rest = np.asarray(last.sum(axis=1)).ravel() - last @ self.known_share_
        found: Floats = (last @ self.next_).toarray() + np.outer(rest, self.popularity_)
        return found

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - as in the base
        return entries_at(self.next_, own, other)
