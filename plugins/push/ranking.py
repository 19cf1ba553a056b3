"""The recommender of a campaign, fitted; where the campaign's parameters do not work, that is what is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crm.errors import Unusable

if TYPE_CHECKING:
    import polars as pl

    from crm.recommending import Allowed, Recommender
    from plugins.push.campaign import Campaign


class Ranker:
    """Ranks items for a campaign.

    Args:
        recommender: The recommender that the campaign names.
        campaign: The campaign.
        events: `who`, `item`, `ts`, `weight`, as `Recommender.fit` takes them.
        items: The catalogue.
        interests: `who`, `level`, `key`, `weight`, `stance`, for those that rank by interests.

    Raises:
        Unusable: it does not work with the parameters of the campaign.
    """

    def __init__(
        self,
        recommender: "Recommender",
        campaign: "Campaign",
        events: "pl.DataFrame",
        items: "pl.DataFrame",
        interests: "pl.DataFrame",
    ) -> None:
        self._campaign = campaign
        with _told(campaign):
            self._fitted = recommender.fit(events, items)
            inform = getattr(self._fitted, "inform", None)
            if inform is not None:  # these know more than events of items tell
                inform(interests)

    def recommend(self, who: "pl.Series", k: int, allowed: "Allowed") -> "pl.DataFrame":
        """As `Recommender.recommend`.

        Raises:
            Unusable: it does not work with the parameters of the campaign.
        """
        with _told(self._campaign):
            return self._fitted.recommend(who, k, allowed)


@contextmanager
def _told(campaign: "Campaign") -> Iterator[None]:
    """Where the campaign gives parameters, what goes wrong is told as theirs; else it is a bug."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if not campaign.parameters:
            raise
        raise Unusable(
            f"the campaign {campaign.name}: `parameters`: {campaign.algorithm} does not work with "
            f"{_listed(campaign.parameters)} ({type(error).__name__}); `crm recommend algorithms` shows values that do"
        ) from error


def _listed(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value!r}" for name, value in parameters.items())
