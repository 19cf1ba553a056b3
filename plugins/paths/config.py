"""The section `paths` of the configuration."""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]


class MinedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What `crm logs mine` keeps of paths, patterns and rules."""

    top_paths: Annotated[
        Annotated[int, Meta(ge=0)], Meta(description="How many paths of each date, the most frequent; 0 for none.")
    ] = 100

    sessions: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Of how many sessions patterns and rules are made, the newest; 0 to make none."),
    ] = 20_000
    min_support: Annotated[
        Annotated[float, Meta(gt=0, le=1)], Meta(description="In which share of these sessions at least.")
    ] = 0.01
    min_sessions: Annotated[Count, Meta(description="In how many of them at least, however few they are.")] = 10
    min_confidence: Annotated[
        Annotated[float, Meta(ge=0, le=1)], Meta(description="Confidence of a rule at least.")
    ] = 0.5
    max_candidates: Annotated[Count, Meta(description="How many patterns, and how many itemsets, at most.")] = 100_000


class PathsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Mining of paths."""

    max_views: Annotated[
        Count, Meta(description="Of a longer session, patterns, rules, clusters and the like see its first views only.")
    ] = 500
    max_candidates: Annotated[
        Count, Meta(description="How many patterns, or itemsets, a command keeps at most: the most frequent.")
    ] = 1_000_000
    mined: MinedConfig = MinedConfig()
