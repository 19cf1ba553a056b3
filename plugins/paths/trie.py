"""Where sequences of codes stand among others of their length: a trie as sorted arrays."""

from collections.abc import Mapping

import numpy as np

from plugins.paths.corpus import Codes, Ints

Groups = Mapping[int, tuple[Codes, Ints]]
"""For each length, sequences of codes, sorted, shape (sequences, length), and a number for each, shape (sequences,)."""


class Trie:
    """Finds sequences in groups that hold, with each of theirs, all its beginnings.

    Args:
        groups: The sequences by length.
    """

    def __init__(self, groups: Groups) -> None:
        self._pages = 1 + max((int(rows.max(initial=0)) for rows, _ in groups.values()), default=0)
        self._keys: dict[int, Ints] = {}
        for length in sorted(groups):
            rows = groups[length][0]
            self._keys[length] = self.find(rows[:, :-1]) * self._pages + rows[:, -1]

    def find(self, rows: Codes) -> Ints:
        """Where these sequences, all of one length, stand in the group of their length; they must be there.

        Args:
            rows: Shape (sequences, length).

        Returns:
            Shape (sequences,); for the empty sequence 0.
        """
        at = np.zeros(len(rows), dtype=np.int64)
        for length in range(1, rows.shape[1] + 1):
            at = np.searchsorted(self._keys[length], at * self._pages + rows[:, length - 1])
        return at
