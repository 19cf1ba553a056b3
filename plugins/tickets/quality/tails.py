"""How far counts scatter around what is expected of them, and how likely a count is that is as high as one seen.

A cell of a table has a true rate of its own: its count is Poisson with the mean E * theta, and theta has the mean 1 and
the variance `spread` (gamma: negative binomial counts). The spread is learnt from all cells of a kind by maximum
likelihood, in which a count beyond a fence is only known to be beyond it (a censored one), so that cells with a problem
do not hide themselves by making all cells look wild.

Benjamini, Y., Hochberg, Y. (1995), Controlling the false discovery rate, JRSS B 57:289-300.
DuMouchel, W. (1999), Bayesian data mining in large frequency tables, The American Statistician 53:177-190.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betainc, gammainc, gammaln
from scipy.stats import norm

Floats = npt.NDArray[np.float64]

_LEAST: Final = 1e-5
_MOST: Final = 20.0
"""Between these a spread is looked for; less than the least is none."""
_USED: Final = 20_000
"""So many cells, those with the largest expectation, tell the spread; smaller ones know next to nothing of it."""
_ROUNDS: Final = 4
_SURE: Final = 2.7055
"""The drop of twice the log-likelihood at the upper end of a one-sided interval of 95% (chi-squared, 1 df, 90%)."""
_NODES: Final = np.linspace(-8.5, 8.5, 171)


def tail(observed: Floats, expected: Floats, spread: float) -> Floats:
    """The chance of a count at least as high, rates being gamma with the variance `spread`.

    Args:
        observed: Counts, of shape (n_cells,).
        expected: What is expected, above 0, of the same shape.
        spread: Variance of true rates relative to their mean; 0 for Poisson.
    """
    count = np.maximum(observed, 1)
    found = gammainc(count, expected) if spread <= 0 else betainc(count, 1 / spread, expected / (expected + 1 / spread))
    return np.where(observed > 0, found, 1.0)


def tail_lognormal(observed: Floats, expected: Floats, spread: float) -> Floats:
    """The same with rates that are lognormal with this variance, whose far tail is heavier; by the trapezoidal rule."""
    if spread <= 0:
        return tail(observed, expected, 0.0)
    width = np.sqrt(np.log1p(spread))
    weights = norm.pdf(_NODES) * (_NODES[1] - _NODES[0])
    rates = np.exp(width * _NODES - width * width / 2)
    found = gammainc(np.maximum(observed, 1)[:, None], expected[:, None] * rates) @ weights
    return np.where(observed > 0, np.minimum(found, 1.0), 1.0)


def p_values(observed: Floats, expected: Floats, spread: float) -> Floats:
    """The chance of a count at least as high, whichever of gamma and lognormal rates makes it likelier.

    It is not halved at the count itself (mid-p): discrete counts make it too large rather than too small.
    """
    found = tail(observed, expected, spread)
    far = np.flatnonzero(found < 0.05)
    found[far] = np.maximum(found[far], tail_lognormal(observed[far], expected[far], spread))
    return found


def fence(expected: Floats, spread: float) -> Floats:
    """Counts beyond this say no more than that they are beyond it."""
    return np.floor(expected + 2.5 * np.sqrt(expected + spread * expected**2) + 1)


def spread_of(observed: Floats, expected: Floats) -> float:
    """The variance of true rates around what is expected: the upper end of a one-sided interval of 95%.

    The upper end, because a spread that is guessed too small makes alarms of chance.

    Args:
        observed: Counts of the cells of a kind.
        expected: What is expected of them; cells with 0 are left out.
    """
    order = np.argsort(-expected, kind="stable")[:_USED]
    order = order[expected[order] > 0]
    if not order.size:
        return 0.0
    counts, means, found = observed[order], expected[order], 0.1
    for _ in range(_ROUNDS):
        limit = fence(means, found)
        found = _likeliest(counts, means, limit)
    return _upper(counts, means, limit, found)


def _likeliest(counts: Floats, means: Floats, limit: Floats) -> float:
    best = minimize_scalar(
        lambda at: -_likelihood(counts, means, limit, float(np.exp(at))),
        bounds=(np.log(_LEAST), np.log(_MOST)),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(best.x))


def _upper(counts: Floats, means: Floats, limit: Floats, found: float) -> float:
    goal = _likelihood(counts, means, limit, found) - _SURE / 2
    if _likelihood(counts, means, limit, _MOST) > goal:
        return _MOST
    return float(brentq(lambda at: _likelihood(counts, means, limit, at) - goal, found, _MOST, xtol=1e-5))


def _likelihood(counts: Floats, means: Floats, limit: Floats, spread: float) -> float:
    """The log-likelihood of a spread: of each count, or of being beyond the fence."""
    beyond = counts > limit
    known, mean, shape = counts[~beyond], means[~beyond], 1 / spread
    inside = gammaln(known + shape) - gammaln(shape) - gammaln(known + 1)
    inside += known * np.log(mean / (mean + shape)) - shape * np.log1p(mean / shape)
    outside = np.log(np.maximum(tail(limit[beyond] + 1, means[beyond], spread), 1e-300))
    return float(inside.sum() + outside.sum())


def shrunken(observed: Floats, expected: Floats) -> Floats:
    """The lift of each cell that is to be believed: the posterior mean of its rate.

    The prior is gamma with mean and shape 1, so that few tickets do not make a high lift (after DuMouchel 1999, whose
    prior has more parts).
    """
    return (observed + 1) / (expected + 1)


def q_values(p: Floats, weights: Floats | None = None) -> Floats:
    """Benjamini and Hochberg's: the least level of the false discovery rate at which each is found.

    Args:
        p: The p-values, of shape (n_tests,).
        weights: How much each test counts, with the mean 1, chosen without looking at the p-values (Genovese, Roeder
            and Wasserman 2006, False discovery control with p-value weighting, Biometrika 93:509-524); None for alike.
    """
    weighed = p if weights is None else p / weights
    order = np.argsort(-weighed, kind="stable")
    rank = np.arange(len(p), 0, -1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.minimum.accumulate(weighed[order] * len(p) / rank), 1.0)
    return found
