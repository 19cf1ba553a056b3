"""Rows of a table of records as people want them: extras as columns of their own, of a segment, of a condition."""

import re
from typing import TYPE_CHECKING, Final

import click

from crm.access import AccessConfig

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App

EXTRAS: Final = "extras"

TIMES: Final = ("ts", "registered")
"""What `--since` and `--until` are about: the first of these that the table has."""


def table_rows(app: "App", name: str, segment: str | None = None) -> "pl.LazyFrame":
    """The rows of a table, sorted by its key, that the running command's filters leave.

    Columns that no field is for stand behind the others under their own names, and are personal unless the
    configuration says otherwise (`access.shown`).

    Args:
        app: The run of the program.
        name: The table's name; its contract has a column `extras`.
        segment: Only rows of the members of this segment.

    Raises:
        UsageError: there is no such segment, or the condition is none.
    """
    import polars as pl

    from crm.filters import current_filters
    from crm.output import also_personal
    from crm.segments import members

    workspace = app.workspace()
    contract = app.tables[name]
    frame = workspace.records.frame(name).sort(*contract.key)
    if segment is not None:
        frame = frame.filter(pl.col(contract.person).is_in(members(workspace, segment).implode()))
    frame, names = with_extras(frame) if EXTRAS in frame.columns else (frame, [])
    access = app.config.get("access", AccessConfig)
    also_personal({each: access.personal.get(each, "hidden") for each in names if each not in access.shown})
    filters = current_filters()
    time = next(name for name in TIMES if name in frame.columns)
    found = filters.between(frame.lazy(), time)
    return filters.matching(app, found)


def with_extras(frame: "pl.DataFrame") -> "tuple[pl.DataFrame, list[str]]":
    """A table with its extras as columns of text, and the names of these; the others stay in their order."""
    import polars as pl

    from crm.objects import keys, unpacked

    names = [name for name in keys(frame[EXTRAS]) if name not in frame.columns]
    parts = [frame.drop(EXTRAS), *([unpacked(frame[EXTRAS], names)] if names else [])]
    return pl.concat(parts, how="horizontal"), names


def segment_option(function: "click.decorators.FC") -> "click.decorators.FC":
    """`--segment`: only members of a segment."""
    return click.option("--segment", metavar="NAME", help="Only members of this segment.")(function)


def for_excel_option(function: "click.decorators.FC") -> "click.decorators.FC":
    """`--for-excel`: texts that a spreadsheet would take for formulas are made harmless."""
    return click.option(
        "--for-excel",
        is_flag=True,
        help="Put ' before texts that begin with = + - @, which a spreadsheet would run as formulas.",
    )(function)


def harmless(frame: "pl.LazyFrame") -> "pl.LazyFrame":
    """A table in which no text, and no column's name, is a formula for a spreadsheet; an import takes the sign away."""
    import polars as pl

    texts = [name for name, kind in frame.collect_schema().items() if kind == pl.String]
    guarded = [
        pl.when(pl.col(name).str.contains(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    ]
    return frame.with_columns(guarded).rename(lambda name: f"'{name}" if name[:1] in "=+-@\t\r" and name else name)


def unguarded(frame: "pl.DataFrame") -> "pl.DataFrame":
    """A table without the signs that `harmless` has put into it."""
    import polars as pl

    texts = [column.name for column in frame if column.dtype == pl.String and column.str.contains(GUARDED).any()]
    bare = frame.with_columns(pl.col(*texts).str.replace(GUARDED, "$1")) if texts else frame
    names = {name: name[1:] for name in frame.columns if re.search(GUARDED, name) and name[1:] not in frame.columns}
    return bare.rename(names)


FORMULA: Final = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""
GUARDED: Final = r"^'([=+\-@\t\r])"
