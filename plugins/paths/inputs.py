"""Files of sessions, in three formats -> a frame like the table `sessions`.

`sessions`: CSV or Parquet with the columns `session` and `page`, a row a view, and if known `ts`, `visitor`, `customer`
and `referrer`; or Parquet as `crm logs sessions -o FILE` writes it, a row a session. `spmf`: a sequence a line, items
as numbers, each with -1 behind it, -2 at the end (the format of the SPMF library). `baskets`: the items of a basket a
line, separated by commas.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from crm.errors import Unusable
from crm.nearest import no_column
from logparse import compression
from logparse.errors import UnreadableSource

FORMATS: Final = ("sessions", "spmf", "baskets")

MOMENT: Final = pl.Datetime("us", "UTC")
PARQUET = b"PAR1"


@dataclass(frozen=True)
class Read:
    """What a file holds.

    Attributes:
        sessions: One row a session: `session`, `visitor`, `customer`, `start`, `end`, `duration_s`, `hits`, `views`,
            `entry`, `exit`, `bot`, `path`, `times`, `referrers` (the last two are null where the file has none), in
            the order of the file, or of `start` where there are times.
        left_out: Why rows were left out, and how many.
    """

    sessions: pl.DataFrame
    left_out: dict[str, int]


def guess(file: Path) -> str:
    """The format that the name of a file stands for."""
    name = re.sub(r"\.(gz|bz2|xz|zst)$", "", file.name.lower())
    return next((kind for kind in ("spmf", "baskets") if name.endswith((f".{kind}", f".{kind}.csv"))), "sessions")


def read(data: bytes, kind: str, name: str) -> Read:
    """The sessions of a file.

    Args:
        data: Its bytes, plain or compressed by gzip, bzip2, xz or zstd.
        kind: One of `FORMATS`.
        name: What it is called, for messages.

    Raises:
        Unusable: it is not of this format.
    """
    if kind_ := compression.kind_of(data[: compression.MAGIC_BYTES]):
        try:
            data = compression.Unpacked(io.BytesIO(data), kind_).read()
        except UnreadableSource as error:
            raise Unusable(f"{name} {error}") from error
    if kind == "sessions":
        return _sessions(data, name)
    lines = _lines(data, name)
    return Read(_whole(_spmf(lines, name) if kind == "spmf" else _baskets(lines)), {})


def _lines(data: bytes, name: str) -> pl.DataFrame:
    """`line` (from 1) and `text` of the lines that are not empty."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"{name}: not UTF-8 at byte {error.start:,}; convert it: iconv -f gb18030 -t utf-8") from error
    lines = pl.Series("text", [text], dtype=pl.String).str.split("\n").explode().str.strip_chars()
    return lines.to_frame().with_row_index("line", offset=1).filter(pl.col("text") != "")


def _baskets(lines: pl.DataFrame) -> pl.DataFrame:
    """A basket has no order and no item twice: its items are sorted by name."""
    item = pl.element().str.strip_chars()
    path = pl.col("text").str.split(",").list.eval(item.filter(item != "").unique().sort())
    return lines.select(pl.col("line").cast(pl.Int64).alias("session"), path.alias("path"))


def _spmf(lines: pl.DataFrame, name: str) -> pl.DataFrame:
    """The items of each sequence, by their names where `@ITEM=number=name` lines tell them."""
    known = lines.filter(pl.col("text").str.starts_with("@ITEM=")).select(
        pl.col("text").str.split("=").list.slice(1).alias("parts")
    )
    lines = lines.filter(~pl.col("text").str.contains("^[@#%]"))
    odd = lines.filter(~pl.col("text").str.contains(r"^(?:\d+ +-1 +)*-2$"))
    if odd.height:
        line, text = odd.row(0)
        several = bool(odd["text"].str.contains(r"^(?:(?:\d+ +)+-1 +)*-2$")[0])
        why = "has several items in one set, and a path has one page at a time" if several else "is no sequence"
        shown = text if len(text) <= 60 else f"{text[:60]}..."
        raise Unusable(f"{name}: line {line} {why}; expected `1 -1 2 -1 -2`, got `{shown}`")
    path = pl.col("text").str.extract_all(r"\d+ +-1").list.eval(pl.element().str.extract(r"^(\d+)"))
    found = lines.select(pl.col("line").cast(pl.Int64).alias("session"), path.alias("path"))
    if not known.height:
        return found
    names = known.select(pl.col("parts").list.first().alias("item"), pl.col("parts").list.slice(1).list.join("="))
    table = dict(names.unique("item", keep="first").iter_rows())
    return found.with_columns(pl.col("path").list.eval(pl.element().replace(table)))


def _sessions(data: bytes, name: str) -> Read:
    frame = _table(data, name)
    if {"session", "path"} <= set(frame.columns) and isinstance(frame.schema["path"], pl.List):
        return Read(_rows_of_sessions(frame), {})
    for column in ("session", "page"):
        if column not in frame.columns:
            why = no_column(column, frame.columns, 10)
            raise Unusable(f"{name}: {why}; other files need --input-format spmf or baskets")
    texts = [column for column in ("page", "customer", "referrer") if column in frame.columns]
    frame = frame.cast(dict.fromkeys(texts, pl.String))
    frame = _with_times(frame, name)
    missing = frame.select(pl.any_horizontal(pl.col("session").is_null(), pl.col("page").is_null()).sum()).item()
    kept = frame.drop_nulls(["session", "page"])
    reasons = {"without session or page": missing} if missing else {}
    return Read(_grouped(kept), reasons)


def _table(data: bytes, name: str) -> pl.DataFrame:
    """Parquet, or CSV separated by commas, tabs or semicolons, whichever its header has most of."""
    try:
        if data[:4] == PARQUET:
            return pl.read_parquet(io.BytesIO(data))
        header = data[: data.find(b"\n") if b"\n" in data else len(data)]
        separator = max(",\t;", key=lambda sign: header.count(sign.encode()))
        if not data.strip():
            return pl.DataFrame(schema={"session": pl.String, "page": pl.String})
        return pl.read_csv(io.BytesIO(data), separator=separator, infer_schema=False, null_values="")
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0][:200]
        raise Unusable(f"{name}: it is neither CSV nor Parquet that can be read: {reason}") from error


def _with_times(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame with `ts` in UTC; null everywhere where the file has none."""
    if "ts" not in frame.columns:
        return frame.with_columns(pl.lit(None, dtype=MOMENT).alias("ts"))
    given = frame["ts"]
    found = _moments(given, name)
    wrong = (found.is_null() & given.is_not_null()).arg_true()
    if len(wrong):
        shown = given[int(wrong[0])]
        raise Unusable(f"{name}: row {wrong[0] + 1}: `{shown}` is no time; write it as 2026-03-02T10:00:00Z")
    missing = found.is_null().arg_true()
    if 0 < len(missing) < len(found):
        raise Unusable(f"{name}: row {missing[0] + 1} has no ts, and others have")
    return frame.with_columns(found.alias("ts"))


def _moments(given: pl.Series, name: str) -> pl.Series:
    """Times in UTC; null for what is none. Those without a zone are taken for UTC."""
    if given.dtype in (pl.String, pl.Null):
        texts = given.cast(pl.String)
        has_zone = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$").fill_null(False)
        nothing = pl.Series([None], dtype=pl.String)
        zoned = _read_times(texts.zip_with(has_zone, nothing), "UTC")
        naive = _read_times(texts.zip_with(~has_zone, nothing), None).dt.replace_time_zone("UTC")
        return zoned.zip_with(has_zone, naive)
    if given.dtype == pl.Date:
        return given.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if not isinstance(given.dtype, pl.Datetime):
        raise Unusable(f"{name}: the column `ts` holds {given.dtype}, and times are expected")
    zoned = given if given.dtype.time_zone else given.dt.replace_time_zone("UTC")
    return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def _read_times(texts: pl.Series, zone: str | None) -> pl.Series:
    try:
        return texts.str.to_datetime(time_unit="us", time_zone=zone, strict=False)
    except pl.exceptions.ComputeError:  # not one of them looks like a time
        return pl.repeat(None, len(texts), dtype=pl.Datetime("us", zone), eager=True)


def _grouped(views: pl.DataFrame) -> pl.DataFrame:
    """A row a session from a row a view."""
    if "referrer" not in views.columns:
        views = views.with_columns(pl.lit(None, dtype=pl.String).alias("referrer"))
    whose = [pl.col(name).drop_nulls().first() for name in ("visitor", "customer") if name in views.columns]
    place = [pl.col("n").cast(pl.Int64, strict=False)] if "n" in views.columns else []
    ordered = views.sort("ts", *place, maintain_order=True)
    sessions = ordered.group_by("session", maintain_order=True).agg(
        pl.col("page").alias("path"), pl.col("ts").alias("times"), pl.col("referrer").alias("referrers"), *whose
    )
    timed = views["ts"].null_count() < views.height
    nothing = pl.lit(None, dtype=pl.List(MOMENT))
    return _whole(sessions if timed else sessions.with_columns(nothing.alias("times")))


def _rows_of_sessions(frame: pl.DataFrame) -> pl.DataFrame:
    """Sessions as `crm logs sessions` writes them, as far as paths need them."""
    columns = ["session", "visitor", "customer", "start", "end", "duration_s", "hits", "bot", "path", "times"]
    kept = frame.select(name for name in columns if name in frame.columns).filter(pl.col("path").list.len() > 0)
    if "times" in kept.columns:
        kept = kept.with_columns(pl.col("times").cast(pl.List(MOMENT)))
        kept = kept.sort(pl.col("times").list.first(), maintain_order=True)
    return _whole(kept)


def _whole(sessions: pl.DataFrame) -> pl.DataFrame:
    """All columns; what a file does not say follows from the paths as far as it can."""
    start, end = pl.col("times").list.first(), pl.col("times").list.last()
    views = pl.col("path").list.len().cast(pl.Int64)
    lists = {"times": pl.lit(None, dtype=pl.List(MOMENT)), "referrers": pl.lit(None, dtype=pl.List(pl.String))}
    others = {
        "visitor": pl.lit(None, dtype=pl.String),
        "customer": pl.lit(None, dtype=pl.String),
        "start": start,
        "end": end,
        "duration_s": (end - start).dt.total_microseconds() / 1e6,
        "hits": views,
        "bot": pl.lit(None, dtype=pl.String),
    }
    for missing in (lists, others):
        known = sessions.columns
        sessions = sessions.with_columns(value.alias(name) for name, value in missing.items() if name not in known)
    own = pl.coalesce(pl.col("visitor").cast(pl.String), pl.col("session").cast(pl.String))
    return sessions.select(
        "session",
        pl.when(pl.col("visitor").is_not_null().any()).then(own).alias("visitor"),
        "customer",
        "start",
        "end",
        "duration_s",
        "hits",
        views.alias("views"),
        pl.col("path").list.first().alias("entry"),
        pl.col("path").list.last().alias("exit"),
        "bot",
        "path",
        "times",
        "referrers",
    )
