"""The section `customers` of the configuration."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Rounding = Literal["down", "nearest", "up"]
Rate = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class PointsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What orders earn."""

    per_unit: Annotated[Rate, Meta(description="Points for each unit of money.")] = 1.0
    categories: Annotated[
        dict[str, Rate], Meta(description="Points for each unit of money of lines of these categories.")
    ] = msgspec.field(default_factory=dict)
    rounding: Annotated[
        Rounding, Meta(description="How the points of an order become a whole number: down, nearest or up.")
    ] = "down"
    expire_months: Annotated[
        Annotated[int, Meta(ge=1, le=1200)] | None,
        Meta(description="After how many months points expire; unset, they never do."),
    ] = None
    unearned: Annotated[
        list[str], Meta(description="Lines of orders with one of these in `status` earn nothing, such as cancelled.")
    ] = msgspec.field(default_factory=list)


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A tier of loyalty: who has reached all of its bounds belongs to it."""

    name: Annotated[str, Meta(min_length=1, description="What the tier is called.")]
    spent: Annotated[Rate | None, Meta(description="So much money was spent, less what was returned.")] = None
    orders: Annotated[Count | None, Meta(description="So many orders.")] = None
    points: Annotated[Count | None, Meta(description="So many points earned by orders.")] = None

    def __post_init__(self) -> None:
        if self.spent is self.orders is self.points is None:
            raise ValueError(f"the tier {self.name} needs a bound: spent, orders or points")


class CustomersConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Customers: segments, points and tiers."""

    segments: Annotated[
        str | None,
        Meta(description="File of the rules of `crm customers segment`, relative to this file."),
    ] = None
    quantify: Annotated[
        dict[str, dict[str, float] | list[str]],
        Meta(
            description="Numbers for the words of columns, such as `education: {本科: 1, 博士: 3}`, or a list of "
            "words, which counts from 1; for classes and clusters."
        ),
    ] = msgspec.field(default_factory=dict)
    points: PointsConfig = PointsConfig()
    tiers: Annotated[list[Tier], Meta(description="The tiers of loyalty, lowest first.")] = msgspec.field(
        default_factory=list
    )
    tier_months: Annotated[
        Annotated[int, Meta(ge=1, le=1200)], Meta(description="From how many of the last months the tier is made.")
    ] = 12

    def __post_init__(self) -> None:
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            raise ValueError("a tier is there twice")


__all__ = ["CustomersConfig", "PointsConfig", "Rounding", "Tier"]
