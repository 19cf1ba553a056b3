"""Texts of fields -> typed columns: times, requests, statuses, sizes, addresses; `-` becomes null."""

import re
from datetime import UTC, datetime
from functools import partial

import polars as pl

from logparse import text
from logparse.distinct import Distinct
from logparse.fields import CLF_TIME
from logparse.layout import Field, Layout
from logparse.lines import REJECTS, Fields
from logparse.readings import READINGS, hosts
from logparse.rules import Rules
from logparse.timeformat import ALWAYS_UTC, attempts, has_offset

BAD_TIME = "no valid time"
EPOCH_UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}

MINUTE = len("01/Mar/2026:10:15")

RANGE = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999_999, UTC))
"""Times outside of it are none: no log is older, and a clock that is further ahead is wrong."""

LAST_SECOND = int(RANGE[1].timestamp()) + 1

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.Int64,
    "ts": pl.Datetime("us", "UTC"),
    "address": pl.String,
    "forwarded": pl.String,
    "login": pl.String,
    "host": pl.String,
    "request": pl.String,
    "status": pl.Int16,
    "bytes": pl.Int64,
    "referrer": pl.String,
    "agent": pl.String,
    "cookie": pl.String,
}
"""What every format is brought to, whatever it logs; what it does not log is null. Texts may be coded."""

NUMBERS = ("status", "bytes")
CODED = ("time", "address", "login", "host", "request", "referrer", "agent", *NUMBERS)
"""Roles whose texts may stay coded; the others are put together or taken apart as texts."""


EVERYDAY = Rules()


def convert(fields: Fields, layout: Layout, rules: Rules = EVERYDAY) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring the fields of a format to `COLUMNS`.

    Args:
        fields: The fields of a block's lines.
        layout: The compiled pattern.
        rules: They name the cookie that becomes the column `cookie`, the charset of escaped bytes, and the time zone.

    Returns:
        The hits, and the lines whose time is none (schema `REJECTS`).
    """
    frame = fields.frame
    time = next(field for field in layout.fields if field.role == "time")
    named = _texts(fields, layout, rules.charset)
    if "date" in layout.roles:
        named["time"] = named.pop("date") + " " + named["time"].cast(pl.String)
    elif layout.date:
        named["time"] = layout.date + " " + named["time"].cast(pl.String)
    numbers = {role: _numbers(named[role], role) for role in NUMBERS if role in named}
    columns = pl.DataFrame({**named, **numbers, "line": frame["line"], "ts": _times(named["time"], time, rules.tz)})
    typed = _with_host(_with_request(columns, layout), layout).select(_select(layout, rules.visitors.cookie))
    if typed["ts"].null_count() == 0:
        return typed, pl.DataFrame(schema=REJECTS)
    bad = typed["ts"].is_null()
    reasons = [pl.lit(BAD_TIME).alias("reason"), pl.lit(time.directive).alias("field")]
    return typed.filter(~bad), frame.filter(bad).select("line", *reasons, "text")


def _numbers(texts: pl.Series, role: str) -> pl.Series:
    """Numbers of the role's type; null where a text is none, and where it is -1, as HAProxy writes no status."""
    if texts.dtype != pl.String:
        return Distinct.of(texts).map(lambda values: _numbers(values, role))
    found = texts.cast(COLUMNS[role], strict=False)
    return found.set(found < 0, None)


def _texts(fields: Fields, layout: Layout, charset: str) -> dict[str, pl.Series]:
    """The texts of each role, with all undone that servers do to them; of several fields, the first that has one."""
    escaped = layout.escapes and not (fields.plain and any(field.quoted for field in layout.fields))
    named: dict[str, pl.Series] = {}
    for at, field in enumerate(layout.fields):
        if field.role == "ignore":
            continue
        found = fields.frame[f"f{at}"]
        if field.role not in CODED:
            found = found.cast(pl.String)
        if escaped:
            found = text.map_where(found, "\\", partial(text.unescape, charset=charset))
        if field.reading:
            found = READINGS[field.reading](found)
        if (before := named.get(field.role)) is not None:
            found = found.cast(pl.String).zip_with(before.cast(pl.String).is_in(["", "-"]), before.cast(pl.String))
        named[field.role] = found
    return named


def _times(texts: pl.Series, field: Field, tz: str) -> pl.Series:
    """Times in UTC, each distinct text read once; null where a text is no time of `RANGE`."""
    distinct = Distinct.of(texts)
    found = distinct.values.to_frame("time").with_columns(ts=_by_minutes(distinct.values, field))
    missing = pl.col("ts").is_null()
    if found["ts"].null_count():
        found = found.with_columns(pl.when(missing).then(_time(pl.col("time"), field, tz)).otherwise("ts").alias("ts"))
    return distinct.spread(found.select(pl.when(pl.col("ts").is_between(*RANGE)).then("ts"))["ts"])


def _by_minutes(texts: pl.Series, field: Field) -> pl.Series:
    """Times of the Common Log Format, whose few distinct minutes are read once; null where it is shaped otherwise."""
    if field.time != CLF_TIME:
        return pl.repeat(None, len(texts), dtype=pl.Datetime("us", "UTC"), eager=True)
    text = pl.col("time")
    parts = texts.to_frame("time").select(
        minute=text.str.head(MINUTE) + text.str.slice(MINUTE + 3),
        second=text.str.slice(MINUTE - 1, 4),
    )
    minutes = Distinct.of(parts["minute"])
    whole = minutes.values.str.to_datetime("%d/%b/%Y:%H:%M %z", time_unit="us", strict=False, time_zone="UTC")
    seconds = Distinct.of(parts["second"])
    added = seconds.values.to_frame("s").select(
        pl.when(pl.col("s").str.contains(r"^[0-9]:[0-5][0-9]$")).then(
            pl.duration(seconds=pl.col("s").str.tail(2).cast(pl.Int64, strict=False))
        )
    )
    return minutes.spread(whole) + seconds.spread(added.to_series())


def _time(value: pl.Expr, field: Field, tz: str) -> pl.Expr:
    """A time in UTC, null where the text is none."""
    zone = "UTC" if field.time in ALWAYS_UTC else tz
    return pl.coalesce(_attempt(value, time, zone) for time in attempts(field.time))


def _attempt(value: pl.Expr, time: str, tz: str) -> pl.Expr:
    """A time written in one way, of a zone where it has no offset."""
    if time in EPOCH_UNITS:
        whole = value.str.splitn(".", 2).struct
        unit = EPOCH_UNITS[time]
        units = whole.field("field_0").cast(pl.Int64, strict=False)
        micros = pl.when(units <= LAST_SECOND * 1_000_000 // unit).then(units * unit)
        digits = str(unit).count("0")
        fraction = whole.field("field_1").fill_null("").str.slice(0, digits).str.pad_end(digits, "0")
        extra = fraction.cast(pl.Int64, strict=False).fill_null(0) if digits else pl.lit(0)
        return (micros + extra).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    zoned = has_offset(time)
    parsed = value.str.to_datetime(time, time_unit="us", strict=False, time_zone="UTC" if zoned else None)
    return parsed if zoned else in_zone(parsed, tz)


def in_zone(local: pl.Expr, tz: str) -> pl.Expr:
    """Local times of a zone in UTC.

    One that comes twice, where clocks are put back, is the first. One that never comes, where they are put forward,
    has the offset of the day before, so 02:30 is half an hour after 02:00. Neither depends on other lines.
    """
    day = pl.duration(days=1)

    def found(times: pl.Expr) -> pl.Expr:
        placed = times.dt.replace_time_zone(tz, ambiguous="earliest", non_existent="null")
        return placed.dt.convert_time_zone("UTC")

    return pl.coalesce(found(local), found(local - day) + day)


def _with_request(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Make up `request` where a format logs its parts: method, target, and the query string apart.

    A format may name both, of which a line of JSON has the one or the other.
    """
    if "request" in layout.roles and not (layout.parser == "json" and "target" in layout.roles):
        return frame
    target = pl.col("target")
    if "args" in layout.roles:
        given = "?" + pl.col("args").str.strip_prefix("?")
        args = pl.when(pl.col("args").is_in(["-", ""])).then(pl.lit("")).otherwise(given)
        target = pl.when(target.str.contains("?", literal=True)).then(target).otherwise(target + args)
    method = pl.col("method") if "method" in layout.roles else pl.lit("GET")
    whole = pl.when(~method.is_in(["-", ""])).then(pl.concat_str(method, pl.lit(" "), target))
    if "request" not in layout.roles:
        return frame.with_columns(whole.alias("request"))
    logged = ~pl.col("request").is_in(["-", ""])
    return frame.with_columns(pl.when(logged).then("request").otherwise(whole).alias("request"))


def _with_host(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Take the host out of whole URLs, where a format logs it nowhere else."""
    if "host" in layout.roles or not any(field.reading == "absolute" for field in layout.fields):
        return frame
    return frame.with_columns(hosts(frame["request"]).alias("host"))


def _select(layout: Layout, cookie: str) -> list[pl.Expr]:
    """All of `COLUMNS`, typed, with `-` as null."""
    known = layout.roles | {"line", "ts", "request"}
    if any(field.reading == "absolute" for field in layout.fields):
        known |= {"host"}
    out = []
    for name, dtype in COLUMNS.items():
        source = f"cookie:{cookie}" if name == "cookie" else name
        if name == "cookie" and cookie and source not in known and "cookies" in known:
            found = pl.col("cookies").str.extract(f"(?:^|[;+ ]){re.escape(cookie)}=([^;]*)", 1)
            out.append(found.alias(name))
        elif source not in known:
            out.append(pl.lit(None, dtype=dtype).alias(name))
        elif dtype == pl.String:
            out.append(pl.when(~pl.col(source).cast(pl.String).is_in(["-", ""])).then(pl.col(source)).alias(name))
        else:
            out.append(pl.col(name))
    return out
