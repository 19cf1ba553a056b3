"""How well models predict the next page: the exact rank of every page that came, among all pages.

No table of steps by pages is made. After a context, the pages that were never seen there stand in the order that they
have after the shorter context. So the pages before a page are found by bisection in what was seen after each context
of the chain, less those that the next longer context has taken out of that order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from plugins.paths import grams, prediction
from plugins.paths.corpus import Corpus, Flags, Ints
from plugins.paths.grams import NONE, Grams, Stream
from plugins.paths.prediction import BackOff, Counts, Floats

MODELS: Final[dict[str, Callable[[Counts], BackOff]]] = {
    "kneser-ney": prediction.kneser_ney,
    "first order": prediction.first_order,
    "popularity": prediction.popularity,
}

HITS: Final = (1, 5, 10)
"""Among how many pages the one that came is looked for."""


@dataclass(frozen=True)
class Steps:
    """Views that have a view before them in their session.

    Attributes:
        contexts: Of each length from 0, the id of the last symbols before each step; `NONE` if unknown. Each of shape
            (steps,).
        came: The symbol of the page that came; `NONE` if no session that was counted has it. Shape (steps,).
    """

    contexts: list[Ints]
    came: Ints

    @classmethod
    def of(cls, corpus: Corpus, counts: Counts) -> "Steps":
        """The steps of a corpus, which has the same pages as the one that was counted."""
        stream = Stream.of(corpus, counts.pages)
        at = np.flatnonzero(stream.place >= 2)
        known = grams.ids(counts.levels[:-1], stream.symbols)
        return cls([np.zeros(len(at), dtype=np.int64), *(ids[at - 1] for ids in known)], stream.symbols[at])

    def take(self, steps: Ints) -> "Steps":
        """Some of the steps."""
        return Steps([context[steps] for context in self.contexts], self.came[steps])


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    Attributes:
        models: One row a model: `model`, `steps`, `hit_rate_1`, `hit_rate_5`, `hit_rate_10`, `mrr`; none without steps.
        unknown: At how many steps a page came that the older sessions do not have.
    """

    models: pl.DataFrame
    unknown: int


def split(corpus: Corpus, test_share: float) -> tuple[Corpus, Corpus]:
    """The older sessions, to learn from, and the newest, to test with: a share of all, rounded.

    At least one session is on each side, unless there are fewer than two: then none is tested.
    """
    tested = min(max(1, round(corpus.sessions * test_share)), max(0, corpus.sessions - 1))
    older = corpus.sessions - tested
    return corpus.take(np.arange(older)), corpus.take(np.arange(older, corpus.sessions))


def compare(older: Corpus, newest: Corpus, order: int) -> Comparison:
    """Learn from older sessions, and measure each of `MODELS` at every step of the newest.

    Args:
        older: Sessions to learn from.
        newest: Sessions to test with, whose pages have the same codes.
        order: How many of the last symbols `kneser-ney` takes into account.
    """
    rates = (*(f"hit_rate_{most}" for most in HITS), "mrr")
    schema = {"model": pl.String, "steps": pl.Int64} | dict.fromkeys(rates, pl.Float64)
    counts = Counts.of(older, order)
    steps = Steps.of(newest, counts)
    unknown = int(np.count_nonzero(steps.came == NONE))
    rows = [(name, *measures(ranks(make(counts), steps))) for name, make in MODELS.items()] if len(steps.came) else []
    return Comparison(pl.DataFrame(rows, schema=schema, orient="row"), unknown)


def measures(found: Ints) -> tuple[float, ...]:
    """The number of steps, the hit rate at each of `HITS`, and the mean reciprocal rank.

    Args:
        found: The rank of the page that came, from 1; 0 if the model does not know it. Shape (steps,), of one or more.
    """
    known = found[found > 0]
    hits = (np.count_nonzero(known <= most) / len(found) for most in HITS)
    return len(found), *hits, float(np.sum(1 / known) / len(found))


def ranks(model: BackOff, steps: Steps) -> Ints:
    """At each step, the rank of the page that came among all pages; 0 if the model does not know it. Shape (steps,).

    Pages come by their probability; equal ones by their views, then by name.
    """
    known = np.flatnonzero(steps.came != NONE)
    found = np.zeros(len(steps.came), dtype=np.int64)
    if len(known):
        _, first, like = np.unique(_kinds(model, steps)[known], return_index=True, return_inverse=True)
        found[known] = _before(model, steps.take(known[first]))[like] + 1
    return found


def _kinds(model: BackOff, steps: Steps) -> Ints:
    """A number that is the same for steps to the same page after the same known context."""
    kinds, base = steps.contexts[0], 1
    for level, ids in zip(model.levels[:-1], steps.contexts[1:], strict=False):
        kinds = np.where(ids == NONE, kinds, base + ids)
        base += len(level.keys)
    return kinds * (len(model.counts.pages.names) + 1) + steps.came


def _before(model: BackOff, steps: Steps) -> Ints:
    """How many pages come before the one that came, which the model knows."""
    levels = list(zip(model.levels, model.probabilities, steps.contexts, strict=False))
    weights = zip(model.weights, steps.contexts, strict=False)
    factors = [np.where(ids == NONE, 1.0, weight[ids]) for weight, ids in weights]
    share = model.probabilities[0][steps.came]
    for (level, probabilities, ids), factor in zip(levels[1:], factors[1:], strict=True):
        gram = level.find(ids, steps.came)
        share = np.where(gram == NONE, factor * share, probabilities[gram])
    before = np.zeros(len(share), dtype=np.int64)
    for length, (level, probabilities, ids) in enumerate(levels):
        at = np.flatnonzero(ids != NONE)
        rival = _Rivals(share[at], steps.came[at], [factor[at] for factor in factors[length:]])
        before[at] += rival.after(level, probabilities, ids[at], longer=1)
        if length:
            before[at] -= rival.after(level, model.probabilities[length - 1][level.shorter], ids[at], longer=0)
    return before


@dataclass(frozen=True)
class _Rivals:
    """Counts the pages that come before the one that came.

    Attributes:
        share: The probability of the page that came; shape (steps,).
        came: Its symbol; shape (steps,).
        factors: By what a probability is multiplied from one context to the next longer; each of shape (steps,).
    """

    share: Floats
    came: Ints
    factors: list[Floats]

    def after(self, level: Grams, shares: Floats, contexts: Ints, *, longer: int) -> Ints:
        """How many of the pages seen after the context of each step come before.

        Args:
            level: The n-grams that say what is seen after which context.
            shares: A probability of each of them.
            contexts: The context of each step; shape (steps,).
            longer: From which of the factors on these probabilities are multiplied.
        """
        rows, begin, end = _listed(level, shares, contexts)
        shares, symbols = shares[rows], level.symbols[rows]

        def scaled(at: Ints, steps: Ints) -> Floats:
            found = shares[at]
            for factor in self.factors[longer:]:
                found = found * factor[steps]
            return found

        higher = _bisect(begin, end, lambda at, steps: scaled(at, steps) > self.share[steps])
        tied = np.flatnonzero(higher < end)
        tied = tied[scaled(higher[tied], tied) == self.share[tied]]
        share, first = self.share[tied], higher[tied]
        last = _bisect(first, end[tied], lambda at, each: scaled(at, tied[each]) == share[each])
        found = higher - begin
        found[tied] += _smaller(symbols, first, last, self.came[tied])
        return found


def _listed(level: Grams, shares: Floats, contexts: Ints) -> tuple[Ints, Ints, Ints]:
    """What is seen after contexts, the likeliest first, equal ones by symbol.

    Returns:
        The n-grams, context by context, and where those of each of the given contexts begin and end among them.
    """
    used, like = np.unique(contexts, return_inverse=True)
    first, end = level.rows(used)
    sizes = end - first
    rows = grams.spread(first, sizes)
    order = np.lexsort((-shares[rows], np.repeat(np.arange(len(used)), sizes)))  # stable: they were by symbol
    ends = np.cumsum(sizes)
    return rows[order], (ends - sizes)[like], ends[like]


def _bisect(first: Ints, end: Ints, ahead: Callable[[Ints, Ints], Flags]) -> Ints:
    """The first row of each span for which `ahead(rows, spans)` is no longer true, all spans at once."""
    low, high = first.copy(), end.copy()
    spans = np.flatnonzero(low < high)
    while len(spans):
        middle = (low[spans] + high[spans]) // 2
        yes = ahead(middle, spans)
        low[spans[yes]] = middle[yes] + 1
        high[spans[~yes]] = middle[~yes]
        spans = spans[low[spans] < high[spans]]
    return low


def _smaller(symbols: Ints, first: Ints, end: Ints, than: Ints) -> Ints:
    """How many symbols of each span are smaller than a given one; no span is empty."""
    found = np.zeros(len(first), dtype=np.int64)
    falls = np.concatenate(([0], np.cumsum(symbols[1:] < symbols[:-1])))
    rising = falls[end - 1] == falls[first]
    easy, hard = np.flatnonzero(rising), np.flatnonzero(~rising)
    found[easy] = _bisect(first[easy], end[easy], lambda at, each: symbols[at] < than[easy[each]]) - first[easy]
    # Probabilities that differ can be rounded to equal ones by what they are multiplied with: very rare.
    sizes = end[hard] - first[hard]
    smaller = symbols[grams.spread(first[hard], sizes)] < np.repeat(than[hard], sizes)
    found[hard] = np.bincount(np.repeat(np.arange(len(hard)), sizes), smaller, minlength=len(hard)).astype(np.int64)
    return found
