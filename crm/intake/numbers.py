"""Amounts and counts as systems write them -> numbers, by expressions over whole columns."""

from typing import Final, Literal

import polars as pl

Point = Literal[".", ","]
"""The sign before the decimals."""

PLAIN: Final = r"^-?\d{1,17}(?:\.\d{1,17})?(?:[eE][-+]?\d{1,3})?$"
"""A number as programs write it, whose text says no more than its value."""

_MONEY: Final = r"(?i)US\$|HK\$|NT\$|[¥£$€元]|块|CNY|RMB|USD|EUR|GBP|JPY|HKD|TWD"
_MINUS: Final = r"^[−–—‐]"
_BRACKETS: Final = r"^\((.*)\)$"
_BLANKS: Final = r"[\s'’_]"
_NUMBER: Final = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"

_COMMA_LAST: Final = r"^[-+]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,}))$"
"""What only a decimal comma makes a number: 1.029,33 and 12,5."""
_POINT_LAST: Final = r"^[-+]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d*\.(?:\d{1,2}|\d{4,})|\d{4,}\.\d+)$"
"""What only a decimal point makes a number: 1,029.33 and 12.5."""
_GROUPED: Final[dict[Point, str]] = {
    ".": r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$",
    ",": r"^[-+]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$",
}

_ORDER: Final[dict[Point, tuple[str, ...]]] = {
    ".": ("1,029.33", "12.5", "1.029,33", "12,5"),
    ",": ("1.029,33", "12,5", "1,029.33", "12.5"),
}


def bare(texts: pl.Series) -> pl.Series:
    """Numbers without signs of currencies and blanks; those between brackets are negative ones."""
    small = texts.str.replace_all(_MONEY, "").str.replace_all(_BLANKS, "").str.replace(_MINUS, "-")
    return small.str.replace(_BRACKETS, "-$1").str.replace(r"^--", "")


def decimal_point(texts: pl.Series) -> Point:
    """The sign before the decimals in a column: a comma if some number needs it and none needs a point.

    Args:
        texts: Clean texts.
    """
    given = bare(texts.filter(~texts.str.contains(PLAIN)).unique())
    if not given.str.contains(_COMMA_LAST).any():
        return "."
    return "." if bare(texts).str.contains(_POINT_LAST).any() else ","


def numbers(texts: pl.Series, point: Point) -> pl.Series:
    """The number of each text; null where it is none, or not finite.

    Args:
        texts: Clean texts.
        point: The sign before the decimals where a number can be read in two ways, such as 1,029.
    """
    text = pl.col("text")
    ways = {
        "1,029.33": pl.when(text.str.contains(_GROUPED["."])).then(_read(text, ".")),
        "1.029,33": pl.when(text.str.contains(_GROUPED[","])).then(_read(text, ",")),
        "12,5": pl.when(text.str.contains(r"^[-+]?\d*,\d+$")).then(_read(text, ",")),
        "12.5": pl.when(text.str.contains(_NUMBER)).then(text),
    }
    # A text that fits two of them is what the column's point says.
    number = pl.coalesce(*(ways[each] for each in _ORDER[point])).cast(pl.Float64, strict=False)
    found = bare(texts).alias("text").to_frame().select(pl.when(number.is_finite()).then(number).alias("number"))
    return found["number"]


def _read(text: pl.Expr, point: Point) -> pl.Expr:
    """A number whose groups of three digits are separated by the sign that is not before the decimals."""
    groups = "," if point == "." else "."
    return text.str.replace_all(groups, "", literal=True).str.replace(",", ".", literal=True)


def as_numbers(values: pl.Series) -> pl.Series:
    """Cells that are numbers already, as floats; null where not finite."""
    floats = values.cast(pl.Float64)
    return floats.set(~floats.is_finite(), None)


def as_integers(values: pl.Series) -> pl.Series:
    """Numbers as whole ones; null where they have decimals or are too large to be exact."""
    whole = (values == values.round(0)) & (values.abs() < 2**53)
    return values.set(~whole, None).cast(pl.Int64)
