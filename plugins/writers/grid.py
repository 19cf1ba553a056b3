"""table and md: aligned columns, for people. The whole table is held in memory to align it."""

import math
import re
import shutil
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

import polars as pl

from crm import cells
from crm.width import fit, shorten, width

Kind = Literal["number", "text", "other"]

_LEAST: Final = 8
"""No text is cut to fewer columns of the terminal than this."""
_DECIMALS: Final = 4
_SMALLEST: Final = 12
"""Numbers under 10 to the minus this print as 0."""
_GAP: Final = 2
_PADDING: Final = 2
"""A column is this much wider than its header, where there is room."""
_PIPES: Final = re.compile(r"\\*\|")


@dataclass
class _Grid:
    """A table as text.

    Attributes:
        header: The names of the columns.
        columns: The cells of each column.
        kinds: What each column holds.
        padding: How much wider a column is than its header, at least.
    """

    header: list[str]
    columns: list[list[str]]
    kinds: list[Kind]
    padding: int = _PADDING


def write_table(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """Aligned columns under a header; on a terminal long texts are cut so that a row is a line.

    Where a row cannot be a line of the terminal, it is one line a column.
    """
    grid = _grid(frame)
    room = shutil.get_terminal_size().columns if out.isatty() else None
    if room is not None and any(grid.columns) and not (_fit(grid, room, _PADDING) or _fit(grid, room, 0)):
        _print_upright(grid, room, out)
    else:
        _print(grid, "simple", out)


def write_markdown(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """A Markdown table (GFM); what would end a cell or begin a tag is escaped."""
    grid = _grid(frame)
    grid.header = [_markdown(text) for text in grid.header]
    grid.columns = [
        column if kind == "number" else [_markdown(text) for text in column]
        for column, kind in zip(grid.columns, grid.kinds, strict=True)
    ]
    _print(grid, "pipe", out)


def number(value: float) -> str:
    """A float without exponent and with at most four significant decimals: 0.01234, 1234.5678, 3."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    if value == 0:
        return "0"
    zeros = max(0, -1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(_DECIMALS + zeros, _SMALLEST)}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _grid(frame: pl.LazyFrame) -> _Grid:
    schema = frame.collect_schema()
    table = frame.pipe(cells.flat).pipe(cells.safe_for_terminal).collect()
    return _Grid(
        header=table.columns,
        columns=[_texts(column) for column in table.get_columns()],
        kinds=[_kind(dtype) for dtype in schema.dtypes()],
    )


def _kind(dtype: pl.DataType) -> Kind:
    if dtype.is_numeric():
        return "number"
    return "text" if dtype == pl.String or dtype.is_nested() else "other"


def _texts(column: pl.Series) -> list[str]:
    if column.dtype.is_float():
        return ["" if value is None else number(value) for value in column.to_list()]
    return column.cast(pl.String).fill_null("").to_list()


def _markdown(text: str) -> str:
    piped = _PIPES.sub(lambda found: "\\\\" * (len(found[0]) - 1) + r"\|", text)
    return piped.replace("<", r"\<")


def _fit(grid: _Grid, room: int, padding: int) -> bool:
    """Cut texts so that the grid fits, if they can be; never numbers, times, and names of columns."""
    names = [width(name) + padding for name in grid.header]
    widths = [max(name, *map(width, column), 0) for name, column in zip(names, grid.columns, strict=True)]
    least = [
        min(wide, max(name, _LEAST)) if kind == "text" else wide
        for wide, name, kind in zip(widths, names, grid.kinds, strict=True)
    ]
    room -= _GAP * (len(widths) - 1)
    if sum(least) > room:
        return False
    grid.padding = padding
    limits = fit(widths, least, room)
    grid.columns = [
        [shorten(text, limit) for text in column] for column, limit in zip(grid.columns, limits, strict=True)
    ]
    return True


def _print_upright(grid: _Grid, room: int, out: BinaryIO) -> None:
    """Each row as lines of a name and a value, with an empty line between rows; long values are cut."""
    wide = max(map(width, grid.header)) + _GAP
    names = [name + " " * (wide - width(name)) for name in grid.header]
    cut = [[shorten(text, max(room - wide, _LEAST)) for text in column] for column in grid.columns]
    rows = ([f"{name}{text}".rstrip() for name, text in zip(names, row, strict=True)] for row in zip(*cut, strict=True))
    out.write("\n".join("".join(f"{line}\n" for line in row) for row in rows).encode())


def _print(grid: _Grid, style: str, out: BinaryIO) -> None:
    import tabulate

    tabulate.MIN_PADDING = grid.padding  # it knows no argument for it
    text = tabulate.tabulate(
        list(zip(*grid.columns, strict=True)),
        headers=grid.header,
        tablefmt=style,
        disable_numparse=True,
        colalign=["right" if kind == "number" else "left" for kind in grid.kinds],
    )
    lines = [line.rstrip() for line in text.split("\n")]
    out.write("".join(f"{line}\n" for line in lines).encode())
