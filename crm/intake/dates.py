"""Dates and times as systems write them -> dates and moments, by expressions over distinct texts."""

from typing import Final, Literal, get_args

import polars as pl

from crm.intake.texts import each_once, read_rest

Order = Literal["day-first", "month-first"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)

PLAIN_DATE: Final = r"^\d{4}-\d{2}-\d{2}(?:[ T]00:00(?::00(?:\.0+)?)?)?$"
PLAIN_TIME: Final = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?(?:Z|[+-]00:?00)?$"
"""A date and a time as programs write them, whose text says no more than its value."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CHINESE: Final = {"年": "-", "月": "-", "日": " ", "号": " ", "时": ":", "點": ":", "点": ":", "分": ":", "秒": ""}

_TIME: Final = (
    r"(?:(?:t|\s+|\s*,\s*)(?P<half>am|pm|凌晨|上午|中午|下午|晚上)?\s*(?P<h>\d{1,2}):(?P<n>\d{1,2})"
    r"(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,6})\d*)?)?:?\s*(?P<after>am|pm)?\s*(?P<zone>z|utc|gmt|[+-]\d{2}:?(?:\d{2})?)?)?\s*$"
)
_YMD: Final = r"^(?P<y>\d{4})\s*[-/.]\s*(?P<m>\d{1,2})\s*[-/.]\s*(?P<d>\d{1,2})" + _TIME
_ABC: Final = r"^(?P<a>\d{1,2})\s*(?P<sign>[-/.])\s*(?P<b>\d{1,2})\s*[-/.]\s*(?P<y>\d{4})" + _TIME
_DAY_MONTH: Final = (
    r"^(?:[a-z]{3,9},?\s+)?(?P<d>\d{1,2})(?:st|nd|rd|th)?[\s.-]*(?P<name>[a-z]{3,9})[\s.,-]*(?P<y>\d{4})" + _TIME
)
_MONTH_DAY: Final = r"^(?P<name>[a-z]{3,9})[\s.-]*(?P<d>\d{1,2})(?:st|nd|rd|th)?\s*,?\s+(?P<y>\d{4})" + _TIME
_COMPACT: Final = r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:[t\s]?(?P<h>\d{2})(?P<n>\d{2})(?P<s>\d{2})?(?P<zone>z)?)?$"
_SERIAL: Final = r"^(?P<serial>\d{5}(?:\.\d+)?)$"
_EPOCH: Final = r"^(?P<epoch>\d{10}|\d{13})$"
_FORMS: Final = (_YMD, _ABC, _COMPACT, _DAY_MONTH, _MONTH_DAY, _SERIAL, _EPOCH)
_PARTS: Final = (
    *("y", "m", "d", "a", "sign", "b", "name"),
    *("half", "h", "n", "s", "f", "after", "zone"),
    "serial",
    "epoch",
)
_SHORT: Final = r"^\d{1,2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?(?:\D|$)"

_EXCEL: Final = pl.datetime(1899, 12, 30)
"""The day 0 that makes the numbers of all days from 1 March 1900 right."""
_DAY: Final = 24 * 60 * 60 * 1_000_000


def order_of(texts: pl.Series) -> Order | None:
    """Whether the day or the month comes first in the dates of a column such as 3/2/2026; None where both are possible.

    Args:
        texts: Clean texts.
    """
    found = texts.unique().str.extract_groups(_ABC).struct.unnest().filter(pl.col("sign") != ".")
    first, second = (found[part].cast(pl.Int32) for part in "ab")
    fits: dict[Order, bool] = {
        "day-first": not (second > 12).any() or bool((first > 12).any()),
        "month-first": not (first > 12).any(),
    }
    if all(fits.values()):
        return None if found.height else "day-first"
    return "day-first" if fits["day-first"] else "month-first"


def dates(texts: pl.Series, order: Order) -> pl.Series:
    """The day of each text; null for what is none. Of a time the day is taken as it is written, whatever its zone.

    Args:
        texts: Clean texts.
        order: What comes first in 3/2/2026.
    """
    quick = texts.str.to_date("%Y-%m-%d", strict=False)
    quick = quick.set(texts.str.len_bytes() != len("2026-03-02"), None)
    return read_rest(texts, quick, lambda rest: each_once(rest, lambda known: _written(known, order)["date"]))


def moments(texts: pl.Series, order: Order, zone: str) -> pl.Series:
    """The moment of each text in UTC; null for what is none. A date is its midnight.

    Args:
        texts: Clean texts.
        order: What comes first in 3/2/2026.
        zone: Where clocks showed times that name no zone.
    """
    quick = texts.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    quick = quick.set(texts.str.len_bytes() != len("2026-03-02 10:00:00"), None)
    local = in_utc(quick, zone)
    return read_rest(texts, local, lambda rest: each_once(rest, lambda known: _moments(known, order, zone)))


def in_utc(local: pl.Series, zone: str) -> pl.Series:
    """Times of clocks as moments in UTC. Of an hour that comes twice the first is meant; one left out is null."""
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))


def why_none(texts: pl.Series) -> pl.Series:
    """Why texts are no dates."""
    short = texts.str.contains(_SHORT)
    table = short.alias("short").to_frame()
    reason = pl.when("short").then(pl.lit("has a year of two digits")).otherwise(pl.lit("is no date"))
    return table.select(reason.alias("reason"))["reason"]


def _moments(texts: pl.Series, order: Order, zone: str) -> pl.Series:
    written = _written(texts, order)
    local = in_utc(written["time"], zone)
    utc = written["time"].dt.replace_time_zone("UTC") - written["offset"]
    return utc.zip_with(written["offset"].is_not_null(), local)


def _written(texts: pl.Series, order: Order) -> pl.DataFrame:
    """What texts say: `date`, `time` of the clock, and `offset` of its zone, null where none is named.

    A form that fits a text decides; the next one is tried for those that fit none before.
    """
    small = texts.str.to_lowercase().str.replace_many(list(_CHINESE), list(_CHINESE.values())).str.strip_chars()
    rest = small.alias("text").to_frame().with_row_index("at")
    found = []
    for form in _FORMS:
        fits = pl.col("text").str.contains(form)
        groups = pl.col("text").str.extract_groups(form)
        found.append(rest.filter(fits).select("at", groups).unnest("text"))
        rest = rest.filter(~fits)
    missing = pl.DataFrame(schema=dict.fromkeys(_PARTS, pl.String))
    parts = pl.concat([missing, *found, rest], how="diagonal").sort("at")
    return parts.select(_time(order).alias("time"), _offset().alias("offset")).with_columns(
        pl.col("time").dt.date().alias("date")
    )


def _time(order: Order) -> pl.Expr:
    """The time of the clock, or of the number that a spreadsheet or a computer counts times by."""
    # Dates with points are written where the day comes first.
    day_first = (pl.col("sign") == ".") | pl.lit(order == "day-first")
    first, second = pl.col("a"), pl.col("b")
    month = {name: str(number) for number, name in enumerate(_MONTHS, start=1)}
    named = pl.col("name").str.head(3).replace_strict(month, default=None, return_dtype=pl.String)
    day = pl.coalesce("d", pl.when(day_first).then(first).otherwise(second))
    number = pl.coalesce("m", named, pl.when(day_first).then(second).otherwise(first))
    two = [part.str.zfill(2) for part in (number, day, _hour(), *(pl.col(part).fill_null("0") for part in "ns"))]
    clock = pl.format("{}-{}-{} {}:{}:{}.{}", "y", *two, pl.col("f").fill_null("0").str.pad_end(6, "0"))
    count = pl.col("serial").cast(pl.Float64) * _DAY
    # Its milliseconds are all that a number of a spreadsheet is exact to.
    serial = _EXCEL + pl.duration(microseconds=(count / 1000).round(0).cast(pl.Int64) * 1000)
    scale = pl.when(pl.col("epoch").str.len_bytes() == 10).then(1_000_000).otherwise(1_000)
    epoch = pl.from_epoch(pl.col("epoch").cast(pl.Int64) * scale, time_unit="us")
    return pl.coalesce(clock.str.to_datetime("%Y-%m-%d %H:%M:%S.%6f", strict=False, time_unit="us"), serial, epoch)


def _hour() -> pl.Expr:
    """The hour of 24, as text."""
    hour, half = pl.col("h").cast(pl.Int32), pl.coalesce("half", "after")
    late = half.is_in(["pm", "下午", "中午", "晚上"]) & (hour < 12)
    midnight = half.is_in(["am", "上午", "凌晨"]) & (hour == 12)
    return pl.when(late).then(hour + 12).when(midnight).then(0).otherwise(hour).fill_null(0).cast(pl.String)


def _offset() -> pl.Expr:
    """How far the clock is ahead of UTC; null where no zone is named."""
    zone = pl.col("zone")
    hours, minutes = (zone.str.extract(r"^[+-](\d{2}):?(\d{2})?$", group).cast(pl.Int64) for group in (1, 2))
    ahead = hours * 60 + minutes.fill_null(0)
    signed = pl.when(zone.str.starts_with("-")).then(-ahead).otherwise(ahead)
    utc = zone.is_in(["z", "utc", "gmt"]) | pl.col("epoch").is_not_null()
    return pl.duration(minutes=pl.when(utc).then(0).otherwise(signed))
