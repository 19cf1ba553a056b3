"""The reference parser: one regular expression, obviously right, for every line that the plan leaves."""

import re

import polars as pl

from logparse.layout import Layout


def expression(layout: Layout, fields: int | None = None) -> str:
    """The regular expression of a layout: its literals, and between them every field as a lazy group.

    Args:
        layout: The compiled pattern.
        fields: Only so many fields from the left, open at the end (to see how far a bad line still fits).
    """
    count = len(layout.fields) if fields is None else fields
    parts = ["^", re.escape(layout.literals[0])]
    for at, (field, literal) in enumerate(zip(layout.fields[:count], layout.literals[1:], strict=False)):
        parts += [f"(?P<f{at}>{field.pattern})", re.escape(literal)]
    return "".join(parts) + ("$" if fields is None else "")


def parse(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The texts of all fields of all lines.

    Args:
        lines: Column `line` (text without its line end), and any others, which are kept.
        layout: The compiled pattern.

    Returns:
        The other columns, `f0 ... fn` (text; null where the line does not fit) and `line`.
    """
    groups = pl.col("line").str.extract_groups(expression(layout))
    return lines.with_columns(groups.alias("groups")).unnest("groups")


def failed_field(lines: pl.Series, layout: Layout) -> pl.Series:
    """The first directive at which each line, known not to fit, stops fitting."""
    fitting = [
        pl.col("line").str.contains(expression(layout, count)).cast(pl.Int32)
        for count in range(1, len(layout.fields) + 1)
    ]
    reached = lines.to_frame("line").select(pl.sum_horizontal(fitting)).to_series()
    names = pl.Series([f.directive for f in layout.fields] + ["end of line"])
    return names.gather(reached)
