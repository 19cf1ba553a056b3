"""Intervals and tests for differences of shares.

Newcombe, R. G. (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine
17:873-890; method 10. Fleiss, J. L., Levin, B., Paik, M. C. (2003), Statistical Methods for Rates and Proportions, 4.
"""

import math
from statistics import NormalDist

from scipy.stats import fisher_exact

from crm.proportions import wilson

_NORMAL = NormalDist()


def newcombe(hits: int, trials: int, others: int, other_trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Newcombe's hybrid score interval (method 10, without continuity correction) of a difference of shares.

    Args:
        hits: How often it happened in the first group.
        trials: Its size.
        others: How often it happened in the second group, whose share is taken away.
        other_trials: Its size.
        confidence: How sure.
    """
    if not trials or not other_trials:
        return -1.0, 1.0
    first, second = hits / trials, others / other_trials
    low1, high1 = wilson(hits, trials, confidence)
    low2, high2 = wilson(others, other_trials, confidence)
    lift = first - second
    return (
        lift - math.sqrt((first - low1) ** 2 + (high2 - second) ** 2),
        lift + math.sqrt((high1 - first) ** 2 + (second - low2) ** 2),
    )


def fisher(hits: int, trials: int, others: int, other_trials: int) -> float:
    """The two-sided p-value of Fisher's exact test that both shares are one."""
    return float(fisher_exact([[hits, trials - hits], [others, other_trials - others]])[1])


def customers_needed(share: float, other: float, ratio: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """How many customers both groups need together to tell a difference of shares.

    Args:
        share: The share of the first group.
        other: That of the second.
        ratio: How many times as large as the first the second group is.
        power: With which probability it is to be told.
        alpha: How often a difference may be told where there is none, two-sided.

    Returns:
        How many, sizes rounded up; None where the shares are equal.
    """
    if share == other:
        return None
    mean = (share + ratio * other) / (1 + ratio)
    sure, strong = _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)
    both = sure * math.sqrt((ratio + 1) * mean * (1 - mean))
    each = strong * math.sqrt(ratio * share * (1 - share) + other * (1 - other))
    first = (both + each) ** 2 / (ratio * (share - other) ** 2)
    return math.ceil(first) + math.ceil(ratio * first)
