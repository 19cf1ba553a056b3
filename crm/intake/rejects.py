"""Rows that are not taken, with the reasons, as a file that can be repaired and imported again.

A rejected row stands there once, however many faults it has: repaired, it is imported once.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

REASONS: Final = (("row", "column", "reason"), ("rejected row", "rejected column", "rejected reason"))
"""The columns in front: the row of the file, the columns at fault, what is wrong; by other names where the file has
one of these."""


def without_reasons(columns: Sequence[str]) -> list[str]:
    """The columns of a file, without those that `rejects_frame` has put in front."""
    found = next((names for names in REASONS if tuple(columns[: len(names)]) == names), ())
    return list(columns[len(found) :])


def rejects_frame(rows: pl.DataFrame, faults: pl.DataFrame, numbers: pl.Series | None = None) -> pl.DataFrame:
    """The rejected rows, each once, in the order of the file.

    Args:
        rows: The rows of the file as they came; without `numbers`, their numbers stand in a last column `row`.
        faults: `row` (its number), `column`, `reason`: one or several of each rejected row.
        numbers: The number of each row.

    Returns:
        `row`, `column` (all that are at fault, separated by commas), `reason` (with several faults each behind its
        column, separated by semicolons), and the columns of the file as they came.
    """
    if numbers is None:
        rows, numbers = rows.drop(_NUMBER), rows[_NUMBER]
    columns = without_reasons(rows.columns)
    names = next(names for names in REASONS if not set(names) & set(columns))
    several = pl.format("{}: {}", pl.col("column").fill_null(""), "reason").str.join("; ")
    each = faults.group_by(pl.col("row").cast(pl.Int64)).agg(
        pl.col("column").drop_nulls().unique(maintain_order=True).str.join(", ").alias(names[1]),
        pl.when(pl.len() > 1).then(several).otherwise(pl.col("reason").first()).alias(names[2]),
    )
    at = numbers.cast(pl.Int64).alias("row").to_frame().with_row_index("at")
    found = at.join(each, on="row", how="inner", maintain_order="left")
    front = found.select(pl.col("row").alias(names[0]), *names[1:])
    return pl.concat([front, rows.select(columns)[found["at"]]], how="horizontal")


_NUMBER: Final = "row"
