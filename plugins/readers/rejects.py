"""Rows that cannot be read, as readers give them back: `crm.content.REJECT_COLUMNS`."""

from collections.abc import Sequence
from typing import Final

import polars as pl

REJECTS: Final = pl.Schema({"row": pl.Int64, "line": pl.Int64, "reason": pl.String, "text": pl.String})


def of_widths(rows: pl.DataFrame, width: int) -> pl.DataFrame:
    """Rows with the wrong number of fields.

    Args:
        rows: `row`, `line`, `fields` (how many there are) and `text`.
        width: How many there should be.
    """
    fields = pl.col("fields")
    noun = pl.when(fields == 1).then(pl.lit("field")).otherwise(pl.lit("fields"))
    reason = pl.format("has {} {}, and the header has {}", fields, noun, pl.lit(width))
    return rows.with_columns(reason.alias("reason")).select(REJECTS.names()).cast(REJECTS)


def of_reasons(rows: Sequence[tuple[int, int | None, str, str]]) -> pl.DataFrame | None:
    """Rows as tuples of row, line, reason and text; None for none."""
    return pl.DataFrame(list(rows), schema=REJECTS, orient="row") if rows else None
