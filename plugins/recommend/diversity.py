"""Lists that are less of the same."""

from typing import Final

import polars as pl

from crm.diversity import diversified
from crm.recommending import Allowed, Recommender

POOL: Final = 5
"""Of each person's best POOL·k items k are chosen."""


class Diverse:
    """A recommender whose lists are chosen for being different from each other, too (`crm.diversity`).

    Args:
        inner: The recommender.
        diversity: 0 for the lists as they are, 1 for the greatest difference.
    """

    def __init__(self, inner: Recommender, diversity: float) -> None:
        self.inner = inner
        self.diversity = diversity

    def fit(self, events: pl.DataFrame, items: pl.DataFrame) -> "Diverse":
        """Learn from events; see `crm.recommending.Recommender`."""
        self.items_ = items
        self.inner.fit(events, items)
        return self

    def recommend(self, who: pl.Series, k: int, allowed: Allowed) -> pl.DataFrame:
        """Rank items for people; see `crm.recommending.Recommender`."""
        return diversified(self.inner.recommend(who, POOL * k, allowed), self.items_, self.diversity, k)
