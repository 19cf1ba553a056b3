"""xlsx: at most the million rows that Excel can hold. Needs the extra `excel`."""

import math
import shutil
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import polars as pl

from crm import cells
from crm.errors import UsageError

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    Put = Callable[[int, int, Any], object]

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
MOST_CHARACTERS: Final = 32_767

_EXACT: Final = 10**15
"""Excel keeps 15 digits: a longer number, such as a visitor's id, is written as text."""
_FIRST_YEAR: Final = 1900
_TIME: Final = "yyyy-mm-dd hh:mm:ss"
_DAY: Final = "yyyy-mm-dd"
_TIME_WIDTH: Final = 19


def write_xlsx(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """An Excel workbook of one sheet; texts stay texts, times are in their zone but do not name it.

    Raises:
        UsageError: the table is beyond what Excel can hold.
    """
    from xlsxwriter import Workbook

    table = _prepared(frame).head(MOST_ROWS).collect()
    _check(table)
    # The archive is put together by seeking in it, which a pipe cannot do.
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as archive:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        book = Workbook(archive, options)
        formats = {kind: book.add_format({"num_format": kind}) for kind in (_TIME, _DAY)}
        _fill(book.add_worksheet(), table, formats)
        book.close()
        archive.seek(0)
        shutil.copyfileobj(archive, out)


def _check(table: pl.DataFrame) -> None:
    """Refuse what Excel cannot hold before a file is begun."""
    if table.width > MOST_COLUMNS:
        raise UsageError(f"Excel holds at most {MOST_COLUMNS:,} columns; choose some with --columns")
    if table.height >= MOST_ROWS:  # one row is the header
        raise UsageError(f"Excel holds at most {MOST_ROWS - 1:,} rows; use -n, or write csv or parquet")
    for column in table.select(pl.col(pl.String)).get_columns():
        # Excel counts in UTF-16, where a character is one unit or two.
        for text in column.filter(column.str.len_chars() > MOST_CHARACTERS // 2):
            units = len(text.encode("utf-16-le")) // 2
            if units > MOST_CHARACTERS:
                raise UsageError(
                    f"a cell of {column.name} has {units:,} characters, and Excel holds {MOST_CHARACTERS:,}; "
                    "leave the column out with --columns, or write csv or parquet"
                )


def _prepared(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Numbers, booleans, days and times without zone as Excel has them; all else as text."""
    exprs = []
    for name, dtype in frame.collect_schema().items():
        column = pl.col(name)
        if isinstance(dtype, pl.Datetime):
            exprs.append(column.dt.replace_time_zone(None).dt.cast_time_unit("us"))
        elif isinstance(dtype, pl.Decimal):
            exprs.append(column.cast(pl.Float64))
        elif not (dtype.is_numeric() or dtype in (pl.Boolean, pl.String, pl.Date)):
            exprs.append(cells.text(column, dtype))
    return frame.with_columns(exprs) if exprs else frame


def _fill(sheet: "Worksheet", table: pl.DataFrame, formats: "dict[str, Format]") -> None:
    puts = []
    for at, (name, dtype) in enumerate(table.schema.items()):
        sheet.write_string(0, at, name)
        puts.append(_put(sheet, dtype, formats))
        if dtype.is_temporal():
            sheet.set_column(at, at, _TIME_WIDTH)
    sheet.freeze_panes(1, 0)
    for row, values in enumerate(table.iter_rows(), start=1):
        for at, (put, value) in enumerate(zip(puts, values, strict=True)):
            if value is not None:
                put(row, at, value)


def _put(sheet: "Worksheet", dtype: pl.DataType, formats: "dict[str, Format]") -> "Put":
    """What writes a value of this type into a cell."""
    text: Put = sheet.write_string
    boolean: Put = sheet.write_boolean
    if dtype == pl.Boolean:
        return boolean
    if dtype.is_integer():
        return lambda row, at, value: (
            sheet.write_number(row, at, value) if abs(value) < _EXACT else text(row, at, str(value))
        )
    if dtype.is_float():
        return lambda row, at, value: (
            sheet.write_number(row, at, value) if math.isfinite(value) else text(row, at, str(value))
        )
    if dtype.is_temporal():
        style = formats[_DAY if dtype == pl.Date else _TIME]
        return lambda row, at, value: (
            sheet.write_datetime(row, at, value, style)
            if value.year >= _FIRST_YEAR
            else text(row, at, value.isoformat())
        )
    return text
