"""Vehicle identification numbers: seventeen signs, without I, O and Q, and a check digit that not all makers use.

ISO 3779 (GB 16735 in China) gives the form. The check digit at the ninth place is that of 49 CFR 565.15(c), which GB
16735 prescribes, too; vehicles for other markets are made without it, so a wrong one is only odd.
"""

from typing import Final

import polars as pl

FORM: Final = r"^[0-9A-HJ-NPR-Z]{17}$"

_VALUES: Final = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def written(vin: pl.Expr) -> pl.Expr:
    """A number as it is kept: large letters, without blanks and hyphens."""
    return vin.str.to_uppercase().str.replace_all(r"[\s\-]", "")


def malformed(vin: pl.Expr) -> pl.Expr:
    """Whether it cannot be a vehicle identification number."""
    return ~vin.str.contains(FORM)


def wrong_digit(vin: pl.Expr) -> pl.Expr:
    """Whether the check digit of a well-formed number is wrong: its remainder by 11, where X stands for 10."""
    total = pl.sum_horizontal(
        vin.str.slice(place, 1).replace_strict(_VALUES, default=0, return_dtype=pl.Int32) * weight
        for place, weight in enumerate(_WEIGHTS)
    )
    digit = total % 11
    wanted = pl.when(digit == 10).then(pl.lit("X")).otherwise(digit.cast(pl.String))
    return ~malformed(vin) & (vin.str.slice(8, 1) != wanted)
