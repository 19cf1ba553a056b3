"""The section `interest` of the configuration."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from crm.units import Span

Weight = Annotated[float, Meta(ge=-1000, le=1000)]
_MOST_SHRINK: Final = 1_000_000


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """How much an event of each kind tells, on the day on which it happens."""

    view: Annotated[Weight, Meta(description="A page is viewed.")] = 1.0
    dwell: Annotated[Weight, Meta(description="A minute on a page, each view up to ten minutes.")] = 0.2
    search: Annotated[Weight, Meta(description="A term is looked for.")] = 3.0
    cart: Annotated[Weight, Meta(description="An item is put into the cart.")] = 4.0
    order: Annotated[Weight, Meta(description="A line of an order.")] = 6.0
    opened: Annotated[Weight, Meta(description="A message is opened.")] = 0.5
    clicked: Annotated[Weight, Meta(description="A link of a message is followed.")] = 2.0
    converted: Annotated[Weight, Meta(description="What a message was about is bought.")] = 6.0
    dismissed: Annotated[Weight, Meta(description="A message, or an item in it, is not wanted.")] = -4.0

    def by_kind(self) -> Mapping[str, float]:
        """The weight of each kind of events by its name."""
        return {name: float(getattr(self, name)) for name in self.__struct_fields__}


class InterestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How interests are worked out of what people do."""

    half_life: Annotated[
        Span, Meta(description="After so long an event tells half as much; ages count in whole days.")
    ] = Span(days=30)
    shrink: Annotated[
        Annotated[float, Meta(gt=0, le=_MOST_SHRINK)],
        Meta(description="How much of what is known of somebody counts as not known: weights of few events are small."),
    ] = 5.0
    weights: Weights = Weights()

    @property
    def half_life_days(self) -> float:
        """The half-life in days."""
        return self.half_life / timedelta(days=1)
