"""A log-linear model of the one item that is missing from a profile.

For everybody and each item j taken up, the others are the context S, and the model says how likely j is among all items
that are not in S: p(j | S) ∝ exp(b(j) + Σ w(i, j) / |S|^power over i in S). The sum of the log-likelihoods, less
penalty/2·Σw², is maximised. It is multinomial logistic regression (a maximum-entropy model: Berger, Della Pietra, Della
Pietra, 1996) on the leave-one-out likelihood of sets, that is, their pseudo-likelihood (Besag, 1975); fitted by Adam
(Kingma, Ba, 2015) with a step that falls to 0.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from plugins.recommend.base import ItemRanker, entries
from plugins.recommend.bounds import Few, Modelled, NotNegative, Positive, Seed
from plugins.recommend.ease import between, modelled, placed
from plugins.recommend.interactions import Floats, Interactions, Ints, Profiles, Sparse

Singles: TypeAlias = npt.NDArray[np.float32]

PENALTY: Final = 0.3
"""What squares of weights cost, unless the user says otherwise."""

MOST: Final = 2000
"""So many items are modelled; memory and time grow with the square of their number."""

MOST_CONTEXTS: Final = 200_000
"""From so many different contexts it is learnt; of more, from as many that chance picks."""

_BATCH: Final = 512
_LEAST_STEPS: Final = 400
"""Little data are gone through more often, until so many steps are done."""
_MOST_WORK: Final = 2e10
"""So many multiplications all steps take together, about; fewer steps are done where each takes many."""
_FEWEST_STEPS: Final = 100
_FORGETTING: Final = (0.9, 0.99)
_TINY: Final = 1e-6
_NEVER: Final = np.float32(-1e9)


def contexts(values: Sparse, seed: int = 0, most: int = MOST_CONTEXTS) -> tuple[Sparse, Sparse]:
    """Profiles without one of their items, each different one once, and how often which item was the missing one.

    Args:
        values: 0 or 1; shape (people, items). People with one item make no context.
        seed: Where chance begins.
        most: Of more contexts, as many that chance picks.

    Returns:
        Contexts, and counts of the missing items; both of shape (contexts, items).
    """
    values = values.tocsr()
    values.sort_indices()
    sizes = np.diff(values.indptr)
    row = np.repeat(np.arange(len(sizes)), sizes)
    # A set is known by the sum of 64 random bits of each item: two of n sets meet with a chance of n² / 2^65.
    marks = np.random.default_rng(seed).integers(0, 2**63, values.shape[1], dtype=np.uint64)
    sums = np.zeros(len(sizes), dtype=np.uint64)
    np.add.at(sums, row, marks[values.indices])
    of = sums[row] - marks[values.indices]
    many = np.flatnonzero(sizes[row] > 1)
    names, first, context = np.unique(of[many], return_index=True, return_inverse=True)
    missing = sp.csr_matrix(
        (np.ones(len(many)), (context.ravel(), values.indices[many])), (len(names), values.shape[1])
    )
    if len(names) > most:  # before they are written out, which takes the square of the size of a profile
        picked = np.sort(np.random.default_rng(seed).permutation(len(names))[:most])
        first, missing = first[picked], missing[picked]
    shape = missing.shape
    sample = many[first]
    entry, item = entries(values, row[sample], sizes[row[sample]])
    rest = item != values.indices[sample][entry]
    return sp.csr_matrix((np.ones(int(rest.sum())), (entry[rest], item[rest])), shape), missing


class _Adam:
    """Steps of Adam for one array of weights, in place."""

    def __init__(self, weights: Singles, rate: float, steps: int) -> None:
        self._weights = weights
        self._rate = rate
        self._steps = steps
        self._done = 0
        self._mean = np.zeros_like(weights)
        self._square = np.zeros_like(weights)

    def step(self, gradient: Singles) -> None:
        first, second = _FORGETTING
        rate = self._rate * (1 - self._done / self._steps)
        self._done += 1
        self._mean *= first
        self._mean += (1 - first) * gradient
        self._square *= second
        self._square += (1 - second) * gradient * gradient
        spread = np.sqrt(self._square / (1 - second**self._done))
        spread += _TINY
        self._weights -= (rate / (1 - first**self._done)) * (self._mean / spread)


def fitted(
    inside: Sparse, missing: Sparse, penalty: float, power: float, epochs: int, rate: float, seed: int
) -> Singles:
    """The weights w, and in the last row b; shape (items + 1, items).

    Args:
        inside: Contexts of 0 and 1; shape (contexts, items).
        missing: How often which item was the missing one; of the same shape.
        penalty: What squares of weights cost.
        power: To which power of its size a context counts less.
        epochs: How often all contexts are gone through.
        rate: The first step.
        seed: Where chance begins.
    """
    count, items = inside.shape
    counts = np.asarray(missing.sum(axis=0)).ravel()
    weights = np.zeros((items + 1, items), dtype=np.float32)
    if not items:
        return weights
    weights[-1] = np.log1p(counts) - np.log1p(counts).mean()
    scaled = (_inverse_sizes(inside, power) @ inside).tocsr().astype(np.float32)
    missing = missing.astype(np.float32)
    batches = -(-count // _BATCH)
    steps = _steps(inside, epochs)
    adam = _Adam(weights, rate, steps)
    chance = np.random.default_rng(seed)
    order: Ints = np.zeros(0, dtype=np.int64)
    for step in range(steps):
        start = step % batches * _BATCH
        order = order if start else chance.permutation(count)
        some = order[start : start + _BATCH]
        adam.step(_gradient(weights, scaled[some], missing[some].toarray(), np.float32(penalty * len(some) / count)))
    return weights


def _steps(inside: Sparse, epochs: int) -> int:
    """How many steps are done: all contexts so often, little data more often, and very many less often."""
    count, items = (int(each) for each in inside.shape)
    batches = -(-count // _BATCH)
    wanted = max(epochs, -(-_LEAST_STEPS // max(1, batches))) * batches
    work = items * items + 2 * items * int(inside.nnz) / max(1, batches)
    return min(wanted, max(_FEWEST_STEPS, int(_MOST_WORK / max(1.0, work))))


def _gradient(weights: Singles, scaled: Sparse, missing: Singles, penalty: np.float32) -> Singles:
    """That of the penalised negative log-likelihood of some contexts."""
    odds = scaled @ weights[:-1] + weights[-1]
    odds[scaled.nonzero()] = _NEVER
    odds -= odds.max(axis=1, keepdims=True)
    np.exp(odds, out=odds)
    odds *= missing.sum(axis=1, keepdims=True) / odds.sum(axis=1, keepdims=True)
    odds -= missing
    found = np.empty_like(weights)
    found[:-1] = scaled.T @ odds
    found[:-1] += penalty * weights[:-1]
    found[-1] = odds.sum(axis=0)
    return found


def _inverse_sizes(sets: Sparse, power: float) -> Sparse:
    sizes = np.maximum(np.diff(sets.indptr), 1).astype(np.float64)
    return sp.diags(sizes**-power)


class LogLinear(ItemRanker):
    """How likely each item is the one that is missing from what somebody has taken up; scores are probabilities.

    Args:
        penalty: What squares of weights cost.
        power: To which power of its size a profile counts less.
        epochs: How often all contexts are gone through.
        rate: The first step of Adam.
        most: How many items are modelled, the most popular ones.
        seed: Where chance begins.
    """

    def __init__(
        self,
        penalty: NotNegative = PENALTY,
        power: NotNegative = 0.5,
        epochs: Few = 16,
        rate: Positive = 0.05,
        most: Modelled = MOST,
        seed: Seed = 0,
    ) -> None:
        self.penalty = penalty
        self.power = power
        self.epochs = epochs
        self.rate = rate
        self.most = most
        self.seed = seed

    def _learn(self, known: Interactions) -> None:
        values = known.profiles.values()
        self.columns_ = modelled(self.popularity_, np.asarray(values.sum(axis=0)).ravel(), self.most)
        self.place_ = placed(self.columns_, len(known.items))
        inside, missing = contexts(values[:, self.columns_], self.seed)
        weights = fitted(inside, missing, self.penalty, self.power, self.epochs, self.rate, self.seed)
        self.weights_ = weights[:-1].astype(np.float64)
        self.bias_ = weights[-1].astype(np.float64)

    def evidence(self, profiles: Profiles) -> Floats:
        """Probabilities of items that are modelled; shape (people, items)."""
        values = profiles.values()[:, self.columns_]
        odds = (_inverse_sizes(values, self.power) @ values) @ self.weights_ + self.bias_
        odds = np.exp(odds - odds.max(axis=1, keepdims=True, initial=-np.inf)) if odds.size else odds
        found = np.zeros((len(profiles.people), len(self.place_)))
        found[:, self.columns_] = odds / np.maximum(odds.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return found

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - as in the base
        return between(self.weights_, self.place_, own, other)
