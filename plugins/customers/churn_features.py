"""Columns of a table as what churn is learnt from: numbers, and words as places in a list of the usual ones."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np
import polars as pl

from crm.errors import Unusable
from crm.learning.separation import Floats
from plugins.customers.features import check_columns
from plugins.customers.profiles import as_numbers
from plugins.customers.quantify import LARGEST

MOST_WORDS: Final = 50
"""So many words of a column count, the most frequent; all others are as if missing."""

IDS: Final = 0.5
"""A column of text of which more than this share are different words is taken for one of names or ids."""


class Feature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column, and what is known of it from the rows that were learnt from.

    Attributes:
        name: The column.
        kind: Numbers, or words.
        words: The words that count, the most frequent first.
        usual: The median of the numbers; the most frequent word, as a place in `words`.
        mean: The mean of the numbers, missing ones taken for the median.
        spread: Their standard deviation (divided by n); 1 where they are all the same.
        shares: The share of rows that has each word.
        missing: The share of rows without a value.
    """

    name: str
    kind: Literal["number", "word"]
    words: tuple[str, ...] = ()
    usual: float = 0.0
    mean: float = 0.0
    spread: float = 1.0
    shares: tuple[float, ...] = ()
    missing: float = 0.0


def usable(frame: pl.DataFrame, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Which columns can be learnt from, and why the others cannot.

    Args:
        frame: The rows.
        names: The columns in question.
    """
    reasons = {name: why for name in names if (why := _fault(frame[name]))}
    return [name for name in names if name not in reasons], reasons


def _fault(column: pl.Series) -> str:
    if column.dtype.is_nested() or column.dtype.is_temporal() or column.dtype in (pl.Binary, pl.Object):
        return "neither numbers nor words"
    text = column.dtype == pl.String and as_numbers(column).dtype == pl.String
    different = column.drop_nulls().n_unique()
    if different < 2:
        return "always the same"
    if text and different > max(MOST_WORDS, IDS * column.len()):
        return "too many different words"
    return ""


def features_of(frame: pl.DataFrame, names: Sequence[str]) -> tuple[Feature, ...]:
    """The columns as features: numbers where all texts are, else words. Their statistics are not known yet.

    Raises:
        UsageError: there is no such column.
    """
    check_columns(frame, names, "--features")
    return tuple(_feature(frame[name]) for name in names)


def _feature(column: pl.Series) -> Feature:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return Feature(name=column.name, kind="number")
    texts = _texts(column)
    if as_numbers(texts).dtype.is_numeric():
        return Feature(name=column.name, kind="number")
    counts = texts.drop_nulls().value_counts().sort(["count", column.name], descending=[True, False])
    return Feature(name=column.name, kind="word", words=tuple(counts[column.name].head(MOST_WORDS)))


def _texts(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).str.normalize("NFKC").str.strip_chars().replace("", None)


def matrix(frame: pl.DataFrame, features: Sequence[Feature]) -> Floats:
    """The features of each row: numbers, and words as places in their lists; NaN for what is missing or unknown.

    Returns:
        Shape (rows, features).

    Raises:
        UsageError: the table lacks a column.
        Unusable: most texts of a column of numbers are none.
    """
    check_columns(frame, [each.name for each in features], "the model needs all columns that it was trained with")
    values: Floats = np.empty((frame.height, len(features)))
    for at, feature in enumerate(features):
        column = frame[feature.name]
        values[:, at] = (_numbers(column) if feature.kind == "number" else _places(column, feature.words)).to_numpy()
    return values


def _numbers(column: pl.Series) -> pl.Series:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        found = column.cast(pl.Float64)
    else:
        texts = _texts(column)
        found = texts.cast(pl.Float64, strict=False)
        if 2 * (found.null_count() - texts.null_count()) > texts.count():
            raise Unusable(
                f"column `{column.name}`: most of its texts are no numbers, and the model knows it as numbers"
            )
    return found.set(found.abs() >= LARGEST, None).fill_null(np.nan)


def _places(column: pl.Series, words: Sequence[str]) -> pl.Series:
    return _texts(column).replace_strict(
        list(words), [float(at) for at in range(len(words))], default=float("nan"), return_dtype=pl.Float64
    )


def described(features: Sequence[Feature], values: Floats) -> tuple[Feature, ...]:
    """The features with the statistics of some rows.

    Args:
        features: The features.
        values: The rows, as `matrix` gives them.
    """
    return tuple(_described(each, values[:, at]) for at, each in enumerate(features))


def _described(feature: Feature, column: Floats) -> Feature:
    missing = np.isnan(column)
    there = column[~missing]
    lost = float(missing.mean()) if len(column) else 0.0
    if feature.kind == "word":
        counts = np.bincount(there.astype(np.int64), minlength=len(feature.words))
        shares = counts / max(1, len(column))
        usual = float(counts.argmax()) if len(counts) else 0.0
        return msgspec.structs.replace(feature, usual=usual, shares=tuple(shares.tolist()), missing=lost)
    usual = float(np.median(there)) if len(there) else 0.0
    filled = np.where(missing, usual, column)
    spread = float(filled.std()) if len(filled) else 0.0
    mean = float(filled.mean()) if len(filled) else 0.0
    # A column that is all one value has a spread that is nothing but rounding.
    spread = spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0
    return msgspec.structs.replace(feature, usual=usual, mean=mean, spread=spread, missing=lost)


def design(features: Sequence[Feature], values: Floats) -> Floats:
    """The columns of the linear model: standardised numbers, a column a word, and one for what is missing.

    All of them have the mean 0 in the rows that the statistics are of, so that what a column adds to a score is about
    a customer like all others.

    Returns:
        Shape (rows, columns), as `owners` counts them.
    """
    parts: list[Floats] = []
    for at, feature in enumerate(features):
        column = values[:, at]
        missing = np.isnan(column)
        if feature.kind == "number":
            parts.append((np.where(missing, feature.usual, column) - feature.mean)[:, None] / feature.spread)
        else:
            known = column[:, None] == np.arange(len(feature.words))
            parts.append(known - np.asarray(feature.shares))
        if feature.missing:
            parts.append((missing - feature.missing)[:, None])
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(values), 0))


def owners(features: Sequence[Feature]) -> list[int]:
    """To which feature each column of `design` belongs."""
    return [
        at
        for at, feature in enumerate(features)
        for _ in range((1 if feature.kind == "number" else len(feature.words)) + (feature.missing > 0))
    ]
