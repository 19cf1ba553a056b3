"""Rows of a table as points: the columns that count, as numbers, and which rows have all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from crm.errors import Unusable, UsageError
from crm.learning.separation import Floats, Ints
from crm.nearest import did_you_mean, no_column, one_of
from plugins.customers.quantify import NoNumberError, Scale, numbers

SCALINGS: Final[dict[str, Any]] = {
    "max": MaxAbsScaler,
    "standard": StandardScaler,
    "none": FunctionTransformer,
}
"""How columns become comparable, by name: divided by their largest absolute value, to mean 0 and variance 1, or not."""


@dataclass(frozen=True)
class Points:
    """The rows of a table that have all features.

    Attributes:
        values: Their features as numbers; shape (points, features).
        rows: The number of each in the table, from 0; shape (points,).
        total: How many rows the table has.
    """

    values: Floats
    rows: Ints
    total: int

    @property
    def left_out(self) -> int:
        """How many rows lack a feature."""
        return self.total - len(self.rows)

    def spread(self, values: Any, empty: Any = None) -> pl.Series:
        """A value for each row of the table, from one for each point."""
        places = pl.Series(np.full(self.total, len(self.rows), dtype=np.int64))
        places = places.scatter(self.rows, np.arange(len(self.rows)))
        return pl.concat([pl.Series(values), pl.Series([empty], dtype=pl.Series(values).dtype)]).gather(places)


def points(frame: pl.DataFrame, features: Sequence[str], scales: Mapping[str, Scale]) -> Points:
    """The rows of a table as points.

    Args:
        frame: The table.
        features: The columns that count.
        scales: For some of them, words and their numbers.

    Raises:
        UsageError: there is no such column, or a scale is about no feature.
        Unusable: a text of a feature is neither a word of its scale nor a number.
    """
    check_columns(frame, features, "--features")
    for column in scales:
        if column not in features:
            raise UsageError(
                f"--quantify has words for `{column}`{did_you_mean(column, features)}, which is none of the features: "
                f"{one_of(features)}"
            )
    return complete(numbers_or_sentence(frame.select(features), scales))


def numbers_or_sentence(frame: pl.DataFrame, scales: Mapping[str, Scale]) -> Floats:
    """All columns of a table as numbers, NaN where one is missing; shape (rows, columns).

    Raises:
        Unusable: a text is neither a word of its column's scale nor a number.
    """
    try:
        return numbers(frame, scales)
    except NoNumberError as error:
        hint = "" if "its words are" in str(error) else "; give its words numbers with --quantify"
        raise Unusable(f"{error}{hint}") from None


def complete(values: Floats) -> Points:
    """The rows without a missing value."""
    whole = ~np.isnan(values).any(axis=1)
    return Points(values[whole], np.flatnonzero(whole), len(values))


def check_columns(frame: pl.DataFrame, names: Sequence[str], option: str) -> None:
    """See that a table has these columns.

    Raises:
        UsageError: it has not.
    """
    for name in names:
        if name not in frame.columns:
            raise UsageError(f"{option}: {no_column(name, frame.columns)}")


def check_new(frame: pl.DataFrame, names: Sequence[str]) -> None:
    """See that columns which shall be added are not there yet.

    Raises:
        Unusable: one is.
    """
    for name in names:
        if name in frame.columns:
            raise Unusable(
                f"the input has a column `{name}` already, which is what a result is called: rename it there"
            )


def evenly(total: int, most: int) -> Ints:
    """Numbers below `total`, from the first to the last in even steps, at most `most` of them."""
    return np.arange(total) if total <= most else np.linspace(0, total - 1, most).round().astype(np.int64)
