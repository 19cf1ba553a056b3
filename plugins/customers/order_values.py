"""Dates and amounts of orders as systems write them -> dates and numbers, by expressions over whole columns."""

from typing import Final

import polars as pl

DATES: Final = "1997-01-31, 1997/1/31, 19970131, 1997年1月31日 or the number of a day in Excel"
"""What is read as a date, for messages."""

_TIME: Final = r"[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[+-]\d{2}(?::?\d{2})?)?$"
_SPACED: Final = r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?$"
_COMPACT: Final = r"^(\d{4})(\d{2})(\d{2})(?:T?\d{4}(?:\d{2})?Z?)?$"
_EXCEL: Final = r"^(\d{5})(?:\.\d+)?$"
_FIRST_OF_EXCEL: Final = pl.date(1899, 12, 30)
"""The day 0 that makes the numbers of all days from 1 March 1900 right."""

_LARGEST: Final = 1e15
"""Amounts from here on have no exact cents, and sums of the largest numbers are not finite."""

_SIGNS: Final = r"US\$|[\s¥£$€元]|CNY|RMB|USD|EUR"
_THOUSANDS: Final = r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"
_DECIMAL_COMMA: Final = r"^[-+]?\d+,\d{1,2}$"


def dates(values: pl.Series) -> pl.Series:
    """The day of each value; null for what is none. Of a time the day is taken as it is written, whatever its zone."""
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date)
    if values.dtype.is_float():
        values = values.floor().cast(pl.Int64, strict=False)
    text = pl.col("text")
    excel = _FIRST_OF_EXCEL + pl.duration(days=text.str.extract(_EXCEL).cast(pl.Int64))
    found = pl.coalesce(_day(_SPACED), _day(_COMPACT), excel)
    # Times are cut off first: then there are few distinct texts, however many orders there are.
    return _each_once(_plain(values).str.replace(_TIME, ""), found)


def amounts(values: pl.Series) -> pl.Series:
    """The amount of each value; null for what is no number, or 10^15 and more.

    Signs of currencies are passed over. A comma before groups of three digits separates thousands, one before one or
    two digits at the end is the decimal comma.
    """
    if values.dtype.is_numeric():
        number = pl.col(values.name).cast(pl.Float64)
        return values.to_frame().select(_sane(number))[values.name]
    text = pl.col("text").str.replace_all(_SIGNS, "")
    plain = (
        pl.when(text.str.contains(_THOUSANDS))
        .then(text.str.replace_all(",", ""))
        .when(text.str.contains(_DECIMAL_COMMA))
        .then(text.str.replace(",", "."))
        .otherwise(text)
    )
    number = plain.cast(pl.Float64, strict=False)
    return _each_once(_plain(values), _sane(number))


def _sane(number: pl.Expr) -> pl.Expr:
    return pl.when(number.abs() < _LARGEST).then(number)


def _plain(values: pl.Series) -> pl.Series:
    """The text of each value: digits and signs of full width as ordinary ones, without blanks at the ends."""
    return values.cast(pl.String).str.normalize("NFKC").str.strip_chars()


def _day(pattern: str) -> pl.Expr:
    year, month, day = (pl.col("text").str.extract(pattern, group) for group in (1, 2, 3))
    written = pl.concat_str(year, month.str.zfill(2), day.str.zfill(2), separator="-")
    return written.str.to_date("%Y-%m-%d", strict=False)


def _each_once(texts: pl.Series, read: pl.Expr) -> pl.Series:
    """What is read from the column `text`, worked out once for each distinct one."""
    given = texts.alias("text").to_frame()
    known = given.unique().with_columns(read.alias("read"))
    return given.join(known, on="text", how="left", maintain_order="left", nulls_equal=True)["read"]
