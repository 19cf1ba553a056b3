"""What a recommender is: fitted on events, it ranks items for people, and says why.

Recommenders are registered by the hook `recommenders`; `crm recommend` and `crm push` use them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Allowed:
    """What may be recommended.

    Attributes:
        items: These items alone; None for all that the recommender knows.
        without: Pairs `who`, `item` that are left out: what somebody has seen, bought, or does not want. None for none.
    """

    items: "pl.Series | None" = None
    without: "pl.DataFrame | None" = None


class Recommender(Protocol):
    """Something that ranks items for people, in the style of scikit-learn: `__init__` only stores parameters.

    It may have two more methods, called after `fit` by whoever has what they take. `inform(interests)` gives it the
    interests of people (`who`, `level`, `key`, `weight`, `stance`), which know more than events of items tell.
    `meet(events)` makes people known by events from which nothing is learnt. Both return the recommender itself.
    """

    def fit(self, events: "pl.DataFrame", items: "pl.DataFrame") -> "Recommender":
        """Learn from events.

        Args:
            events: `who` (text), `item` (text), `ts` (UTC; may be null), `weight` (above 0): any number of rows a pair.
            items: The catalogue as `crm.catalog.items` gives it; it may be empty, and lack items of the events.

        Returns:
            The recommender itself.
        """
        ...

    def recommend(self, who: "pl.Series", k: int, allowed: Allowed) -> "pl.DataFrame":
        """Rank items for people.

        Args:
            who: Distinct people; those whom the recommender does not know get what its cold start gives.
            k: How many items at most for each.
            allowed: What may be recommended.

        Returns:
            `who`, `rank` (from 1), `item`, `score`, `reason` (a text for people, such as "because you viewed 1001"),
            in the order of `who` and rank. Equal scores are in the order of items, so that the same input gives the
            same output.
        """
        ...
