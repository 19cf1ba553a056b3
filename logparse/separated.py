r"""Lines of values with a separator between them: W3C extended logs and CSV.

A value between double quotes may hold the separator, and quotes doubled. The reference is the regular expression of
the layout, with quotes taken off what stands between them. The plan splits, and proves two kinds of lines: those
without any quote, whose separators all separate; and those that begin and end with a quote and hold just two a
value, all of them around separators, so that no value holds one.
"""

import polars as pl

from logparse import reference as regex
from logparse.layout import Layout


def plan(lines: pl.DataFrame, layout: Layout, _data: bytes | None = None) -> pl.DataFrame:
    """The texts of all fields, for the lines that the plan can prove; see `logparse.plan.parse`."""
    line, separator = lines["line"], layout.literals[1] if len(layout.fields) > 1 else ","
    names = [f"f{at}" for at in range(len(layout.fields))]
    quotes = line.str.count_matches('"', literal=True)
    bare, full = quotes == 0, quotes == 2 * len(names)
    inner = line.str.strip_prefix('"').str.strip_suffix('"')
    joint = f'"{separator}"'
    if bare.all():
        split, around = line.str.split(separator), bare
    else:
        enclosed = line.str.starts_with('"') & line.str.ends_with('"') & (line.str.len_bytes() > 1)
        split = pl.select(pl.when(full).then(inner.str.split(joint)).otherwise(line.str.split(separator))).to_series()
        around = bare | (full & enclosed)
    proven = around & (split.list.len() == len(names))
    fields = split.list.to_struct(fields=names).struct.unnest()
    out = lines.with_columns(*fields, proven.alias("proven"))
    if separator == " ":  # where two stand side by side, no value is between them
        filled = pl.all_horizontal(pl.col(names) != "")
        out = out.with_columns(pl.col("proven") & (filled | pl.lit(quotes > 0)))
    return out.with_columns(pl.col("proven").fill_null(False))


def reference(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The texts of all fields of all lines, null where a line does not fit; see `logparse.reference.parse`."""
    names = [f"f{at}" for at in range(len(layout.fields))]
    return regex.parse(lines, layout).with_columns(_unquoted(pl.col(name)).alias(name) for name in names)


def _unquoted(text: pl.Expr) -> pl.Expr:
    """A value without the quotes around it, and with those doubled in it single."""
    inner = text.str.strip_prefix('"').str.strip_suffix('"').str.replace_all('""', '"', literal=True)
    is_quoted = text.str.contains(r'(?s)^"(?:[^"]|"")*"$')
    return pl.when(is_quoted).then(inner).otherwise(text)
