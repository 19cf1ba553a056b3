"""Slow rises: a trend over months in the counts of a fault, beyond what exposure and all other faults do.

The score test of a log-linear trend, counts being negative binomial with the spread of all faults and months. A fault
may be wilder than others, by seasons say: its own dispersion around the trend counts too, moderated by that of all
faults as in Smyth (2004), Linear models and empirical Bayes methods, SAGMB 3:3; the test has the t distribution with
the degrees of freedom of both.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import norm, t

from plugins.tickets.quality.tails import Floats, spread_of

FEWEST_MONTHS: Final = 6
A_MONTH: Final = 2.0
"""So many tickets a month a fault needs, or there is no trend to see."""
_ENDLESS: Final = 1e6


@dataclass(frozen=True)
class Rises:
    """Trends of faults.

    Attributes:
        p: The chance of a rise at least as clear, one-sided; of shape (n_faults,); 1 where there are too few tickets.
        z: The score, before its dispersion is taken into account.
        tested: Whether there were enough tickets.
        spread: The spread of the cells.
    """

    p: Floats
    z: Floats
    tested: np.ndarray[tuple[int], np.dtype[np.bool_]]
    spread: float


def rises(counts: Floats, means: Floats) -> Rises:
    """Test every fault for a rise.

    Args:
        counts: Tickets of each month and fault, of shape (n_months, n_faults), months in order.
        means: What is expected of them without a trend, up to a factor a fault.
    """
    months, faults = counts.shape
    tested = counts.sum(axis=0) >= A_MONTH * months
    p, z = np.ones(faults), np.zeros(faults)
    if months < FEWEST_MONTHS or not tested.any():
        return Rises(p, z, np.zeros(faults, dtype=bool), 0.0)
    seen, even = counts[:, tested], means[:, tested]
    even = np.maximum(even, 1e-9) * (seen.sum(axis=0) / np.maximum(even, 1e-9).sum(axis=0))
    spread = spread_of(seen.ravel(), even.ravel())
    z[tested], own, third, fourth = scores(seen, even, spread)
    p[tested] = moderated(z[tested], own, months - 2, third, fourth)
    return Rises(p, z, tested, spread)


def scores(counts: Floats, means: Floats, spread: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Scores of trends, a column each.

    Returns:
        The score, which has the mean 0 and the variance 1 without a trend; the dispersion of what is left around the
        trend (1: none beyond it); the third and the fourth cumulant of the score.
    """
    months = len(counts)
    time = np.arange(months, dtype=float)[:, None]
    weight = 1 / (1 + spread * means)
    level = (weight * counts).sum(axis=0) / (weight * means).sum(axis=0)
    means = level * means
    weight = 1 / (1 + spread * means)
    middle = (time * weight * means).sum(axis=0) / (weight * means).sum(axis=0)
    left = counts - means
    pull = weight * (time - middle) / np.sqrt((weight * (time - middle) ** 2 * means).sum(axis=0))
    found = (pull * left).sum(axis=0)
    own = ((weight * left**2 / means).sum(axis=0) - found**2) / (months - 2)
    wild, variance = spread * means, means / weight
    third = (pull**3 * variance * (1 + 2 * wild)).sum(axis=0)
    fourth = (pull**4 * variance * (1 + 6 * wild + 6 * wild**2)).sum(axis=0)
    return found, np.maximum(own, 0.0), third, fourth


def moderated(z: Floats, own: Floats, freedom: int, third: Floats, fourth: Floats) -> Floats:
    """One-sided p-values of scores: by the t distribution, or by their cumulants, whichever is larger.

    Args:
        z: The scores.
        own: The dispersion of each.
        freedom: Its degrees of freedom.
        third: The third cumulant of each.
        fourth: The fourth.
    """
    prior, usual = _prior(np.maximum(own, 0.05), freedom)
    share = prior / (prior + freedom)
    dispersion = np.maximum(1.0, share * usual + (1 - share) * own)
    scaled = z / np.sqrt(dispersion)
    return np.asarray(np.maximum(t.sf(scaled, prior + freedom), _edgeworth(scaled, third, fourth)))


def _edgeworth(z: Floats, third: Floats, fourth: Floats) -> Floats:
    """The chance of a score at least as high, of which two cumulants are known besides mean 0 and variance 1.

    The Edgeworth series (Kendall and Stuart 1977, The Advanced Theory of Statistics 1, 6.18): counts have longer tails
    than the normal distribution.
    """
    skew, peak = third / 6 * (z**2 - 1), fourth / 24 * (z**3 - 3 * z)
    bent = third**2 / 72 * (z**5 - 10 * z**3 + 15 * z)
    return np.asarray(np.clip(norm.sf(z) + norm.pdf(z) * (skew + peak + bent), 0.0, 1.0))


def _prior(own: Floats, freedom: int) -> tuple[float, float]:
    """Degrees of freedom and mean of the dispersions that faults have by nature (Smyth 2004, section 6.2)."""
    logs = np.log(own) - digamma(freedom / 2) + np.log(freedom / 2)
    more = (logs.var(ddof=1) if len(logs) > 1 else 0.0) - float(polygamma(1, freedom / 2))
    if more <= polygamma(1, _ENDLESS / 2):
        return _ENDLESS, float(np.exp(logs.mean()))
    half = brentq(lambda at: float(polygamma(1, at)) - more, 1e-3, _ENDLESS)
    return 2 * half, float(np.exp(logs.mean() + digamma(half) - np.log(half)))
