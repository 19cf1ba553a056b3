"""Values as tables and tooltips of a report show them."""

from typing import Final

import polars as pl

from crm.cells import safe_for_terminal, text

LONGEST: Final = 300
"""Longer texts are cut; the command prints them whole."""


def cells(rows: pl.DataFrame) -> list[list[str]]:
    """Rows as texts: numbers with five significant digits, long texts cut, nothing where there is no value."""
    frame = safe_for_terminal(rows.lazy())
    texts = frame.with_columns(
        text(pl.col(name), kind).alias(name)
        for name, kind in frame.collect_schema().items()
        if not (kind.is_numeric() or kind in (pl.String, pl.Boolean))
    )
    return [[_cell(value) for value in row] for row in texts.collect().iter_rows()]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100_000 else f"{value:.5g}"
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
