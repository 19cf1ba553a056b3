"""Plans made of the plan, for layouts that it cannot take as they are.

Where fields touch, the plan cuts them as one, and a regular expression finds their borders in that text. That needs a
sure end: the end of the line, a quote (see `logparse.plan`), or a space where none of their patterns has one; else
such lines are the reference's. Where the last field takes the rest of a line whose quotes nobody has counted, the plan
takes the line up to the last quote of the literals: shorter fields come first in the reference's order, and the
rest fits anything.
"""

from dataclasses import replace

import polars as pl

from logparse import plan, reference
from logparse.fields import DECIMAL, LOOSE, NUMBER, SIGNED, TARGET, TEXT, TOUCHING
from logparse.layout import Field, Layout

SPACELESS = frozenset({*TOUCHING.values(), TEXT, TARGET, NUMBER, DECIMAL, SIGNED})


def planned(lines: pl.DataFrame, layout: Layout, data: bytes | None = None) -> pl.DataFrame:
    """The texts of all fields, for the lines that the plan can prove; see `logparse.plan.parse`."""
    if any(not literal for literal in layout.literals[1:-1]):
        return _touching(lines, layout, data)
    if _takes_rest(layout):
        return _open(lines, layout)
    return plan.parse(lines, layout, data)


def squeezed_plan(lines: pl.DataFrame, layout: Layout, _data: bytes | None = None) -> pl.DataFrame:
    """The same on lines whose runs of spaces count as one."""
    return planned(_squeezed(lines), layout).with_columns(lines["line"])


def squeezed_reference(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The reference on lines whose runs of spaces count as one."""
    return reference.parse(_squeezed(lines), layout).with_columns(lines["line"])


def squeezed_failed_field(lines: pl.Series, layout: Layout) -> pl.Series:
    """The field at fault of such lines."""
    return reference.failed_field(_squeezed(lines.to_frame("line"))["line"], layout)


def _squeezed(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(pl.col("line").str.replace_all("  +", " "))


def _touching(lines: pl.DataFrame, layout: Layout, data: bytes | None) -> pl.DataFrame:
    groups = _groups(layout)
    literals = [layout.literals[0], *(layout.literals[group[-1] + 1] for group in groups)]
    joined = [_joined([layout.fields[at] for at in group]) for group in groups]
    if not all(_sure_end(layout, group, at == len(groups) - 1) for at, group in enumerate(groups) if len(group) > 1):
        nothing = [pl.lit(None, dtype=pl.String).alias(f"f{at}") for at in range(len(layout.fields))]
        return lines.with_columns(*nothing, pl.lit(False).alias("proven"))
    found = planned(lines, replace(layout, fields=tuple(joined), literals=tuple(literals)), data)
    parts: list[pl.Expr] = []
    for number, group in enumerate(groups):
        text = pl.col(f"f{number}")
        if len(group) == 1:
            parts.append(text.alias(f"f{group[0]}"))
            continue
        text = text.cast(pl.String)
        cut = text.str.extract_groups("".join(["^", *(f"({layout.fields[at].pattern})" for at in group), "$"]))
        parts += [cut.struct.field(str(place)).alias(f"f{at}") for place, at in enumerate(group, 1)]
    kept = [name for name in lines.columns if name != "line"]
    return found.select(*kept, "line", "proven", *parts)


def _groups(layout: Layout) -> list[list[int]]:
    """The numbers of the fields, those that touch together."""
    groups: list[list[int]] = []
    for at in range(len(layout.fields)):
        if at and not layout.literals[at]:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _joined(fields: list[Field]) -> Field:
    """Fields that touch as one, whose pattern the plan knows by nothing but its text."""
    if len(fields) == 1:
        return fields[0]
    return Field("ignore", "", "".join(f"(?:{field.pattern})" for field in fields))


def _sure_end(layout: Layout, group: list[int], last: bool) -> bool:
    """Whether nobody can mistake where fields that touch end together."""
    after = layout.literals[group[-1] + 1]
    if after.startswith('"') or (last and not after):
        return True
    return after.startswith(" ") and all(layout.fields[at].pattern in SPACELESS for at in group)


def _takes_rest(layout: Layout) -> bool:
    *_, before, last = layout.literals
    return not last and '"' in before and layout.fields[-1].pattern == LOOSE and layout.fields[-1].role == "ignore"


def _open(lines: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The plan on the line up to the last quote before the rest."""
    quotes = sum(literal.count('"') for literal in layout.literals)
    head, tail = layout.literals[-2].rsplit('"', 1)
    rest = pl.col("line").str.splitn('"', quotes + 1).struct.field(f"field_{quotes}")
    frame = lines.with_columns(rest.alias("rest"), pl.col("line").alias("whole"))
    frame = frame.with_columns(pl.col("line").str.strip_suffix(pl.col("rest")))
    short = replace(layout, fields=layout.fields[:-1], literals=(*layout.literals[:-2], head + '"'))
    found = planned(frame, short)
    return found.with_columns(
        pl.col("rest").str.strip_prefix(tail).alias(f"f{len(layout.fields) - 1}"),
        (pl.col("proven") & pl.col("rest").str.starts_with(tail)).fill_null(False).alias("proven"),
        pl.col("whole").alias("line"),
    ).drop("rest", "whole")
