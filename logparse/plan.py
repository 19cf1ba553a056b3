r"""The plan: split at the literals instead of matching, three to five times faster than the reference.

Why both agree. The reference is `^L0 (f0) L1 (f1) ... Ln$` with lazy groups, so among all ways to cut a line it
takes the one with the shortest f0, then the shortest f1, and so on. The plan cuts each field at the *first*
occurrence of the literal behind it, which is the first candidate of that order. Where every text so found
belongs to its field's pattern, that candidate is a match, and so it is the reference's match. Every other line is
left to the reference. `_proof` says which patterns need a look and which hold by construction.
"""

from itertools import groupby

import polars as pl

from logparse.fields import BRACKETED, LOOSE, QUOTED, TARGET, TEXT
from logparse.pattern import Field, Layout


def parse(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The texts of all fields, for the lines that the plan can prove.

    Args:
        lines: Column `line` (text without its line end), and any others, which are kept.
        layout: The compiled pattern.

    Returns:
        The other columns, `f0 ... fn` (text), `line`, and `proven` (boolean; the fields of other lines
        mean nothing).
    """
    first, last = layout.literals[0], layout.literals[-1]
    rest = pl.col("line").str.strip_prefix(first) if first else pl.col("line")
    frame = lines.with_columns(rest.alias("rest"))
    for literal, names in _steps(layout):
        pieces = pl.col("rest").str.splitn(literal, len(names) + 1)
        frame = frame.with_columns(pieces.struct.rename_fields([*names, "rest"]).alias("pieces"))
        frame = frame.drop("rest").unnest("pieces")
    name = f"f{len(layout.fields) - 1}"
    tail = pl.col("rest").str.strip_suffix(last) if last else pl.col("rest")
    frame = frame.with_columns(tail.alias(name), pl.all_horizontal(_proofs(layout)).fill_null(False).alias("proven"))
    return frame.drop("rest")


def _steps(layout: Layout) -> list[tuple[str, list[str]]]:
    """(literal, fields before it), neighbours with the same literal together: one split does them all."""
    inner = [(literal, f"f{at}") for at, literal in enumerate(layout.literals[1:-1])]
    return [(literal, [name for _, name in same]) for literal, same in groupby(inner, key=lambda step: step[0])]


def _proofs(layout: Layout) -> list[pl.Expr]:
    """Conditions under which the cut is the reference's; evaluated before the last field is cut off `rest`."""
    line, rest = pl.col("line"), pl.col("rest")
    first, last = layout.literals[0], layout.literals[-1]
    proofs = [rest.is_not_null()]
    if first:
        proofs.append(line.str.starts_with(first))
    if last:
        proofs.append(rest.str.ends_with(last))
    if any(field.quoted for field in layout.fields):
        quotes = sum(literal.count('"') for literal in layout.literals)
        proofs.append(line.str.count_matches('"', literal=True) == quotes)
        proofs.append(~line.str.contains("\\", literal=True))
    for at, (field, after) in enumerate(zip(layout.fields, layout.literals[1:], strict=True)):
        text = pl.col(f"f{at}")
        if at == len(layout.fields) - 1:
            text, after = (rest.str.strip_suffix(after) if after else rest), ""
        proofs.extend(_proof(field, after, text))
    return proofs


def _proof(field: Field, after: str, text: pl.Expr) -> list[pl.Expr]:
    """What remains to be shown of one field, whose text holds no `after`."""
    if field.pattern in (LOOSE, QUOTED):  # anything; quotes and escapes are counted over the whole line
        return []
    if field.pattern == TARGET and after == " ":
        return []
    if (field.pattern == TEXT and after == " ") or (field.pattern == BRACKETED and after == "]"):
        return [text != ""]
    return [text.str.contains(f"^(?:{field.pattern})$")]
