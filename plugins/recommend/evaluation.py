"""Recommenders against hidden items: fit, recommend, measure; and the choice of parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import Any, Final

import polars as pl

from crm.hookspecs import Algorithm
from crm.recommending import Allowed, Recommender
from plugins.recommend.metrics import coverage, means, novelty, per_person
from plugins.recommend.splitting import Split

GOAL: Final = "ndcg"
"""The measure by which parameters are chosen."""


@dataclass(frozen=True)
class Lists:
    """What a recommender gave.

    Attributes:
        rows: `who`, `rank`, `item` and whatever else it gives.
        fit_s: How long it learnt, in seconds.
        query_s: How long all lists took, in seconds.
    """

    rows: pl.DataFrame
    fit_s: float
    query_s: float


def lists_of(recommender: Recommender, split: Split, items: pl.DataFrame, k: int) -> Lists:
    """Learn from a split's training, and recommend k items to everybody of whom something is hidden.

    What is known of these people is not recommended. A recommender that cannot meet people without learning from them
    (it has no method `meet`) learns from their profiles, too.
    """
    who = split.hidden["who"].unique().sort()
    meet = getattr(recommender, "meet", None)
    learnt = split.training
    if split.profiles is not None and meet is None:
        learnt = pl.concat([split.training, split.profiles], how="vertical_relaxed")
    begin = perf_counter()
    recommender.fit(learnt, items)
    fitted = perf_counter()
    if split.profiles is not None and meet is not None:
        meet(split.profiles)
    without = split.known.join(who.to_frame(), on="who", how="semi")
    rows = recommender.recommend(who, k, Allowed(without=without))
    return Lists(rows, fitted - begin, perf_counter() - fitted)


def judged(
    lists: Lists, split: Split, items: pl.DataFrame, k: int, times: int = 0, seed: int = 0
) -> Mapping[str, float]:
    """Measures of lists: means with intervals, coverage and novelty."""
    found = means(per_person(lists.rows, split.hidden, k), times, seed)
    there = pl.concat([split.training["item"].cast(pl.String), items["item"].cast(pl.String)]).n_unique()
    return {**found, "coverage": coverage(lists.rows, there), "novelty": novelty(lists.rows, split.training)}


def settings(algorithm: Algorithm) -> Iterator[dict[str, Any]]:
    """All combinations of the values that an algorithm wants to be tried."""
    names = list(algorithm.parameters)
    for values in product(*algorithm.parameters.values()):
        yield dict(zip(names, values, strict=True))


def tuned(algorithm: Algorithm, split: Split, items: pl.DataFrame, k: int) -> tuple[dict[str, Any], float]:
    """The parameters with the best NDCG on a split; of equals those that are tried first.

    Args:
        algorithm: Which.
        split: Made of what is learnt alone (`plugins.recommend.splitting.validation`).
        items: The catalogue.
        k: The length of a list.

    Returns:
        The parameters, and their NDCG.
    """
    best: tuple[dict[str, Any], float] = ({}, -1.0)
    for parameters in settings(algorithm):
        lists = lists_of(algorithm.make(**parameters), split, items, k)
        reached = float(per_person(lists.rows, split.hidden, k)[GOAL].mean() or 0.0)  # type: ignore[arg-type]
        if reached > best[1]:
            best = (parameters, reached)
    return best
