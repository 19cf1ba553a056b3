"""Probabilities of decision values: p = softmax(scale * values + offsets), fitted to rows that were not learnt from.

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
_LEAST: Final = 1e-12


@dataclass(frozen=True)
class Calibration:
    """What makes probabilities of decision values.

    Attributes:
        scale: Above 0.
        offsets: Shape (classes,).
    """

    scale: float
    offsets: Floats

    def probabilities(self, values: Floats) -> Floats:
        """How likely each class of each row is; values and probabilities of shape (rows, classes)."""
        return np.exp(_log_softmax(self.scale * values + self.offsets))


def decisions(model: Any, rows: Any) -> Floats:
    """Decision values of a model, or logarithms of its probabilities; shape (rows, classes), the largest its choice."""
    if not hasattr(model, "decision_function"):
        return np.log(np.maximum(np.asarray(model.predict_proba(rows), dtype=np.float64), _LEAST))
    values = np.asarray(model.decision_function(rows), dtype=np.float64)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def calibrated(values: Floats, codes: Ints) -> Calibration:
    """The scale and offsets that make the true classes most likely.

    Args:
        values: Decision values of rows that the model has not learnt from; shape (rows, classes).
        codes: The class of each row; shape (rows,).
    """
    count = values.shape[1]
    truth = np.eye(count)[codes]

    def loss(point: Floats) -> tuple[float, Floats]:
        scale, offsets = np.exp(point[0]), point[1:]
        logs = _log_softmax(scale * values + offsets)
        off = np.exp(logs) - truth
        slope = np.concatenate(([scale * (off * values).sum()], off.sum(axis=0) + _PENALTY * offsets))
        return float(-(truth * logs).sum() + _PENALTY / 2 * (offsets**2).sum()), slope

    bounds = [_BOUNDS, *[(None, None)] * count]
    found = minimize(loss, np.zeros(count + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(float(np.exp(found.x[0])), found.x[1:])


def _log_softmax(values: Floats) -> Floats:
    """Logarithms of probabilities that are in proportion to exp(values)."""
    less = values - values.max(axis=1, keepdims=True)
    return np.asarray(less - np.log(np.exp(less).sum(axis=1, keepdims=True)))
