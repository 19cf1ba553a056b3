"""Rows of a table of records as people want them: extras as columns of their own, of a segment, of a condition."""

import re
from typing import TYPE_CHECKING, Final

import click

from crm.access import AccessConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from crm.app import App
    from crm.workspace import Workspace

EXTRAS: Final = "extras"
BEHIND: Final = (EXTRAS, "original")
"""Columns of what came in besides the fields, or in another form; they alone make no table personal."""

TIMES: Final = ("ts", "registered", "since", "opened", "sold", "shipped", "made", "last")
"""What `--since` and `--until` are about: the first of these that the table has."""


def table_rows(app: "App", name: str, segment: str | None = None, *, extras: bool = True) -> "pl.LazyFrame":
    """The rows of a table, sorted by its key, that the running command's filters leave; read as they are wanted.

    Args:
        app: The run of the program.
        name: The table's name.
        segment: Only rows of the members of this segment.
        extras: Whether the table needs the columns that no field is for.

    Raises:
        UsageError: there is no such segment, or the condition is none.
    """
    return filtered_rows(app, stored_rows(app, name, segment, extras=extras))


def filtered_rows(app: "App", frame: "pl.LazyFrame") -> "pl.LazyFrame":
    """The rows of a table of records that the running command's filters leave.

    Raises:
        UsageError: the condition is none.
    """
    from crm.filters import current_filters

    filters, names = current_filters(), frame.collect_schema()
    time = next((each for each in TIMES if each in names), None)
    return filters.matching(app, frame if time is None else filters.between(frame, time))


def stored_rows(app: "App", name: str, segment: str | None = None, *, extras: bool = True) -> "pl.LazyFrame":
    """All rows of a table, or of a segment, sorted by its key; read as they are wanted.

    Columns that no field is for stand behind the others under their own names, and in a table of people they are
    personal unless the configuration says otherwise (`access.shown`).

    Args:
        app: The run of the program.
        name: The table's name.
        segment: Only rows of the members of this segment.
        extras: Whether the table needs the columns that no field is for.

    Raises:
        UsageError: there is no such segment.
    """
    import polars as pl

    from crm.output import also_personal, impersonal
    from crm.segments import members

    workspace, contract = app.workspace(), app.tables[name]
    names = _extras(workspace, name) if extras and EXTRAS in (column.name for column in contract.columns) else []
    access = app.config.get("access", AccessConfig)
    if contract.person:
        also_personal({each: access.personal.get(each, "hidden") for each in names if each not in access.shown})
    elif all(each.mask is None or each.name in BEHIND for each in contract.columns):
        impersonal()
    frame = _scanned(workspace, name, names)
    if segment is not None:
        now = _now(workspace, name, contract.person)
        frame = frame.join(
            now.filter(pl.col(" now").is_in(members(workspace, segment).implode())).select(contract.person).lazy(),
            on=contract.person,
            how="semi",
            maintain_order="left",
        )
    return frame


def _now(workspace: "Workspace", name: str, person: str) -> "pl.DataFrame":
    """The ids of a table as they are, and as they are now that records have been merged."""
    import polars as pl

    from crm.identities import current_ids

    ids = workspace.records.frame(name, columns=[person])[person].unique()
    return pl.DataFrame({person: ids, " now": current_ids(workspace, ids)})


def _extras(workspace: "Workspace", name: str) -> list[str]:
    """The names of all columns of a table's rows that no field is for."""
    from crm.objects import keys

    taken = {column.name for column in workspace.tables[name].columns}
    found = {key for part in workspace.records.batches(name, columns=[EXTRAS]) for key in keys(part[EXTRAS])}
    return sorted(found - taken)


def _scanned(workspace: "Workspace", name: str, names: "Sequence[str]") -> "pl.LazyFrame":
    """A table as a lazy frame that reads it batch by batch, with its extras as columns."""
    import polars as pl
    from polars.io.plugins import register_io_source

    from crm.schema import polars_schema
    from crm.turns import Turns

    contract, turns = workspace.tables[name], Turns()
    schema = {key: kind for key, kind in polars_schema(contract).items() if key != EXTRAS}
    schema |= dict.fromkeys(names, pl.String())

    def rows(
        columns: "list[str] | None", condition: "pl.Expr | None", count: int | None, _size: int | None
    ) -> "Iterator[pl.DataFrame]":
        left = count
        for part in workspace.records.batches(name, order=contract.key):
            found = with_extras(part, names)
            found = found if condition is None else found.filter(condition)
            found = found if left is None else found.head(left)
            left = None if left is None else left - found.height
            yield found if columns is None else found.select(columns)
            if left == 0:
                return

    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(turns.end)
    return register_io_source(lambda *asked: turns.each(rows(*asked)), schema=schema)


def with_extras(frame: "pl.DataFrame", names: "Sequence[str] | None" = None) -> "pl.DataFrame":
    """A table with its extras as columns of text behind the others.

    Args:
        frame: The table; without a column `extras` it stays as it is.
        names: The columns; all that there are if None.
    """
    import polars as pl

    from crm.objects import keys, unpacked

    if EXTRAS not in frame.columns:
        return frame
    found = keys(frame[EXTRAS]) if names is None else list(names)
    parts = [frame.drop(EXTRAS), *([unpacked(frame[EXTRAS], found)] if found else [])]
    return pl.concat(parts, how="horizontal")


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
