"""Probabilities of decision values, fitted to rows that were not learnt from.

p = (1 - lapse) softmax(scale * values + offsets) + lapse / classes: where a share of all rows is of any class, whatever
they say, as when persons err, no value makes a class certain.

Sources: Platt (1999), "Probabilistic outputs for support vector machines"; with one scale for all classes: Guo, Pleiss,
Sun and Weinberger (2017), "On calibration of modern neural networks", whose temperature is 1 / scale.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from crm.learning.separation import Floats, Ints

_PENALTY: Final = 1.0
"""How strongly offsets are held near 0, so that a class of few rows does not get one by chance."""
_BOUNDS: Final = (-6.0, 8.0)
"""Of the logarithm of the scale."""
_MOST_LAPSE: Final = 0.5
_LEAST: Final = 1e-12


@dataclass(frozen=True)
class Calibration:
    """What makes probabilities of decision values.

    Attributes:
        scale: Above 0.
        offsets: Shape (classes,).
        lapse: From 0 to below 1.
    """

    scale: float
    offsets: Floats
    lapse: float = 0.0

    def probabilities(self, values: Floats) -> Floats:
        """How likely each class of each row is; values and probabilities of shape (rows, classes)."""
        shares = _softmax(self.scale * values + self.offsets)
        return np.asarray((1 - self.lapse) * shares + self.lapse / values.shape[1])


def decisions(model: Any, rows: Any) -> Floats:
    """Decision values of a model, or logarithms of its probabilities; shape (rows, classes), the largest its choice."""
    if not hasattr(model, "decision_function"):
        return np.log(np.maximum(np.asarray(model.predict_proba(rows), dtype=np.float64), _LEAST))
    values = np.asarray(model.decision_function(rows), dtype=np.float64)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def calibrated(values: Floats, codes: Ints) -> Calibration:
    """The scale, offsets and lapse that make the true classes most likely.

    Args:
        values: Decision values of rows that the model has not learnt from; shape (rows, classes).
        codes: The class of each row; shape (rows,).
    """
    count = values.shape[1]
    truth = np.eye(count)[codes]

    def loss(point: Floats) -> tuple[float, Floats]:
        scale, lapse, offsets = np.exp(point[0]), point[1], point[2:]
        shares = _softmax(scale * values + offsets)
        own = (truth * shares).sum(axis=1)
        likely = np.maximum((1 - lapse) * own + lapse / count, _LEAST)
        off = ((1 - lapse) * own / likely)[:, None] * (shares - truth)
        by_lapse = ((own - 1 / count) / likely).sum()
        slope = np.concatenate(([scale * (off * values).sum(), by_lapse], off.sum(axis=0) + _PENALTY * offsets))
        return float(-np.log(likely).sum() + _PENALTY / 2 * (offsets**2).sum()), slope

    bounds = [_BOUNDS, (0.0, _MOST_LAPSE), *[(None, None)] * count]
    begin = np.concatenate(([0.0, 0.01], np.zeros(count)))
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(float(np.exp(found.x[0])), found.x[2:], float(found.x[1]))


def _softmax(values: Floats) -> Floats:
    """Shares in proportion to exp(values); rows sum to 1."""
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
