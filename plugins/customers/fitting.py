"""Maximum likelihood of models whose parameters are positive numbers.

The search goes on in the logarithms of the parameters, within bounds, by L-BFGS-B (Byrd, Lu, Nocedal and Zhu, 1995),
from the best of several starts. A parameter that is at a bound has no finite estimate: the data do not determine it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

Floats = npt.NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats]]
"""Parameters -> the logarithm of the likelihood, and its derivatives by the parameters; shape (parameters,)."""

LEAST, MOST = 1e-4, 1e4
"""Between what the parameters are looked for, after times and amounts are divided by their mean."""

FLAT: Final = 1e-6
"""The derivative of a customer's mean log-likelihood by the logarithm of a parameter below which it counts as zero."""

_NEAR: Final = 0.01
"""How near the logarithm of a parameter is to a bound that counts as being there."""

TRIED: Final = 2
"""From how many starts, the likeliest first, the search goes on to its end."""


@dataclass(frozen=True)
class Fit:
    """The parameters of a model.

    Attributes:
        parameters: Their values by name.
        log_likelihood: Of all customers together.
        customers: How many the model was fitted to.
        unsettled: The parameters that have no estimate: those at a bound, or all if the search has found no maximum.
    """

    parameters: Mapping[str, float]
    log_likelihood: float
    customers: int
    unsettled: tuple[str, ...]

    @property
    def values(self) -> Floats:
        """The parameters in their order; shape (parameters,)."""
        return np.array(list(self.parameters.values()))


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is largest: the parameters, shape (parameters,), and which of them are no estimate."""

    at: Floats
    unsettled: npt.NDArray[np.bool_]


def maximum(likelihood: Likelihood, starts: Sequence[Sequence[float]], customers: float) -> Maximum:
    """The parameters, all between `LEAST` and `MOST`, that make the data most likely.

    Args:
        likelihood: What is to be made large.
        starts: Parameters from which the search may begin.
        customers: How many customers the likelihood is about.
    """

    def falling(logs: Floats) -> tuple[float, Floats]:
        at = np.exp(logs)
        value, derivatives = likelihood(at)
        return -value / customers, -derivatives * at / customers

    bounds = (np.log(LEAST), np.log(MOST))
    begun = sorted((np.clip(np.log(start), *bounds) for start in starts), key=lambda logs: falling(logs)[0])
    options = {"maxiter": 1000, "maxfun": 5000, "ftol": 1e-15, "gtol": FLAT / 100, "maxcor": 20}
    ends = [
        minimize(falling, logs, jac=True, method="L-BFGS-B", bounds=[bounds] * len(logs), options=options)
        for logs in begun[:TRIED]
    ]
    best = min(ends, key=lambda end: float(end.fun))
    edge = (best.x <= bounds[0] + _NEAR) | (best.x >= bounds[1] - _NEAR)
    steep = np.abs(falling(best.x)[1]) > FLAT
    lost = bool(np.any(steep & ~edge))
    return Maximum(np.exp(best.x), edge | lost)
