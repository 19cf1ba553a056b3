"""Gamma-Gamma: what a purchase of each customer is worth on average.

Source: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value". The amounts of a customer's purchases are
spread around a mean of their own by a gamma distribution with the shape p, and its rates over customers by another one
with the shape q and the rate gamma. The mean is taken to have nothing to do with how often the customer buys.
"""

from typing import Final

import numpy as np
from scipy.special import gammaln, psi

from plugins.customers.fitting import Fit, Floats, Likelihood, maximum

NAMES: Final = ("p", "q", "gamma")

_SHAPES: Final = tuple((p, q) for p in (0.5, 2.0, 6.0, 30.0) for q in (1.5, 3.0, 10.0))
"""p and q from which the search may begin; gamma then follows from the mean amount."""


def fit(purchases: Floats, mean: Floats) -> Fit:
    """The parameters that make the mean amounts most likely (equation 1a).

    Args:
        purchases: Over how many purchases each mean was taken, at least 1; shape (customers,).
        mean: The mean amount of each customer, above 0; shape (customers,).

    Raises:
        ValueError: there is no customer.
    """
    if not len(mean):
        raise ValueError("nobody has bought again for money")
    unit = float(mean.mean())  # of money, for the search alone
    starts = [(p, q, max(q - 1, 0.5) / p) for p, q in _SHAPES]
    found = maximum(_likelihood(purchases, mean / unit), starts, len(mean))
    values = found.at * (1, 1, unit)
    total, _ = log_likelihood(values, purchases, mean)
    unsettled = tuple(name for name, lost in zip(NAMES, found.unsettled, strict=True) if lost)
    return Fit(dict(zip(NAMES, values.tolist(), strict=True)), total, len(mean), unsettled)


def log_likelihood(parameters: Floats, purchases: Floats, mean: Floats) -> tuple[float, Floats]:
    """The logarithm of the density of all mean amounts together, and its derivatives by p, q and gamma.

    Args:
        parameters: p, q, gamma; shape (3,).
        purchases: Over how many purchases each mean was taken; shape (customers,).
        mean: The mean amount of each customer, above 0; shape (customers,).
    """
    return _likelihood(purchases, mean)(parameters)


def expected(parameters: Floats, purchases: Floats, mean: Floats) -> Floats:
    """The mean amount of a purchase of each customer, as it is expected for all times; shape (customers,).

    It is a mean of what the customer has spent and of what all spend (equation 5), the nearer to the first the more
    purchases there are; NaN where it has no finite value, which needs p * x + q > 1.

    Args:
        parameters: p, q, gamma; shape (3,).
        purchases: Over how many purchases each mean was taken; 0 where nothing is known; shape (customers,).
        mean: The mean amounts; whatever where there are no purchases; shape (customers,).
    """
    p, q, gamma = parameters
    spent = np.where(purchases > 0, purchases * mean, 0.0)
    below = p * purchases + q - 1
    return np.where(below > 0, p * (gamma + spent) / np.where(below > 0, below, 1.0), np.nan)


def _likelihood(x: Floats, mean: Floats) -> Likelihood:
    """The function of the parameters; what depends on the number of purchases is worked out once for each number."""
    spent = x * mean
    levels, level = np.unique(x, return_inverse=True)
    customers = np.bincount(level)
    logs = np.bincount(level, weights=np.log(spent))  # sums over the customers of each level, as all below
    constant = float(np.sum(np.log(mean)))

    def value(parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = parameters
        shape, together = p * levels, p * levels + q
        sums = np.bincount(level, weights=np.log(gamma + spent))
        each = customers * (gammaln(together) - gammaln(shape) - gammaln(q) + q * np.log(gamma))
        total = np.sum(each + shape * logs - together * sums) - constant
        by_shape = psi(together)
        derivatives = (
            np.sum(levels * (customers * (by_shape - psi(shape)) + logs - sums)),
            np.sum(customers * (by_shape - psi(q) + np.log(gamma)) - sums),
            np.sum(customers) * q / gamma - np.sum(together * np.bincount(level, weights=1 / (gamma + spent))),
        )
        return float(total), np.array(derivatives)

    return value
