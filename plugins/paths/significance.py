"""How surprising it is that two things come together so often: Fisher's exact test, corrected for many tests."""

import numpy as np
import numpy.typing as npt

from plugins.paths.corpus import Ints

Floats = npt.NDArray[np.float64]

NEGLIGIBLE = 1e-17
"""A term that is so small a part of a sum, and those behind it, do not change it."""


def fisher(both: Ints, one: Ints, other: Ints, total: int) -> Floats:
    """The chance that two things come together as often, or more often, if they have nothing to do with each other.

    Fisher 1922, one-sided: the upper tail of the hypergeometric distribution.

    Args:
        both: How often both came; shape (tests,).
        one: How often the one came.
        other: How often the other came.
        total: Of how many.

    Returns:
        Shape (tests,).
    """
    expected = one * (other / max(total, 1))
    upper = both > expected
    p = np.empty(len(both))
    p[upper] = _tail(both[upper], one[upper], other[upper], total, 1)
    low = ~upper
    p[low] = 1 - _tail(both[low] - 1, one[low], other[low], total, -1)
    return np.clip(p, 0, 1)


def _tail(start: Ints, one: Ints, other: Ints, total: int, step: int) -> Floats:
    """The chances of `start` and all that is beyond it, upwards or downwards, summed up to where they vanish."""
    lowest = np.maximum(0, one + other - total)
    outside = (start < lowest) | (start > np.minimum(one, other))
    first = np.where(outside, 0, np.exp(_log_chance(np.where(outside, lowest, start), one, other, total)))
    term, sums, at = np.ones(len(start)), np.ones(len(start)), start.astype(np.float64)
    rows = np.flatnonzero(~outside)
    while len(rows):
        here = at[rows]
        up = (one[rows] - here) * (other[rows] - here)
        down = here * (total - one[rows] - other[rows] + here)
        if step > 0:
            ratio = up / ((here + 1) * (total - one[rows] - other[rows] + here + 1))
        else:
            ratio = down / ((one[rows] - here + 1) * (other[rows] - here + 1))
        term[rows] *= ratio
        sums[rows] += term[rows]
        at[rows] += step
        rows = rows[term[rows] > sums[rows] * NEGLIGIBLE]
    return first * sums


def _log_chance(both: Ints, one: Ints, other: Ints, total: int) -> Floats:
    """Logarithm of the hypergeometric distribution's mass."""
    logs = _log_factorials(total)

    def choose(n: Ints, k: Ints) -> Floats:
        found: Floats = logs[n] - logs[k] - logs[n - k]
        return found

    return choose(one, both) + choose(total - one, other - both) - choose(np.full(len(other), total), other)


def _log_factorials(most: int) -> Floats:
    """Logarithms of 0! to `most`!; summed up in more digits than are kept. Shape (most + 1,)."""
    numbers = np.arange(most + 1, dtype=np.longdouble)
    numbers[0] = 1
    found: Floats = np.cumsum(np.log(numbers)).astype(np.float64)
    return found


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values: of the tests with a value of `q` or less, a share of `q` at most is expected to be chance.

    Benjamini and Hochberg 1995.

    Args:
        p: The p-values of all tests that were made; shape (tests,).

    Returns:
        Shape (tests,).
    """
    order = np.argsort(p, kind="stable")[::-1]
    rank = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(p[order] * (len(p) / rank))
    return np.minimum(adjusted, 1)
