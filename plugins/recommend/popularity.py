"""Popularity: how many people have taken an item up, the more the later."""

from typing import Final

import numpy as np

from plugins.recommend.interactions import Floats, Interactions

_TINY: Final = 1e-300

HALF_LIFE: Final = 30.0
"""In days, unless a recommender says otherwise."""


def shares(known: Interactions, half_life: float | None = HALF_LIFE) -> Floats:
    """The share of each item in what all people have taken up; shape (items,).

    Everybody counts once for an item, with 2^(-age / half-life), where the age is the time in days from somebody's
    newest event of the item to the newest event of all. Events without a time have the age 0.

    Args:
        known: The events.
        half_life: In days; None to count all alike.
    """
    weights = np.ones_like(known.newest)
    dated = np.isfinite(known.newest)
    if half_life is not None and dated.any():
        age = known.newest[dated].max() - known.newest[dated]
        weights[dated] = np.exp2(-age / half_life)
    sums = np.bincount(known.profiles.weights.indices, weights, minlength=len(known.items))
    return np.asarray(sums / max(sums.sum(), _TINY))
