"""Faults of rows, as checks of an import give them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, Literal

import polars as pl

Severity = Literal["reject", "warn"]

AHEAD: Final = timedelta(hours=14)
"""A time that names no zone may be so much ahead of UTC."""
MOST: Final = 1e12
"""Sums of so much and more lose their cents."""

FAULT_SCHEMA: Final = {"row": pl.Int64(), "column": pl.String(), "reason": pl.String(), "severity": pl.String()}


def faults_of(
    rows: pl.DataFrame, column: str, wrong: pl.Expr | pl.Series, reason: str | pl.Series, severity: Severity = "reject"
) -> pl.DataFrame:
    """A fault for each row that is wrong.

    Args:
        rows: The rows.
        column: The column that is to blame.
        wrong: Whether each row is; null for no.
        reason: Why, of all, or one of each row.
        severity: What becomes of the row.
    """
    flags = rows.select(wrong).to_series() if isinstance(wrong, pl.Expr) else wrong
    at = flags.fill_null(value=False).arg_true()
    why = reason.gather(at) if isinstance(reason, pl.Series) else pl.Series([reason]).new_from_index(0, len(at))
    return pl.DataFrame({"row": at, "reason": why}).select(
        pl.col("row").cast(pl.Int64), column=pl.lit(column), reason="reason", severity=pl.lit(severity)
    )


Rule = tuple[str, pl.Expr, str, Severity]
"""The column to blame, when it is wrong, why, and what becomes of the row."""


def broken(rows: pl.DataFrame, rules: Iterable[Rule]) -> pl.DataFrame:
    """The faults of all rows by some rules."""
    return pl.concat(
        [pl.DataFrame(schema=FAULT_SCHEMA), *(faults_of(rows, *each[:3], severity=each[3]) for each in rules)]
    )


def negative(*columns: str) -> list[Rule]:
    """Rules that no value of some columns is less than nothing."""
    return [(name, pl.col(name) < 0, "is less than nothing", "reject") for name in columns]


def too_much(*columns: str) -> list[Rule]:
    """Rules that no value of some columns is so large that sums would lose their cents."""
    return [(name, pl.col(name) >= MOST, f"is {MOST:,.0f} or more", "reject") for name in columns]
