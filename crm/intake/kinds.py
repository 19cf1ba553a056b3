"""How the values of each kind of field are brought into form: a function for each, on a column of clean texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from crm.intake import dates, emails, idcards, numbers, phones, texts, words
from crm.intake.fields import Kind


@dataclass(frozen=True)
class Way:
    """How a column is written, found out from all of its values before any is read.

    Attributes:
        region: Country of phone numbers that name none.
        zone: Time zone of times that name none.
        order: What comes first in 3/2/2026.
        point: The sign before the decimals.
    """

    region: str = "CN"
    zone: str = "UTC"
    order: dates.Order = "day-first"
    point: numbers.Point = "."


@dataclass(frozen=True)
class Reading:
    """A column that has been brought into form.

    Attributes:
        values: In the type of the kind; null where there is nothing, or nothing that can be read.
        given: Whether each cell held something.
        same: Whether each text says no more than its value, so that it need not be kept.
        reasons: Why a value that was given could not be read, one of each cell, or for all.
    """

    values: pl.Series
    given: pl.Series
    same: pl.Series
    reasons: pl.Series | str = ""


def read(kind: Kind, values: pl.Series, way: Way) -> Reading:
    """Bring a column into form.

    Args:
        kind: What it holds.
        values: Its cells, of any type.
        way: How they are written.
    """
    typed = _typed(kind, values, way)
    if typed is not None:
        return Reading(typed, values.is_not_null(), _all(values, value=True), _REASONS.get(kind, ""))
    raw = texts.as_texts(values)
    found = texts.without(texts.clean(raw), texts.NOTHING)
    if kind not in _FREE:
        found = texts.without(found, texts.UNKNOWN)
    return _READERS.get(kind, _text)(found, raw, way)


def in_regions(found: Reading, values: pl.Series, chinese: pl.Series) -> Reading:
    """A column of regions, read as texts, with those of China by their short names.

    Args:
        found: What `read` gives.
        values: The cells of the column.
        chinese: Whether each may be in China.
    """
    return _kept(words.regions(found.values, chinese), found.values, texts.as_texts(values))


def type_of(kind: Kind) -> pl.DataType:
    """The type of the values of a kind."""
    return _TYPES.get(kind, pl.String())


def _typed(kind: Kind, values: pl.Series, way: Way) -> pl.Series | None:
    """Cells whose type is that of the kind, or as good; None where they must be read as texts."""
    of, timed = values.dtype, isinstance(values.dtype, pl.Datetime)
    if kind == "date" and (timed or of == pl.Date):
        return values.cast(pl.Date)
    if kind == "timestamp" and (timed or of == pl.Date):
        if isinstance(of, pl.Datetime) and of.time_zone is not None:
            return values.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
        return dates.in_utc(values.cast(pl.Datetime("us")), way.zone)
    if kind in ("number", "integer") and of.is_numeric():
        found = numbers.as_numbers(values)
        return numbers.as_integers(found) if kind == "integer" else found
    return values if kind == "boolean" and of == pl.Boolean else None


def _all(values: pl.Series, *, value: bool) -> pl.Series:
    return pl.Series([value]).new_from_index(0, values.len())


def _kept(values: pl.Series, found: pl.Series, raw: pl.Series, reason: str = "") -> Reading:
    """Texts that are kept as they came where they have changed in more than white space at the ends."""
    given = found.is_not_null()
    return Reading(values, given, (values.eq_missing(raw.str.strip_chars())) | ~given, reason)


def _text(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(found, found, raw)


def _phone(found: pl.Series, raw: pl.Series, way: Way) -> Reading:
    return _kept(phones.phones(found, way.region), found, raw, "is no phone number")


def _email(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(emails.emails(found), found, raw, "is no e-mail address")


def _id_number(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(idcards.id_numbers(found), found, raw, "is no number of an identity card")


def _sex(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(words.words(found, words.SEXES), found, raw)


def _country(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(words.countries(found), found, raw)


def _currency(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    codes = found.str.to_uppercase().zip_with(found.str.contains(r"^[A-Za-z]{3}$"), found)
    return _kept(words.word(found, words.CURRENCIES).fill_null(codes), found, raw)


def _channel(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _kept(words.channels(found), found, raw)


def _date(found: pl.Series, raw: pl.Series, way: Way) -> Reading:
    values = dates.dates(found, way.order)
    return _counted(values, found, raw, dates.PLAIN_DATE, dates.why_none)


def _timestamp(found: pl.Series, raw: pl.Series, way: Way) -> Reading:
    values = dates.moments(found, way.order, way.zone)
    return _counted(values, found, raw, dates.PLAIN_TIME, dates.why_none)


def _number(found: pl.Series, raw: pl.Series, way: Way) -> Reading:
    return _counted(numbers.numbers(found, way.point), found, raw, numbers.PLAIN, "is no number")


def _integer(found: pl.Series, raw: pl.Series, way: Way) -> Reading:
    values = numbers.as_integers(numbers.numbers(found, way.point))
    return _counted(values, found, raw, numbers.PLAIN, "is no whole number")


def _boolean(found: pl.Series, raw: pl.Series, _way: Way) -> Reading:
    return _counted(words.booleans(found), found, raw, r"^(?:true|false|True|False|0|1)$", _REASONS["boolean"])


def _counted(
    values: pl.Series, found: pl.Series, raw: pl.Series, plain: str, why: str | Callable[[pl.Series], pl.Series]
) -> Reading:
    """Values that are no texts; those of a plain form say no more than their value."""
    given = found.is_not_null()
    same = raw.str.strip_chars().str.contains(plain) | ~given
    reasons: pl.Series | str = ""
    if (given & values.is_null()).any():
        reasons = why if isinstance(why, str) else why(found)
    return Reading(values, given, same.fill_null(value=True), reasons)


_FREE: Final[tuple[Kind, ...]] = ("text", "name", "code", "id", "category")
"""Kinds in which a text such as `null` or `无` may be a value."""

LENIENT: Final[tuple[Kind, ...]] = ("phone", "email", "idnumber")
"""Kinds of which a value that is none does not reject its row: it is kept as it came, and the field stays empty."""

_REASONS: Final[dict[Kind, str]] = {
    "number": "is no number",
    "integer": "is no whole number",
    "boolean": "is neither yes nor no",
    "date": "is no date",
    "timestamp": "is no time",
}
_READERS: Final[dict[Kind, Callable[[pl.Series, pl.Series, Way], Reading]]] = {
    "sex": _sex,
    "date": _date,
    "timestamp": _timestamp,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "phone": _phone,
    "email": _email,
    "idnumber": _id_number,
    "country": _country,
    "currency": _currency,
    "channel": _channel,
}
_TYPES: Final[dict[Kind, pl.DataType]] = {
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
}
