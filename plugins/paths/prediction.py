"""The next page of a session, from the last ones: counts of n-grams -> models -> probabilities.

Every model backs off: what was seen after a context takes a part of the probability, and the rest is shared out as
after the context without its oldest page, down to no context at all. `kneser_ney` is what predicts; `first_order` and
`popularity` are what it is measured against (see `plugins.paths.evaluation`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from plugins.paths import grams
from plugins.paths.corpus import Corpus, Ints
from plugins.paths.grams import Grams, Pages, Stream

Floats = npt.NDArray[np.float64]

START: Final = "(start)"
"""What the start of a session is called where a context is shown."""


@dataclass(frozen=True)
class Counts:
    """What models are made from.

    Attributes:
        pages: The pages that the sessions view.
        levels: Their n-grams of one symbol, two and so on: what follows contexts of no symbol, one and so on.
    """

    pages: Pages
    levels: list[Grams]

    @classmethod
    def of(cls, corpus: Corpus, order: int) -> "Counts":
        """Count the sessions of a corpus, for contexts of up to `order` symbols (1 or more)."""
        pages = Pages.of(corpus)
        return cls(pages, grams.count(Stream.of(corpus, pages), pages.start + 1, order + 1))


@dataclass(frozen=True)
class BackOff:
    """A model of what comes next, given that something does.

    Attributes:
        counts: What it was made from; the model may use its shorter n-grams only.
        probabilities: Of each n-gram of each length, the probability of its last symbol after the others.
        weights: Of each context of each length, by what the probabilities after the shorter context are multiplied for
            all that was never seen after this one.
    """

    counts: Counts
    probabilities: list[Floats]
    weights: list[Floats]

    @property
    def levels(self) -> list[Grams]:
        """The n-grams that it uses."""
        return self.counts.levels[: len(self.probabilities)]


def popularity(counts: Counts) -> BackOff:
    """Pages by their share of all views, whatever was viewed before."""
    return _back_off(counts, [_raw(counts, 0)], [0.0])


def first_order(counts: Counts) -> BackOff:
    """Pages by their share of what followed the last page (maximum likelihood of a first-order Markov chain).

    What never followed it has the probability 0, and is told apart by popularity alone.
    """
    return _back_off(counts, [_raw(counts, length) for length in range(len(counts.levels[:2]))], [0.0, 0.0])


def kneser_ney(counts: Counts) -> BackOff:
    """Variable order by interpolated Kneser-Ney smoothing.

    Kneser and Ney (1995), "Improved backing-off for m-gram language modeling"; interpolated as in Chen and Goodman
    (1999), "An empirical study of smoothing techniques for language modeling", with one `discount` for each length.

    The longest n-grams count as often as they are seen. A shorter one counts once for each different symbol that it is
    seen after, so that a page which only ever follows one other is not likely elsewhere; as nothing is before the
    start of a session, n-grams that begin with it count as often as they are seen.
    """
    last = len(counts.levels) - 1
    numbers = [_raw(counts, length) if length == last else _continuations(counts, length) for length in range(last + 1)]
    return _back_off(counts, numbers, [0.0, *(discount(number) for number in numbers[1:])])


def discount(numbers: Ints) -> float:
    """What is taken from each count for all that was never seen: n1 / (n1 + 2 n2), of how many counts are 1, and 2.

    Ney, Essen and Kneser (1994), "On structuring probabilistic dependences in stochastic language modelling". It is 0.5
    if no count is 1, or none 2.
    """
    once, twice = (int(np.count_nonzero(numbers == number)) for number in (1, 2))
    return once / (once + 2 * twice) if once and twice else 0.5


def _raw(counts: Counts, length: int) -> Ints:
    """How often n-grams are seen; no session goes on to its start."""
    level = counts.levels[length]
    return level.counts if length else np.where(level.starting, 0, level.counts)


def _continuations(counts: Counts, length: int) -> Ints:
    """After how many different symbols n-grams are seen."""
    level, longer = counts.levels[length : length + 2]
    different = np.bincount(longer.shorter, minlength=len(level.keys))
    return np.where(level.starting, _raw(counts, length), different)


def _back_off(counts: Counts, numbers: Sequence[Ints], discounts: Sequence[float]) -> BackOff:
    """Interpolate: (number - discount) / total, and the rest as after the shorter context.

    Args:
        counts: The n-grams, of more lengths than the model shall use perhaps.
        numbers: What each counts, for each length that is used.
        discounts: What is taken from each.
    """
    probabilities, weights, shorter, contexts = [], [], np.zeros(1), 1
    for level, number, taken in zip(counts.levels, numbers, discounts, strict=False):
        context = level.contexts
        total = np.bincount(context, number, minlength=contexts)
        kinds = np.bincount(context, minlength=contexts)
        weight = np.divide(taken * kinds, total, out=np.ones(contexts), where=total > 0)
        own = (number - taken) / np.maximum(total, 1)[context]
        shorter = own + weight[context] * shorter[level.shorter]
        probabilities.append(shorter)
        weights.append(weight)
        contexts = len(level.keys)
    return BackOff(counts, probabilities, weights)


@dataclass(frozen=True)
class Prediction:
    """What comes after some pages.

    Attributes:
        pages: All pages, the most likely first: `rank`, `page`, `probability`, `count`, `context`.
        used: How many of the last symbols were a context that sessions go on from.
        seen: How often these were seen one after the other.
        ended: How often they ended a session.
    """

    pages: pl.DataFrame
    used: int
    seen: int
    ended: int


def predict(model: BackOff, last: Ints) -> Prediction:
    """The pages by their probability to come next.

    Args:
        model: The model.
        last: The symbols of the last pages, oldest first, after the start if they are the whole session.
    """
    names = model.counts.pages.names
    shares, count = model.probabilities[0].copy(), model.levels[0].counts.copy()
    after = np.zeros(len(shares), dtype=np.int64)
    seen = ended = 0
    chain = _chain(model, last)
    for length, (context, rows) in enumerate(chain, start=1):
        level = model.levels[length]
        following = level.symbols[rows]
        shares *= model.weights[length][context]
        shares[following], count[following] = model.probabilities[length][rows], level.counts[rows]
        after[following] = length
        seen = int(model.levels[length - 1].counts[context])
        ended = seen - int(level.counts[rows].sum())
    order = np.argsort(-shares[: len(names)], kind="stable")
    frame = pl.DataFrame(
        {
            "rank": np.arange(1, len(names) + 1),
            "page": names.gather(order),
            "probability": shares[order],
            "count": count[order],
            "context": _contexts(model, last, len(chain)).gather(after[order]),
        }
    )
    return Prediction(frame, len(chain), seen, ended)


def _chain(model: BackOff, last: Ints) -> list[tuple[int, slice]]:
    """The contexts at the end, of one symbol and more, that sessions go on from.

    Each is an id, and where what follows is among the n-grams that are longer by one.
    """
    found = []
    known = grams.ids(model.levels[:-1], last)
    for ids, level in zip(known, model.levels[1:], strict=True):
        first, end = level.rows(ids[-1:])
        if not (first < end).any():
            break
        found.append((int(ids[-1]), slice(int(first[0]), int(end[0]))))
    return found


def _contexts(model: BackOff, last: Ints, longest: int) -> pl.Series:
    """The last 0, 1, ... symbols in words; null for none."""
    names = model.counts.pages.names.to_list() if longest else []
    words = [START if symbol == len(names) else names[symbol] for symbol in last[len(last) - longest :].tolist()]
    return pl.Series([None, *(" > ".join(words[at:]) for at in range(longest - 1, -1, -1))], dtype=pl.String)
