"""Numbers of Chinese identity cards (GB 11643): their check digit, the old ones of 15 digits, what they say.

The check digit is that of ISO 7064, MOD 11-2: the sum of all 18 signs, each with its weight, is 1 modulo 11.
"""

from typing import Final

import polars as pl

_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))
_CHECKS: Final = "10X98765432"
"""The check digit by the weighted sum of the others, modulo 11."""

_WHOLE: Final = r"^\d{17}[\dX]$"
_OLD: Final = r"^\d{15}$"
_CENTURY: Final = "19"
"""That of birth of everybody who has an old number, which leaves it out."""


def id_numbers(texts: pl.Series) -> pl.Series:
    """Numbers in capital letters without blanks and dashes; those of 15 digits as the 18 that they became.

    A text of 18 signs that has another check digit, or no date of birth, is no number and gives null. What has
    another form is a passport, or the like, and stays.

    Args:
        texts: Clean texts.
    """
    bare = texts.str.to_uppercase().str.replace_all(r"[ \-]", "").alias("text")
    text = pl.col("text")
    longer = text.str.head(6) + _CENTURY + text.str.slice(6)
    old = longer + check_digit(longer)
    right = (text.str.tail(1) == check_digit(text)) & birth(text).is_not_null()
    number = (
        pl.when(text.str.contains(_WHOLE))
        .then(pl.when(right).then(text))
        .when(text.str.contains(_OLD) & birth(longer).is_not_null())
        .then(old)
        .otherwise(text)
    )
    return bare.to_frame().select(number)["text"]


def check_digit(number: pl.Expr) -> pl.Expr:
    """The last sign of a number of 18, from its first 17 digits."""
    weighted = (
        number.str.slice(place, 1).cast(pl.Int32, strict=False) * weight for place, weight in enumerate(_WEIGHTS)
    )
    total = pl.sum_horizontal(*weighted, ignore_nulls=False) % len(_CHECKS)
    return total.replace_strict(list(range(len(_CHECKS))), list(_CHECKS), default=None, return_dtype=pl.String)


def birth(number: pl.Expr) -> pl.Expr:
    """The date of birth in a number of 18 signs; null where there is none."""
    return number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
