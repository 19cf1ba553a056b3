"""What all recommenders here share: blocks of people, the cold start, filters, the best items, and reasons."""

from abc import ABC, abstractmethod
from typing import Final, Self

import numpy as np
import polars as pl

from crm.recommending import Allowed
from plugins.recommend.bounds import Positive
from plugins.recommend.interactions import KINDS, Bools, Floats, Interactions, Ints, Profiles, Sparse, entries_at
from plugins.recommend.popularity import HALF_LIFE, shares
from plugins.recommend.ranking import Filter, blocks, filled, places, top

POPULAR: Final = "popular"
RECOMMENDED: Final = {
    "who": pl.String(),
    "rank": pl.Int64(),
    "item": pl.String(),
    "score": pl.Float64(),
    "reason": pl.String(),
}
_WORDS: Final = {
    "view": "because you viewed",
    "cart": "because you put in your cart",
    "order": "because you bought",
    "opened": "because you opened a message about",
    "clicked": "because you clicked on",
    "converted": "because you bought",
}
_BECAUSE: Final = ("because of", "because of", *(_WORDS[kind] for kind in KINDS))
"""What is said of the item that speaks most for another, by the code of the kind of its event (`Profiles.kinds`)."""


class ItemRanker(ABC):
    """A recommender that scores all items at once for a block of people.

    A subclass says what it learns (`_learn`) and how it scores (`evidence`): above 0 for what it has evidence of, 0 for
    what it has none of. Items without evidence follow by popularity; people of whom nothing is known get popularity
    alone, in which recent events count more.
    """

    known_: Interactions
    popularity_: Floats
    half_life: float | None = HALF_LIFE

    def fit(self, events: pl.DataFrame, items: pl.DataFrame) -> Self:
        """Learn from events; see `crm.recommending.Recommender`."""
        return self.learn(Interactions.of(events, items))

    def learn(self, known: Interactions) -> Self:
        """Learn from events that are a matrix already."""
        self.popularity_ = shares(known, self.half_life)
        self._learn(known)
        return self.know(known)

    def meet(self, events: pl.DataFrame) -> Self:
        """Know other people from now on, by their events, without learning from them."""
        return self.know(self.known_.meeting(events))

    def know(self, known: Interactions) -> Self:
        """The same of events that are a matrix already, over the same items."""
        self.known_ = known
        return self

    def inform(self, interests: pl.DataFrame) -> Self:  # noqa: ARG002 - what subclasses are given
        """Know what people are interested in, as `crm.interest.building.current` gives it; most have no use for it."""
        return self

    def recommend(self, who: pl.Series, k: int, allowed: Allowed) -> pl.DataFrame:
        """Rank items for people; see `crm.recommending.Recommender`."""
        rows = self.known_.people_of(who)
        filters = Filter(self.known_, who, allowed)
        titles = self.known_.names()
        found = [pl.DataFrame(schema=RECOMMENDED)]
        for block in blocks(len(who), len(self.known_.items)):
            profiles = self.known_.profiles.taken(rows[block], who[block].cast(pl.String))
            scores = self.scores(profiles)
            filters.apply(scores, block)
            of, columns = top(scores, k)
            found.append(
                pl.DataFrame(
                    {
                        "who": who[block].cast(pl.String).gather(of),
                        "rank": places(of),
                        "item": self.known_.items.gather(columns),
                        "score": scores[of, columns],
                        "reason": self.reasons(profiles, of, columns, titles).fill_null(POPULAR),
                    },
                    schema=RECOMMENDED,
                )
            )
        return pl.concat(found)

    def scores(self, profiles: Profiles) -> Floats:
        """Scores of all items for people, with cold start and popularity; shape (people, items)."""
        found = filled(self.evidence(profiles), self.popularity_)
        found[~self.knows(profiles)] = self.popularity_
        return found

    def knows(self, profiles: Profiles) -> Bools:
        """Of whom anything is known; shape (people,)."""
        return np.asarray(profiles.sizes > 0)

    def reasons(self, profiles: Profiles, rows: Ints, columns: Ints, titles: pl.Series) -> pl.Series:
        """Why items are recommended, in words; null where they are merely popular.

        Args:
            profiles: What people have taken up.
            rows: People.
            columns: For each the item that is recommended.
            titles: Names of all items.
        """
        best = self._because(profiles, rows, columns)
        kinds = np.zeros(len(rows), dtype=np.int64)
        there = np.flatnonzero(best >= 0)
        kinds[there] = entries_at(profiles.kinds, rows[there], best[there])
        words = pl.Series(_BECAUSE).gather(kinds)
        names = pl.select(pl.when(pl.Series(best >= 0)).then(titles.gather(np.maximum(best, 0)))).to_series()
        return pl.select(pl.concat_str(words, names, separator=" ")).to_series()

    @abstractmethod
    def _learn(self, known: Interactions) -> None: ...

    @abstractmethod
    def evidence(self, profiles: Profiles) -> Floats:
        """Scores of all items by what is known of people, 0 for no evidence; shape (people, items)."""

    def _ties(self, profiles: Profiles, own: Ints, other: Ints) -> Floats:  # noqa: ARG002 - what subclasses are given
        """How much an item that somebody has taken up speaks for another; 0 or less for not at all; shape (pairs,)."""
        return np.zeros(len(own))

    def _because(self, profiles: Profiles, rows: Ints, columns: Ints) -> Ints:
        """The item of each person that speaks most for another, not that item itself; -1 for none; shape (rows,)."""
        counts = profiles.sizes[rows]
        entry, own = entries(profiles.weights, rows, counts)
        ties = self._ties(profiles, own, columns[entry]) * (own != columns[entry])
        best = np.full(len(rows), -1, dtype=np.int64)
        order = np.lexsort((-own, ties, entry))  # the last of each entry is the strongest, the first item of equals
        order = order[ties[order] > 0]
        best[entry[order]] = own[order]
        return best


def entries(matrix: Sparse, rows: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """All columns of rows of a matrix, one behind the other.

    Args:
        matrix: In CSR format.
        rows: Some of its rows.
        counts: How many columns each of these has.

    Returns:
        To which of `rows` (as a place in it) a column belongs, and the column.
    """
    entry = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(entry)) - np.repeat(np.cumsum(counts) - counts, counts)
    own = matrix.indices[matrix.indptr[rows][entry] + within]
    return entry, np.asarray(own, dtype=np.int64)


class Popularity(ItemRanker):
    """What most people have taken up, recent events more; the same for everybody.

    Args:
        half_life: After so many days an event counts half; None to count all alike.
    """

    def __init__(self, half_life: Positive | None = HALF_LIFE) -> None:
        self.half_life = half_life

    def _learn(self, known: Interactions) -> None:
        pass

    def evidence(self, profiles: Profiles) -> Floats:
        """The popularity of items, alike for everybody; shape (people, items)."""
        return np.tile(self.popularity_, (len(profiles.people), 1))
