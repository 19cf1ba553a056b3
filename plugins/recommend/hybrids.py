"""Recommenders made of others: weighted, switching and layered (Burke, "Hybrid recommender systems", 2002).

The fourth way, features in one model, is `plugins.recommend.ease` with side information.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, Self

import numpy as np
import polars as pl

from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import Count, NotNegative, Positive
from plugins.recommend.content import Content
from plugins.recommend.ease import Ease
from plugins.recommend.interactions import Bools, Floats, Interactions, Ints, Profiles
from plugins.recommend.interest_ranking import InterestRanking
from plugins.recommend.item_neighbours import ItemNeighbours
from plugins.recommend.loglinear import PENALTY, LogLinear
from plugins.recommend.ranking import top

SIDE: Final = 20.0
"""How much features count beside people, unless the user says otherwise."""

DROPOUT: Final = 0.3


class Hybrid(ItemRanker):
    """What has parts that learn the same. A reason is that of the first part that has one."""

    parts_: Sequence[ItemRanker]

    def _learn(self, known: Interactions) -> None:
        self.parts_ = self._parts()
        for part in self.parts_:
            part.learn(known)

    @abstractmethod
    def _parts(self) -> Sequence[ItemRanker]: ...

    def know(self, known: Interactions) -> Self:
        """Know these people; so do the parts."""
        for part in self.parts_:
            part.know(known)
        return super().know(known)

    def inform(self, interests: pl.DataFrame) -> Self:
        """Know these interests; so do the parts."""
        for part in self.parts_:
            part.inform(interests)
        return self

    def knows(self, profiles: Profiles) -> Bools:
        """Of whom some part knows anything; shape (people,)."""
        return np.asarray(np.any([part.knows(profiles) for part in self.parts_], axis=0))

    def reasons(self, profiles: Profiles, rows: Ints, columns: Ints, titles: pl.Series) -> pl.Series:
        """What the first part that has a reason says; the arguments are those of the base."""
        said = [part.reasons(profiles, rows, columns, titles) for part in self.parts_]
        return pl.select(pl.coalesce(said)).to_series()


class Weighted(Hybrid):
    """The weighted sum of the scores of a log-linear model, item neighbours (cosine) and the ranking by interests.

    The scores of each part are divided by the sum of those of the items that somebody has not taken up, so that they
    are shares; scores below 0 count as 0.

    Args:
        weights: Of the three parts.
        penalty: Of the log-linear model.
    """

    def __init__(
        self, weights: tuple[NotNegative, NotNegative, NotNegative] = (1.0, 0.3, 0.3), penalty: NotNegative = PENALTY
    ) -> None:
        self.weights = weights
        self.penalty = penalty

    def _parts(self) -> Sequence[ItemRanker]:
        return (LogLinear(penalty=self.penalty), ItemNeighbours("cosine"), InterestRanking())

    def evidence(self, profiles: Profiles) -> Floats:
        """The weighted sum of what the parts say; shape (people, items)."""
        return blended(self.parts_, self.weights, profiles)


def blended(parts: Sequence[ItemRanker], weights: Sequence[float], profiles: Profiles) -> Floats:
    """The weighted sum of normalised scores; shape (people, items)."""
    found: Floats = np.zeros(profiles.weights.shape)
    own = (profiles.weights > 0).toarray()
    for part, weight in zip(parts, weights, strict=True):
        if weight:
            scores = np.maximum(part.evidence(profiles), 0)
            others = np.where(own, 0, scores).sum(axis=1)
            found += weight * scores / np.where(others > 0, others, 1)[:, None]
    return found


class Switching(Hybrid):
    """A log-linear model for whom there is enough evidence, content for others; popularity for strangers.

    The evidence is the number of people that the model has learnt somebody's items from: those with more than one item,
    counted once for each item in common.

    Args:
        least: How much evidence is enough.
        penalty: Of the log-linear model.
    """

    def __init__(self, least: NotNegative = 20, penalty: NotNegative = PENALTY) -> None:
        self.least = least
        self.penalty = penalty

    def _parts(self) -> Sequence[ItemRanker]:
        return (LogLinear(penalty=self.penalty), Content())

    def _learn(self, known: Interactions) -> None:
        super()._learn(known)
        values = known.profiles.values()
        self.support_ = np.asarray(values[np.flatnonzero(known.profiles.sizes > 1)].sum(axis=0)).ravel()

    def _enough(self, profiles: Profiles) -> Bools:
        return np.asarray(profiles.values() @ self.support_ >= self.least)

    def evidence(self, profiles: Profiles) -> Floats:
        """What the part says that there is enough evidence for; shape (people, items)."""
        model, content = self.parts_
        return np.where(self._enough(profiles)[:, None], model.evidence(profiles), content.evidence(profiles))

    def reasons(self, profiles: Profiles, rows: Ints, columns: Ints, titles: pl.Series) -> pl.Series:
        """What the part says that somebody's items come from; the arguments are those of the base."""
        model, content = (part.reasons(profiles, rows, columns, titles) for part in self.parts_)
        enough = pl.Series(self._enough(profiles)[rows])
        return pl.select(pl.when(enough).then(model).otherwise(content)).to_series()


class Layered(Hybrid):
    """Item neighbours and content pick candidates, linear regression with features ranks them.

    Args:
        candidates: How many are picked for each, beside the items that somebody has taken up.
        penalty: Of the regression.
        side: How much features count in it.
    """

    def __init__(self, candidates: Count = 50, penalty: Positive = 100.0, side: NotNegative = SIDE) -> None:
        self.candidates = candidates
        self.penalty = penalty
        self.side = side

    def _parts(self) -> Sequence[ItemRanker]:
        ranking = Ease(self.penalty, dropout=DROPOUT, side=self.side)
        return (ranking, ItemNeighbours("conditional"), Content())

    def evidence(self, profiles: Profiles) -> Floats:
        """What the last part says of candidates, 0 for other items; shape (people, items)."""
        ranking, *picking = self.parts_
        picks = blended(picking, (1.0, 1.0), profiles)
        own = profiles.weights.nonzero()
        picks[own] = -np.inf
        rows, columns = top(np.where(picks > 0, picks, -np.inf), self.candidates)
        found: Floats = np.zeros_like(picks)
        scores = ranking.evidence(profiles)
        for place in ((rows, columns), own):
            found[place] = scores[place]
        return found
