"""Texts of fields -> typed columns: times, requests, statuses, sizes, addresses; `-` becomes null."""

from datetime import UTC, datetime

import polars as pl

from logparse import text
from logparse.lines import REJECTS
from logparse.pattern import Field, Layout

BAD_TIME = "no valid time"
EPOCH_UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}

RANGE = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""Times outside of it are none: no log is older, and no calendar goes further."""

REQUEST = r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.*?)(?: (HTTP/\d(?:\.\d)?))?$"
"""A request line (RFC 9112, 3): method, target, and since HTTP/1.0 the version."""

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "line": pl.Int64,
    "ts": pl.Datetime("us", "UTC"),
    "address": pl.String,
    "forwarded": pl.String,
    "login": pl.String,
    "host": pl.String,
    "method": pl.String,
    "target": pl.String,
    "status": pl.Int16,
    "bytes": pl.Int64,
    "referrer": pl.String,
    "agent": pl.String,
    "cookie": pl.String,
}
"""What every format is brought to, whatever it logs; what it does not log is null."""


def convert(frame: pl.DataFrame, layout: Layout, cookie: str = "") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring the fields of a format to `COLUMNS`.

    Args:
        frame: `line` and `f0 ... fn`, see `logparse.lines.Fields`.
        layout: The compiled pattern.
        cookie: Name of the logged cookie that becomes the column `cookie`.

    Returns:
        The hits, and the lines whose time is none (schema `REJECTS`).
    """
    named = {field.role: _unescaped(frame[f"f{at}"], field) for at, field in enumerate(layout.fields)}
    columns = pl.DataFrame({"line": frame["line"], **{k: v for k, v in named.items() if k != "ignore"}})
    time = next(field for field in layout.fields if field.role == "time")
    ts = _time(pl.col("time"), time)
    columns = columns.with_columns(pl.when(ts.is_between(*RANGE)).then(ts).alias("ts"))
    typed = _with_target(columns, layout).select(_select(layout, cookie))
    if typed["ts"].null_count() == 0:
        return typed, pl.DataFrame(schema=REJECTS)
    bad = typed["ts"].is_null()
    reasons = [pl.lit(BAD_TIME).alias("reason"), pl.lit(time.directive).alias("field")]
    return typed.filter(~bad), frame.filter(bad).select("line", *reasons, "text")


def _unescaped(values: pl.Series, field: Field) -> pl.Series:
    return text.map_where(values, "\\", text.unescape) if field.quoted else values


def _time(value: pl.Expr, field: Field) -> pl.Expr:
    """A time in UTC, null where the text is none."""
    if field.time in EPOCH_UNITS:
        whole = value.str.splitn(".", 2).struct
        unit = EPOCH_UNITS[field.time]
        micros = whole.field("field_0").cast(pl.Int64, strict=False) * unit
        digits = str(unit).count("0")
        fraction = whole.field("field_1").fill_null("").str.slice(0, digits).str.pad_end(digits, "0")
        extra = fraction.cast(pl.Int64, strict=False).fill_null(0) if digits else pl.lit(0)
        return (micros + extra).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    zoned = any(mark in field.time for mark in ("%z", "%:z", "%#z", "%Z"))
    parsed = value.str.to_datetime(field.time, time_unit="us", strict=False, time_zone="UTC" if zoned else None)
    return parsed if zoned else parsed.dt.replace_time_zone("UTC")


def _with_target(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Add `method` and `target` from the request line, and the query string from where it is logged apart."""
    if "request" in layout.roles:
        return _split_request(frame)
    if "args" in layout.roles:
        args = pl.col("args")
        whole = pl.col("target") + pl.when(args.is_in(["-", ""])).then(pl.lit("")).otherwise("?" + args)
        keep = pl.col("target").str.contains("?", literal=True)
        frame = frame.with_columns(pl.when(keep).then("target").otherwise(whole).alias("target"))
    return frame if "method" in layout.roles else frame.with_columns(method=pl.lit("GET"))


def _split_request(frame: pl.DataFrame) -> pl.DataFrame:
    """Split request lines; what is none (TLS bytes, `-`) stays whole in `target`, with no method."""
    parts = pl.col("request").str.splitn(" ", 3).struct.rename_fields(["method", "target", "version"])
    frame = frame.drop("method", "target", strict=False).with_columns(parts.alias("parts")).unnest("parts")
    plain = pl.col("version").str.contains(r"^HTTP/\d(?:\.\d)?$") & pl.col("method").str.contains(r"^[A-Z]+$")
    plain = plain.fill_null(False) & (pl.col("target") != "")
    if frame.select(plain.all()).item():
        return frame
    groups = pl.col("request").str.extract_groups(REQUEST).struct
    method, target = groups.field("1"), groups.field("2")
    return frame.with_columns(
        pl.when(plain).then("method").otherwise(method).alias("method"),
        pl.when(plain).then("target").otherwise(pl.coalesce(target, "request")).alias("target"),
    )


def _select(layout: Layout, cookie: str) -> list[pl.Expr]:
    """All of `COLUMNS`, typed, with `-` as null."""
    known = layout.roles | {"line", "ts", "method", "target"}
    out = []
    for name, dtype in COLUMNS.items():
        source = f"cookie:{cookie}" if name == "cookie" else name
        if source not in known:
            out.append(pl.lit(None, dtype=dtype).alias(name))
        elif name in ("line", "ts"):
            out.append(pl.col(name))
        elif dtype == pl.String:
            out.append(pl.when(~pl.col(source).is_in(["-", ""])).then(pl.col(source)).alias(name))
        else:
            out.append(pl.col(source).cast(dtype, strict=False).alias(name))
    return out
