"""Grey relational grades (Deng Julong, 1982): how near each row of a table is to an ideal one, from 0 to 1.

Columns are made dimensionless; the coefficient of a value is (Δmin + ρΔmax) / (Δ + ρΔmax), where Δ is its distance to
the ideal, and Δmin and Δmax are the least and the greatest distance of the whole table; the grade of a row is the
weighted mean of its coefficients.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]
Direction = Literal["up", "down"]
Scale = Literal["maximum", "min-max", "mean"]


@dataclass(frozen=True)
class Feature:
    """A column by which rows are graded.

    Attributes:
        name: The column.
        direction: Whether much of it is good (up), or little.
        weight: How much it counts.
        ideal: The best value; None for the best that there is.
    """

    name: str
    direction: Direction = "up"
    weight: float = 1.0
    ideal: float | None = None


def coefficients(values: Numbers, features: Sequence[Feature], rho: float = 0.5, scale: Scale = "maximum") -> Numbers:
    """Deng's grey relational coefficients.

    Args:
        values: The table, of shape (rows, features); what is not known is NaN, and counts as the worst of its column.
        features: What the columns are.
        rho: The distinguishing coefficient, above 0 and at most 1: the smaller, the more distances matter.
        scale: How columns are made dimensionless: divided by their greatest or their mean absolute value, or
            stretched between their least and their greatest value.

    Returns:
        Coefficients above 0 and at most 1, of shape (rows, features); all 1 where all rows are ideal.
    """
    if not values.size:
        return np.ones_like(values)
    whole = filled(values, features)
    ideal = np.array([_ideal(column, each) for column, each in zip(whole.T, features, strict=True)])
    shift, unit = SCALES[scale](whole)
    distance = np.abs((whole - shift) / unit - (ideal - shift) / unit)
    least, greatest = distance.min(), distance.max()
    if greatest == 0:
        return np.ones_like(distance)
    found: Numbers = (least + rho * greatest) / (distance + rho * greatest)
    return found


def grades(coefficients: Numbers, features: Sequence[Feature]) -> Numbers:
    """The grade of each row: the weighted mean of its coefficients; shape (rows,)."""
    weights = np.array([each.weight for each in features])
    found: Numbers = coefficients @ (weights / weights.sum())
    return found


def filled(values: Numbers, features: Sequence[Feature]) -> Numbers:
    """The table with the worst value of its column wherever one is not known; 0 where none of a column is."""
    known = np.where(np.isnan(values), 0.0, values)
    for at, each in enumerate(features):
        missing = np.isnan(values[:, at])
        if missing.any() and not missing.all():
            there = values[~missing, at]
            known[missing, at] = there.min() if each.direction == "up" else there.max()
    return known


def _ideal(column: Numbers, feature: Feature) -> float:
    if feature.ideal is not None:
        return feature.ideal
    return float(column.max() if feature.direction == "up" else column.min())


def _by_maximum(values: Numbers) -> tuple[Numbers, Numbers]:
    return np.zeros(values.shape[1]), _unit(np.abs(values).max(axis=0))


def _by_range(values: Numbers) -> tuple[Numbers, Numbers]:
    least = values.min(axis=0)
    return least, _unit(values.max(axis=0) - least)


def _by_mean(values: Numbers) -> tuple[Numbers, Numbers]:
    return np.zeros(values.shape[1]), _unit(np.abs(values).mean(axis=0))


def _unit(units: Numbers) -> Numbers:
    """What columns are divided by: 1 for one whose values do not differ from 0."""
    return np.where(units == 0, 1.0, units)


SCALES: Final[Mapping[Scale, Callable[[Numbers], tuple[Numbers, Numbers]]]] = {
    "maximum": _by_maximum,
    "min-max": _by_range,
    "mean": _by_mean,
}
"""What is taken from the values of each column, and by what they are divided then."""


def tiers(grades: Numbers, cuts: Sequence[float], *, quantiles: bool) -> npt.NDArray[np.int64]:
    """The tier of each grade: how many cuts it reaches; shape (rows,).

    Args:
        grades: The grades.
        cuts: Rising numbers: grades or, with `quantiles`, shares of rows that are below.
        quantiles: Whether they are shares.
    """
    bounds = np.quantile(grades, cuts) if quantiles and grades.size else np.array(cuts, dtype=np.float64)
    found: npt.NDArray[np.int64] = np.searchsorted(bounds, grades, side="right").astype(np.int64)
    return found
