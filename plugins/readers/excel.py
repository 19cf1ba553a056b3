"""xlsx and other workbooks: numbers, days and times have types, and what a cell holds as text stays as it is.

Needs the extra `excel`.
"""

import logging
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from crm.content import Content, Read
from crm.errors import Unusable, UsageError
from crm.nearest import did_you_mean, one_of
from plugins.readers import naming

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_ABOVE: Final = 100
"""The header is looked for in so many rows."""
_EXACT: Final = 2**53
"""Larger whole numbers are not told apart by a float, which is what Excel keeps."""


def read_xlsx(content: Content) -> Read:
    """The table of a sheet. Its first row that is not empty names the columns; empty rows are none.

    Raises:
        UsageError: the extra is missing, there is no such sheet, or the user has named a separator or an encoding.
        Unusable: it is no workbook that can be read.
    """
    content.without(encoding=content.encoding, separator=content.separator)
    try:
        import fastexcel
    except ImportError:
        raise UsageError("xlsx needs another package: pip install 'crm-toolkit[excel]'") from None
    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it warns of every empty column
    try:
        book = fastexcel.read_excel(content.data)
        sheet = _sheet(book, content)
        frame, warnings = _table(book, sheet, content.name)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0].removeprefix("calamine error: ")
        raise Unusable(f"{content.name}: it is no workbook that can be read: {reason}") from error
    others = len(book.sheet_names) > 1 and content.sheet is None
    return Read(frame, said=(f"sheet `{sheet}` of {one_of(book.sheet_names)}",) if others else (), warnings=warnings)


def _sheet(book: "ExcelReader", content: Content) -> str:
    names = list(book.sheet_names)
    if not names:
        raise Unusable(f"{content.name}: the workbook has no sheets")
    if content.sheet is None:
        return str(names[0])
    if content.sheet not in names:
        guess = did_you_mean(content.sheet, names)
        raise UsageError(f"{content.name}: no sheet `{content.sheet}`{guess}; there are: {one_of(names)}")
    return content.sheet


def _table(book: "ExcelReader", sheet: str, name: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    above = _load(book, sheet, skip_rows=0, n_rows=_ABOVE, dtypes="string")
    filled = [at for at, row in enumerate(above.iter_rows()) if any(row)]
    if not filled:
        raise Unusable(f"{name}: the sheet `{sheet}` is empty; expected a row with the names of columns")
    header = above.row(filled[0])
    body = _load(book, sheet, skip_rows=filled[0] + 1, schema_sample_rows=None)
    used = [
        (column, header[at] or "")
        for at, column in enumerate(body.get_columns())
        if header[at] or column.null_count() < len(column)
    ]
    names, warnings = naming.columns(each for _, each in used)
    frame = pl.DataFrame([_typed(column).alias(each) for (column, _), each in zip(used, names, strict=True)])
    return frame.filter(pl.any_horizontal(pl.all().is_not_null())), warnings


def _load(book: "ExcelReader", sheet: str, **options: Any) -> pl.DataFrame:
    frame: pl.DataFrame = book.load_sheet(sheet, header_row=None, **options).to_polars()
    return frame


def _typed(column: pl.Series) -> pl.Series:
    """Whole numbers as such, and times that are all midnight as days: Excel knows but one kind of either."""
    known = column.drop_nulls()
    if column.dtype == pl.Null:
        return column.cast(pl.String)
    if column.dtype == pl.Float64 and ((known == known.round()) & (known.abs() <= _EXACT)).all():
        return column.cast(pl.Int64)
    if isinstance(column.dtype, pl.Datetime) and (known == known.dt.truncate("1d")).all():
        return column.cast(pl.Date)
    return column
