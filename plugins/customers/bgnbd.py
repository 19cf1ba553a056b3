"""BG/NBD: how often customers buy, whether they still do, and how often they will.

Source: Fader, Hardie and Lee (2005), "'Counting your customers' the easy way: an alternative to the Pareto/NBD model",
Marketing Science 24(2). A customer buys at random times with a rate of their own, and after each purchase leaves for
ever with a chance of their own. Rates are spread over customers by a gamma distribution (r, alpha), chances by a beta
distribution (a, b).

Of each customer three numbers are known: `frequency`, the purchases after the first; `recency`, the time from the
first purchase to the last; and `age`, the time from the first purchase to the end of the observation. All times are in
one unit, that of alpha.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import expit, gammaln, hyp2f1, psi

from plugins.customers.fitting import Fit, Floats, Likelihood, maximum

NAMES: Final = ("r", "alpha", "a", "b")

NODES: Final = 40
"""At how many moments the rate of purchases is taken when it is summed up over time."""

_SHAPES: Final = tuple((r, a, b) for r in (0.2, 1.0, 5.0) for a, b in ((0.5, 2.0), (1.0, 1.0), (2.0, 10.0)))
"""r, a and b from which the search may begin; alpha then follows from how often customers buy."""


@dataclass(frozen=True)
class Histories:
    """What is known of customers; all of shape (customers,).

    Attributes:
        frequency: Purchases after the first.
        recency: Time from the first purchase to the last; 0 where there is one only.
        age: Time from the first purchase to the end of the observation.
    """

    frequency: Floats
    recency: Floats
    age: Floats

    @classmethod
    def of(cls, customers: pl.DataFrame) -> "Histories":
        """The columns of these names."""
        return cls(*(customers[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency", "age")))

    def __len__(self) -> int:
        return len(self.age)


def fit(histories: Histories) -> Fit:
    """The parameters that make the histories most likely (equation 6).

    Args:
        histories: At least one customer, of whom at least one has bought again: else nothing can be told.

    Raises:
        ValueError: nobody has bought again.
    """
    if not histories.frequency.any():
        raise ValueError("nobody has bought again")
    distinct, weights = _distinct(histories)
    unit = float(np.sum(weights * distinct.age) / len(histories))  # of time, for the search alone
    scaled = Histories(distinct.frequency, distinct.recency / unit, distinct.age / unit)
    pace = float(np.sum(weights * distinct.frequency) / len(histories))  # purchases in a mean age
    starts = [(r, r / pace, a, b) for r, a, b in _SHAPES]
    found = maximum(_likelihood(scaled, weights), starts, len(histories))
    values = found.at * (1, unit, 1, 1)
    total, _ = _likelihood(distinct, weights)(values)
    unsettled = tuple(name for name, lost in zip(NAMES, found.unsettled, strict=True) if lost)
    return Fit(dict(zip(NAMES, values.tolist(), strict=True)), total, len(histories), unsettled)


def log_likelihood(parameters: Floats, histories: Histories) -> tuple[float, Floats]:
    """The logarithm of the likelihood of all histories together, and its derivatives by r, alpha, a and b.

    Args:
        parameters: r, alpha, a, b; shape (4,).
        histories: What is known of customers.
    """
    return _likelihood(*_distinct(histories))(parameters)


def alive(parameters: Floats, histories: Histories) -> Floats:
    """How likely each customer has not left yet, from 0 to 1; shape (customers,).

    Source: Fader, Hardie and Lee (2008), "Computing P(alive) using the BG/NBD model". Whoever has bought once only
    had no chance to leave after a repeated purchase, and is alive for certain.
    """
    r, alpha, a, b = parameters
    again = histories.frequency > 0
    x = np.where(again, histories.frequency, 1.0)
    odds = (r + x) * (np.log(alpha + histories.age) - np.log(alpha + histories.recency)) + np.log(a) - np.log(b + x - 1)
    return np.where(again, expit(-odds), 1.0)


def expected(parameters: Floats, histories: Histories, horizon: float, discount: float = 0.0) -> Floats:
    """How many purchases of each customer are expected from now on until the horizon; shape (customers,).

    This is equation 10 of the source, written as the sum over time of the rate of purchases, which, t after the end of
    the observation and given that the customer is alive at that end, is

        (r + x) / (alpha + T) * 2F1(r + x + 1, a; a + b + x; -t / (alpha + T)).

    Unlike equation 10 it has no pole at a = 1, and purchases can be discounted at the moment when they are made.

    Args:
        parameters: r, alpha, a, b; shape (4,).
        histories: What is known of customers.
        horizon: How far to look ahead.
        discount: A purchase after t counts exp(-discount * t).
    """
    if not len(histories):
        return np.zeros(0)
    given = pl.DataFrame({"frequency": histories.frequency, "age": histories.age})
    pairs = given.unique(maintain_order=True)
    x, age = (pairs[name].to_numpy()[:, None] for name in given.columns)
    known = pairs.with_columns(pl.Series("purchases", _if_alive(parameters, x, age, horizon, discount)))
    each = given.join(known, on=given.columns, how="left", maintain_order="left")["purchases"]
    found: Floats = each.to_numpy() * alive(parameters, histories)
    return found


def _if_alive(parameters: Floats, x: Floats, age: Floats, horizon: float, discount: float) -> Floats:
    """Expected purchases of those who are alive, summed up by Gauss and Legendre's rule; x and age of shape (n, 1).

    With u = log(1 + t / (alpha + T)) as the measure of time the rate is smooth however young a customer is. Of the two
    forms into which Pfaff's transformation brings 2F1 the one is taken that stays finite as t grows.
    """
    r, alpha, a, b = parameters
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    span = np.log1p(horizon / (alpha + age))
    u = span * (nodes + 1) / 2
    later = (alpha + age) * np.expm1(u)
    early = a <= r + x + 1
    power, first, second = (
        np.where(early, 1 - a, -r - x),
        np.where(early, a, b + x),
        np.where(early, a + b - r - 1, r + x + 1),
    )
    rate = (r + x) * np.exp(power * u) * hyp2f1(first, second, a + b + x, -np.expm1(-u))
    found: Floats = np.sum(rate * np.exp(-discount * later) * weights, axis=1) * span[:, 0] / 2
    return found


def _distinct(histories: Histories) -> tuple[Histories, Floats]:
    """The distinct histories in a fixed order, and how many customers have each."""
    columns = {"frequency": histories.frequency, "recency": histories.recency, "age": histories.age}
    counted = pl.DataFrame(columns).group_by(*columns).len("customers").sort(*columns)
    return Histories.of(counted), counted["customers"].cast(pl.Float64).to_numpy()


def _likelihood(histories: Histories, weights: Floats) -> Likelihood:
    """The function of the parameters, in which what depends on the frequency alone is worked out once for each one.

    Names are those of the source: x is the frequency, and a customer with x > 0 is either alive at T, which makes the
    term A3, or has left just after the last purchase, which makes A4.
    """
    levels, level = np.unique(histories.frequency, return_inverse=True)
    customers = np.bincount(level, weights=weights)
    x, again = histories.frequency, histories.frequency > 0
    before = np.where(again, x, 1.0) - 1  # x - 1, which is not asked for where x = 0

    def value(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters
        common = gammaln(r + levels) - gammaln(r) + r * np.log(alpha)
        common += gammaln(a + b) + gammaln(b + levels) - gammaln(b) - gammaln(a + b + levels)
        to_now, to_last = np.log(alpha + histories.age), np.log(alpha + histories.recency)
        a3 = -(r + x) * to_now
        a4 = np.where(again, np.log(a) - np.log(b + before) - (r + x) * to_last, -np.inf)
        left = np.where(again, expit(a4 - a3), 0.0)
        total = np.sum(customers * common) + np.sum(weights * np.logaddexp(a3, a4))
        stayed = 1 - left
        both = psi(a + b) - psi(a + b + levels)
        derivatives = (
            np.sum(customers * (psi(r + levels) - psi(r) + np.log(alpha)))
            - np.sum(weights * (stayed * to_now + left * to_last)),
            np.sum(customers) * r / alpha
            - np.sum(weights * (r + x) * (stayed / (alpha + histories.age) + left / (alpha + histories.recency))),
            np.sum(customers * both) + np.sum(weights * left) / a,
            np.sum(customers * (both + psi(b + levels) - psi(b))) - np.sum(weights * left / (b + before)),
        )
        return float(total), np.array(derivatives)

    return value
