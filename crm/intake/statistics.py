"""Values that no rule forbids and that are odd all the same: far outside of their column, or against its neighbours.

Both are warnings. They need no rules: what is usual is learnt from the rows themselves.
"""

import sys
from collections.abc import Iterator
from typing import Final

import polars as pl

from crm import objects
from crm.distinct import count_distinct
from crm.intake.dependencies import broken

EXTRAS: Final = "extras"
NOT_TOLD: Final = (EXTRAS, "original", "source", "row")
CHECKED: Final = ("phone", "email", "idnumber")
"""Columns whose lengths say nothing: they have been checked otherwise."""

_SCHEMA: Final = {"column": pl.String(), "row": pl.Int64(), "what": pl.String()}
_LEAST: Final = 30
"""A column with fewer values has no distribution to speak of."""

_THRESHOLDS: Final = (5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0)
"""Iglewicz and Hoaglin take 3.5, which one of 2,000 normal values exceeds: too many false alarms for a whole file."""

_MOST: Final = 1 / 1000
"""At most this share of a column is called odd; where more is beyond a threshold, the tail is the column's own."""

_TO_SIGMA: Final = 0.6745
"""The median absolute deviation of a normal distribution with deviation 1."""
_MEAN_TO_SIGMA: Final = 1.253314
"""Deviation 1 by the mean absolute deviation, for columns of which more than half is one value."""

_SHORT: Final = "is much shorter than usual"
_UNIQUE: Final = 0.5
_SKEWED: Final = 0.2
_NUMBERS: Final = 0.99


def suspects(frame: pl.DataFrame) -> pl.DataFrame:
    """What is odd about rows.

    Args:
        frame: Rows as `normalised` gives them.

    Returns:
        `column`, `row` (index from 0), `what`: one for each value, by row.
    """
    full = _with_extras(frame)
    found = [pl.DataFrame(schema=_SCHEMA), *_outliers(full), *broken(full.drop(NOT_TOLD, strict=False))]
    every = pl.concat([each.select(pl.col(name).cast(kind) for name, kind in _SCHEMA.items()) for each in found])
    return every.unique(["column", "row"], keep="first", maintain_order=True).sort("row", maintain_order=True)


def _with_extras(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with a column for each that no field is for; those that hold numbers as numbers."""
    if EXTRAS not in frame.columns or frame[EXTRAS].null_count() == frame.height:
        return frame
    chunks = frame[EXTRAS].get_chunks()  # one after the other, and so cut at the same rows as all other columns
    found = {name for chunk in chunks for name in objects.keys(chunk)}
    names = sorted(found.difference(frame.columns))
    if not names:
        return frame
    more = pl.concat([objects.unpacked(chunk, names) for chunk in chunks], rechunk=False)
    return pl.concat([frame, pl.DataFrame([_number_or_text(column) for column in more])], how="horizontal")


def _number_or_text(column: pl.Series) -> pl.Series:
    """Texts as numbers, where nearly all of them are some."""
    floats = column.cast(pl.Float64, strict=False)
    return floats if floats.count() >= _NUMBERS * column.count() else column


def _outliers(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for column in frame.get_columns():
        if column.name in NOT_TOLD:
            continue
        if column.dtype == pl.String:
            if column.name not in CHECKED:
                yield _lengths(column)
        elif column.dtype.is_temporal():
            days = column.cast(pl.Datetime("us")).dt.epoch("s")
            yield _told(column.name, days, "is far before the others", "is far after the others")
        elif column.dtype.is_numeric():
            yield _told(column.name, column, "is far below the others", "is far above the others")


def _lengths(column: pl.Series) -> pl.DataFrame:
    """Texts of odd lengths. Where hardly two are alike, they may be counted numbers: the first are short, and right."""
    found = _told(column.name, column.str.len_chars(), _SHORT, "is much longer than usual")
    counted = found.height and count_distinct(column) > _UNIQUE * column.count()
    return found.filter(pl.col("what") != _SHORT) if counted else found


def _told(name: str, values: pl.Series, below: str, above: str) -> pl.DataFrame:
    scores = modified_z(values)
    parts = [
        side.is_not_null().arg_true().alias("row").to_frame().with_columns(pl.lit(what).alias("what"))
        for side, what in ((_beyond(-scores), below), (_beyond(scores), above))
    ]
    return pl.concat(parts).select(pl.lit(name).alias("column"), "row", "what")


def modified_z(values: pl.Series) -> pl.Series:
    """How far each value is from the median, in robust deviations (Iglewicz and Hoaglin 1993, section 3.3).

    Positive values with a long upper tail are measured by their logarithms. Where more than half of the column is one
    value, so that the median absolute deviation is 0, the mean absolute deviation takes its place.

    Args:
        values: Numbers of shape (n,).

    Returns:
        Scores of shape (n,); all null where the column is constant or has too few values.
    """
    floats = values.cast(pl.Float64)
    floats = floats.set(~floats.is_finite(), None)
    if floats.count() < _LEAST:
        return pl.Series([None], dtype=pl.Float64).new_from_index(0, values.len())
    measured = floats.log() if _long_tail(floats) else floats
    away = measured - _number(measured.median())
    deviation = _number(away.abs().median()) / _TO_SIGMA or _number(away.abs().mean()) * _MEAN_TO_SIGMA
    # Dividing by a subnormal number overflows.
    return away / deviation if deviation >= sys.float_info.min else away.set(away.is_not_null(), None)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _long_tail(values: pl.Series) -> bool:
    """Whether all values are positive, and the upper tenth is much farther from the median than the lower."""
    low, middle, high = (_number(values.quantile(share)) for share in (0.1, 0.5, 0.9))
    return _number(values.min()) > 0 and high > low and (high + low - 2 * middle) / (high - low) > _SKEWED


def _beyond(scores: pl.Series) -> pl.Series:
    """The scores that are beyond the lowest threshold beyond which there are few; null for all others.

    Each side has its own threshold: a long upper tail does not hide what is odd below.
    """
    allowed = max(1, int(scores.count() * _MOST / 2))
    for threshold in _THRESHOLDS:
        far = (scores > threshold).fill_null(value=False)
        if far.sum() <= allowed:
            return scores.set(~far, None)
    return scores.set(scores.is_not_null(), None)
