"""The section `push.tiers` of the configuration: by what customers are graded, and how grades are cut into tiers."""

from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Direction = Literal["up", "down"]
Scale = Literal["maximum", "min-max", "mean"]
By = Literal["quantile", "grade"]
TIER = "tier:"
"""Before the name of a tier, which is stored as a segment."""

Cut = Annotated[float, Meta(ge=0, le=1)]


class FeatureConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A column by which customers are graded."""

    direction: Annotated[Direction, Meta(description="Whether much of it is good (up), or little (down).")] = "up"
    weight: Annotated[float, Meta(gt=0, description="How much it counts.")] = 1.0
    ideal: Annotated[float | None, Meta(description="The best value; unset, the best that there is.")] = None


def _features() -> dict[str, FeatureConfig]:
    down = FeatureConfig(direction="down")
    return {"orders": FeatureConfig(), "spent": FeatureConfig(), "recency": down, "visits": FeatureConfig()}


class TiersConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Grey relational tiers of customers."""

    features: Annotated[
        dict[str, FeatureConfig],
        Meta(description="Columns: orders, spent, mean_order, recency, visits, views, last_visit, points, nps, csat."),
    ] = msgspec.field(default_factory=_features)
    rho: Annotated[
        Annotated[float, Meta(gt=0, le=1)], Meta(description="The distinguishing coefficient ρ, above 0, at most 1.")
    ] = 0.5
    scale: Annotated[
        Scale, Meta(description="How columns are made dimensionless: by their maximum, min-max, or by their mean.")
    ] = "maximum"
    by: Annotated[By, Meta(description="What cuts are: quantiles of customers, or grades.")] = "quantile"
    cuts: Annotated[tuple[Cut, ...], Meta(description="Where tiers begin, rising; the lowest tier is below all.")] = (
        0.5,
        0.8,
    )
    names: Annotated[tuple[str, ...], Meta(description="Names of the tiers, lowest first: one more than cuts.")] = (
        "C",
        "B",
        "A",
    )

    def __post_init__(self) -> None:
        if problem := wrong(self.cuts, self.names):
            raise ValueError(problem)


def wrong(cuts: tuple[float, ...], names: tuple[str, ...]) -> str | None:
    """What is wrong with cuts and names of tiers; None if nothing is."""
    if any(low >= high for low, high in pairwise(cuts)):
        return "cuts rise"
    if len(names) != len(cuts) + 1:
        return f"{len(cuts)} cuts make {len(cuts) + 1} tiers, and there are {len(names)} names"
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        return "tiers need names, each its own"
    return None
