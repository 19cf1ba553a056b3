"""How likely two records are of one person, learnt without labels.

Fellegi and Sunter 1969: a pair is a match or not, and each field of it agrees at some level with a probability m among
matches and u among the others. The probabilities are learnt by EM (Dempster, Laird and Rubin 1977; Winkler 1988).

Within each class of pairs fields are taken as independent. Those that are no matches are of two classes (Winkler 1993;
Larsen and Rubin 2001), strangers and households: people of one household share an address, a phone and often a family
name, and taken for strangers they would look like one person. A missing value says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from plugins.customers.linkage_columns import FIELDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int8]

CLASSES: Final = ("person", "strangers", "household")
"""What two records can be to each other; only the first is a match."""
LEARNT: Final = 2
"""So many classes are learnt, and of the others only their shares: few pairs are of one household, so its
probabilities would soon be those of something else."""
WORTH: Final = 20.0
"""So many pairs of each class the expectation counts as, so that a handful of pairs does not turn it round."""
FIRST: Final = (0.1, 0.88, 0.02)
"""The share of each class before the first round."""
MOST_DIFFERENT: Final = 0.3
"""In so large a share of matches a field differs at most: what agrees less often are namesakes, say, and no matches.

Without this bound a table without duplicates, in which there are no matches to learn from, would be full of them."""
TOLERANCE: Final = 1e-6
"""The rounds end when no probability moves by more."""
MOST_ROUNDS: Final = 500

_AGREE: Final = (0.05, 0.1, 0.85)
_DIFFER: Final = (0.94, 0.05, 0.01)
_OFTEN: Final = (0.35, 0.05, 0.6)
_ALONE: Final = {"given": _DIFFER, "birth": _DIFFER, "idnumber": _DIFFER, "email": (0.85, 0.05, 0.1)}
_SHARED: Final = {
    **dict.fromkeys(("address", "address2", "number", "city", "postcode", "state"), _AGREE),
    **dict.fromkeys(("family", "phone"), _OFTEN),
}
_EXPECTED: Final[tuple[Mapping[str, tuple[float, float, float]], ...]] = (
    {field.name: _AGREE for field in FIELDS},
    {},
    {**_ALONE, **_SHARED},
)
"""What is expected of each class before any pair is seen: shares of `different`, `close` and `exact`; else chance."""


@dataclass(frozen=True)
class Model:
    """What has been learnt.

    Attributes:
        shares: Of each class among the pairs; shape (classes,).
        levels: How often each level comes within each class; shape (classes, fields, levels).
        rounds: How many rounds it took.
    """

    shares: Floats
    levels: Floats
    rounds: int

    @property
    def prior(self) -> float:
        """The share of matches among the pairs."""
        return float(self.shares[0])

    @property
    def m(self) -> Floats:
        """How often each level comes among matches; shape (fields, levels)."""
        found: Floats = self.levels[0]
        return found

    @property
    def u(self) -> Floats:
        """The same among all pairs that are none."""
        others = self.shares[1:] / self.shares[1:].sum()
        found: Floats = np.tensordot(others, self.levels[1:], axes=1)
        return found

    def weight(self, patterns: Levels) -> Floats:
        """How many bits each pattern says for a match: log2 of its probability among matches over that among others.

        Args:
            patterns: The level of each field, negative where it is missing; shape (patterns, fields).

        Returns:
            Shape (patterns,).
        """
        chance = indicator(patterns, self.levels.shape[2]) @ np.log(_flat(self.levels)).T
        others = np.log(self.shares[1:] / self.shares[1:].sum())
        found: Floats = (chance[:, 0] - np.logaddexp.reduce(chance[:, 1:] + others, axis=1)) / np.log(2)
        return found

    def probability(self, weight: Floats) -> Floats:
        """How likely pairs of this weight are matches; shape (pairs,)."""
        odds = np.clip(weight + np.log2(self.prior) - np.log2(1 - self.prior), -500, 500)
        found: Floats = 1 / (1 + np.exp2(-odds))
        return found


def indicator(patterns: Levels, levels: int) -> Floats:
    """A column for each level of each field: 1 where a pattern has it; shape (patterns, fields * levels)."""
    having = patterns[:, :, None] == np.arange(levels, dtype=np.int8)[None, None, :]
    found: Floats = having.reshape(len(patterns), patterns.shape[1] * levels).astype(np.float64)
    return found


def expected(fields: tuple[str, ...], chance: Floats) -> Floats:
    """What is expected of each class.

    Args:
        fields: The names of the fields.
        chance: How often each level comes by chance; shape (fields, levels).

    Returns:
        Shape (classes, fields, levels).
    """
    return np.array([[known.get(field, chance[at]) for at, field in enumerate(fields)] for known in _EXPECTED])


def learn(patterns: Levels, counts: Ints, start: Floats) -> Model:
    """The likeliest model of the patterns, by EM from what is expected (a Dirichlet prior worth `WORTH` pairs).

    Args:
        patterns: Distinct patterns: the level of each field, negative where it is missing; shape (patterns, fields).
        counts: How many pairs have each; shape (patterns,).
        start: What is expected of each class; shape (classes, fields, levels).

    Returns:
        The model.
    """
    seen, number = indicator(patterns, start.shape[2]), counts.astype(np.float64)
    levels, shares, rounds, moved = start, np.array(FIRST), 0, 1.0
    while moved > TOLERANCE and rounds < MOST_ROUNDS:
        joint = seen @ np.log(_flat(levels)).T + np.log(shares)
        whole = np.logaddexp.reduce(joint, axis=1)
        belonging = number[:, None] * np.exp(joint - whole[:, None])
        sums = (belonging.T @ seen).reshape(start.shape) + WORTH * start
        found = sums / sums.sum(axis=2, keepdims=True)
        found[LEARNT:] = start[LEARNT:]
        found[0] = _agreeing(found[0])
        share = (belonging.sum(axis=0) + 1) / (number.sum() + len(shares))
        moved = max(float(np.abs(found - levels).max()), float(np.abs(share - shares).max()))
        levels, shares, rounds = found, share, rounds + 1
    return Model(shares, levels, rounds)


def _agreeing(m: Floats) -> Floats:
    """The shares, of which those of `different` are `MOST_DIFFERENT` at most; the others keep their proportion."""
    most = np.minimum(m[:, :1], MOST_DIFFERENT)
    rest = m[:, 1:] / m[:, 1:].sum(axis=1, keepdims=True)
    return np.concatenate([most, (1 - most) * rest], axis=1)


def _flat(levels: Floats) -> Floats:
    found: Floats = levels.reshape(len(levels), -1)
    return found
