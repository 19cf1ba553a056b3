"""Columns of text as numbers: ordinal words by a scale (本科 1, 硕士 2, 博士 3, 博士后 3.6), all else as it reads."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from crm.learning.separation import Floats
from crm.nearest import did_you_mean, one_of

Scale = Mapping[str, float]

_MANY: Final = 12
"""How many words of a scale a message lists at most."""
LARGEST: Final = 1e100
"""Sums of squares of larger numbers may not be finite."""


class NoNumberError(ValueError):
    """A text that is no number, in a column that has no word for it."""


class Quantifier(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """Makes numbers of columns: a word of a column's scale becomes its number, any other text the number that it says.

    Texts are compared in the form NFKC without space around them, so full-width digits count as digits. What is
    missing or empty becomes NaN.

    Args:
        scales: For some columns, words and their numbers; columns go by name in a data frame, by position (0, 1, ...)
            in an array. None for no scales.

    Attributes:
        n_features_in_: How many columns there are.
        feature_names_in_: Their names, if they have some.
    """

    def __init__(self, scales: Mapping[Any, Scale] | None = None) -> None:
        self.scales = scales

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803 - scikit-learn's names
        """See that all columns can be read; nothing else is learnt.

        Raises:
            NoNumberError: a text is neither a word of its column's scale nor a number.
        """
        self._read(X, reset=True)
        return self

    def transform(self, X: Any) -> Floats:  # noqa: N803 - scikit-learn's name
        """The columns as numbers, NaN where one is missing; shape (rows, columns).

        Raises:
            NoNumberError: a text is neither a word of its column's scale nor a number.
        """
        check_is_fitted(self, "n_features_in_")
        return self._read(X, reset=False)

    def _read(self, table: Any, *, reset: bool) -> Floats:
        frame = table if isinstance(table, pl.DataFrame) else None
        if frame is not None:
            validate_data(self, frame, reset=reset, skip_check_array=True)
        else:
            table = validate_data(self, table, reset=reset, dtype=None, ensure_all_finite="allow-nan")
            if table.dtype != object and table.dtype.kind not in "US":
                table = check_array(table, dtype=np.float64, ensure_all_finite="allow-nan")
            frame = pl.DataFrame({str(at): _column(table[:, at]) for at in range(table.shape[1])})
        scales = {str(name): scale for name, scale in (self.scales or {}).items()}
        return numbers(frame, scales)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = True
        return tags


def numbers(frame: pl.DataFrame, scales: Mapping[str, Scale]) -> Floats:
    """The columns of a table as numbers, NaN where one is missing; shape (rows, columns).

    Raises:
        NoNumberError: a text is neither a word of its column's scale nor a number below 10^100.
    """
    found: Floats = np.empty(frame.shape)
    for at, column in enumerate(frame.get_columns()):
        found[:, at] = quantified(column, scales.get(column.name, {}))
    return found


def quantified(column: pl.Series, scale: Scale) -> Floats:
    """A column as numbers, NaN where one is missing; shape (rows,).

    Raises:
        NoNumberError: a text is neither a word of the scale nor a number below 10^100.
    """
    if (column.dtype.is_numeric() or column.dtype == pl.Boolean) and not scale:
        plain = column.cast(pl.Float64)
        _refuse(column, plain.is_not_nan() & (plain.abs() >= LARGEST), scale)
        return plain.to_numpy()
    texts = column.cast(pl.String).str.normalize("NFKC").str.strip_chars()
    words = {_folded(word): number for word, number in scale.items()}
    of_words = texts.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Float64)
    said = of_words.fill_null(texts.cast(pl.Float64, strict=False)) if words else texts.cast(pl.Float64, strict=False)
    missing = texts.is_null() | (texts == "")
    if column.dtype.is_float():
        missing |= column.is_nan()
    _refuse(column, ~missing & ~(said.abs() < LARGEST).fill_null(value=False), scale)
    return said.set(missing, None).cast(pl.Float64).to_numpy()


def _folded(word: str) -> str:
    """A word in the form in which words are compared."""
    import unicodedata

    return unicodedata.normalize("NFKC", word).strip()


def _refuse(column: pl.Series, wrong: pl.Series, scale: Scale) -> None:
    """Say which text is no number, if any."""
    at = wrong.arg_max() if wrong.any() else None
    if at is None:
        return
    word = str(column[at])
    known: Sequence[str] = list(scale)
    words = f"; its words are {one_of(known[:_MANY])}{', ...' if len(known) > _MANY else ''}" if known else ""
    raise NoNumberError(
        f"column `{column.name}`, row {at + 1:,}: `{word}` is no number{did_you_mean(word, known)}{words}"
    )


def _column(values: Any) -> pl.Series:
    """A column of an array as a column of a table: numbers, or texts where any value is something else."""
    if values.dtype != object:
        return pl.Series(values)
    missing = (values == np.array(None)) | (values != values)  # NaN is unlike itself
    texts = np.where(missing, "", values).astype(str)
    return pl.Series(texts, dtype=pl.String)
