"""Hits -> sessions on a cluster: shuffled by visitor, sorted, cut as they stream by, and stored by date.

A sort spills to disk and a worker holds only the run that it is in the middle of, so a visitor with a large share of
all hits is one long stream, and no more. Sessions travel to where their dates are stored as bytes, which spares the
cluster to look into them.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import polars as pl

from crm.datafiles import encode
from crm.lake import Lake, Part
from logparse.rules import SessionRules
from logparse.sessions import SESSIONS
from plugins.logs.derive import Touched, needed, publish, ranked
from plugins.logs.spark.jobs import REPORT, Columns, attempt, in_groups, over, report, reported, shipped, spread
from plugins.logs.spark.runs import sessions_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

READ_HITS = 500_000
"""A task reads about so many hits."""

READ_SESSIONS = 100_000
"""A task reads about so many sessions."""

SHUFFLE_HITS = 500_000
"""A task cuts about so many hits into sessions."""

FILE_HITS = 2_000_000
"""The sessions of about so many hits of a date go into one file."""

PACK_SESSIONS = 100_000
"""About so many sessions are held before they are packed by date."""

HITS: Columns = {
    "visitor": pl.Int64(),
    "ts": pl.Int64(),
    "rank": pl.Int64(),
    "line": pl.Int64(),
    "page": pl.String(),
    "view": pl.Boolean(),
    "login": pl.String(),
    "referrer": pl.String(),
    "host": pl.String(),
    "bot": pl.String(),
    "signs": pl.Int64(),
}
"""Hits on their way to their visitor; `ts` in microseconds since 1970."""

PACKED: Columns = {"date": pl.Int64(), "part": pl.Int64(), "sessions": pl.Binary()}
"""Sessions on their way to their date, in Arrow's file format; each date has as many parts as it is worth files."""

TASKS: Columns = {"id": pl.Int64(), "visitor": pl.Int64()}

"""Who is in the data files of a task."""

EPOCH = date(1970, 1, 1)
MOMENT = pl.Datetime("us", "UTC")


def rebuild(
    spark: "SparkSession",
    lake: Lake,
    rules: SessionRules,
    sources: pl.DataFrame,
    run: int,
    what: "Touched[DataFrame]",
) -> list[date]:
    """Rebuild the sessions of the touched visitors on the touched dates, and commit them as of a run."""
    if not what.dates:
        return publish(lake, [], run, what)
    ranks, files = ranked(sources), _of(lake, "hits", what.dates)
    sizes = _sizes(files)

    def read(hits: pl.LazyFrame) -> pl.DataFrame:
        people = needed(hits.filter(pl.col("bot").is_null()), ranks, rules)
        return people.with_columns(pl.col("ts").dt.epoch("us")).cast(pl.Schema(HITS))

    hits = _read(spark, lake, "hits", files, what.visitors, read, HITS)
    made = over(by_visitor(hits, int(files["rows"].sum())), lambda rows: _packed(cut(rows, rules), sizes), PACKED)
    if what.visitors is not None:
        made = made.unionByName(_kept(spark, lake, what, sizes))
    parts = list(_stored(made, lake, int(sizes["parts"].sum()), run))
    lake.keep("sessions", run, parts)
    return publish(lake, parts, run, what)


def by_visitor(hits: "DataFrame", count: int) -> "DataFrame":
    """About `count` hits (`HITS`), each visitor's in one partition, sorted as sessions need them."""
    together = hits.repartition(_tasks(hits, count, SHUFFLE_HITS), "visitor")
    return together.sortWithinPartitions("visitor", "ts", "rank", "line")


def cut(batches: Iterable[pl.DataFrame], rules: SessionRules) -> Iterator[pl.DataFrame]:
    """The sessions of a partition of sorted hits (`HITS`)."""
    hits = (batch.with_columns(pl.col("ts").cast(MOMENT), pl.col("signs").cast(pl.UInt8)) for batch in batches)
    return sessions_of(hits, rules)


def pack(sessions: pl.DataFrame) -> bytes:
    """Sessions as bytes; pages may be coded."""
    out = io.BytesIO()
    sessions.write_ipc(out, compression="lz4", compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def unpack(data: bytes) -> pl.DataFrame:
    """The sessions of `pack`, with their pages as texts."""
    return pl.read_ipc(io.BytesIO(data)).select(*SESSIONS).cast(pl.Schema(SESSIONS))


def _tasks(rows: "DataFrame", count: int, each: int) -> int:
    """How many tasks work on so many rows: each core has one at least."""
    return max(rows.sparkSession.sparkContext.defaultParallelism, -(-count // each))


def _of(lake: Lake, name: str, dates: Iterable[date]) -> pl.DataFrame:
    return lake.files(name).filter(pl.col("date").is_in(list(dates)))


def _sizes(files: pl.DataFrame) -> pl.DataFrame:
    """Into how many files the sessions of each date go: `date`, `parts`."""
    rows = pl.col("rows").sum()
    return files.group_by("date").agg(parts=(rows + FILE_HITS - 1) // FILE_HITS).sort("date")


def _read(
    spark: "SparkSession",
    lake: Lake,
    name: str,
    files: pl.DataFrame,
    visitors: "DataFrame | None",
    read: Callable[[pl.LazyFrame], pl.DataFrame],
    columns: Columns,
) -> "DataFrame":
    """What `read` makes of the rows of some data files; of some visitors, or of all."""
    groups, far = in_groups(files, READ_HITS), shipped(lake)
    if visitors is None:
        return spread(spark, len(groups), lambda number: [read(far.read(name, groups[number]))], columns)

    def work(tasks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for number, who in _rows(tasks):
            yield read(far.read(name, groups[number]).filter(pl.col("visitor").is_in(who.implode())))

    return over(_touched_in(spark, far, name, groups, visitors), work, columns)


def _kept(spark: "SparkSession", lake: Lake, what: "Touched[DataFrame]", sizes: pl.DataFrame) -> "DataFrame":
    """The sessions of all other visitors on the touched dates, packed."""
    assert what.visitors is not None
    groups, far = in_groups(_of(lake, "sessions", what.dates), READ_SESSIONS), shipped(lake)

    def work(tasks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for number, who in _rows(tasks):
            old = far.read("sessions", groups[number])
            others = old if who is None else old.filter(~pl.col("visitor").is_in(who.implode()))
            yield from _packed([others.drop("date").collect()], sizes)

    touched = _touched_in(spark, far, "sessions", groups, what.visitors)
    tasks = spark.range(0, len(groups), 1, max(1, len(groups)))
    return over(tasks.join(touched, "id", "left").repartition(2 * len(groups) + 1, "id"), work, PACKED)


def _touched_in(
    spark: "SparkSession", lake: Lake, name: str, groups: Sequence[pl.DataFrame], visitors: "DataFrame"
) -> "DataFrame":
    """Which of the visitors are in each group of data files: `id`, the group's number, and `visitors`, a list."""
    from pyspark.sql import functions as f

    def work(number: int) -> Iterator[pl.DataFrame]:
        found = lake.read(name, groups[number]).select("visitor").unique().collect()
        yield found.select(pl.lit(number, dtype=pl.Int64).alias("id"), "visitor")

    there = spread(spark, len(groups), work, TASKS).join(visitors, "visitor", "left_semi")
    found = there.groupBy("id").agg(f.collect_list("visitor").alias("visitors"))
    return found.repartition(2 * len(groups) + 1, "id")  # few rows, each of which is much work


def _rows(tasks: Iterable[pl.DataFrame]) -> Iterator[tuple[int, pl.Series]]:
    for batch in tasks:
        yield from zip(batch["id"], batch["visitors"], strict=True)


def _packed(found: Iterable[pl.DataFrame], sizes: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Sessions as bytes (`PACKED`), by the date and the file where they will be."""
    for sessions in _together(found):
        day = pl.col("start").dt.date().alias("date")
        placed = sessions.with_columns(day).join(sizes, on="date", how="left", maintain_order="left")
        part = (pl.col("visitor") % pl.col("parts").fill_null(1)).alias("part")
        by_place = placed.with_columns(part).drop("parts").partition_by("date", "part", as_dict=True, include_key=False)
        keys = [((key[0] - EPOCH).days, key[1], pack(rows)) for key, rows in by_place.items()]
        yield pl.DataFrame(keys, schema=dict(PACKED), orient="row")


def _together(found: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Frames put together to about `PACK_SESSIONS` rows."""
    held: list[pl.DataFrame] = []
    for frame in found:
        held.append(frame)
        if sum(one.height for one in held) >= PACK_SESSIONS:
            yield pl.concat(held)
            held = []
    if held:
        yield pl.concat(held)


def _stored(made: "DataFrame", lake: Lake, files: int, run: int) -> Iterator[Part]:
    """Write sessions as the data files of their dates, on the workers; the files wait for their commit."""
    far = shipped(lake)

    def work(rows: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        packed = (row for batch in rows for row in batch.iter_rows())
        for (_, part), group in groupby(packed, key=itemgetter(0, 1)):
            frames = [unpack(data) for *_, data in group]
            found = pl.concat(frames).sort("visitor", "start", "session")
            stored = found.with_columns(pl.col("start").dt.date().alias("date"))
            yield report(*far.store("sessions", encode(far.contracts["sessions"], stored), run, attempt(f"{part:06d}")))

    together = made.repartition(_tasks(made, 2 * files, 1), "date", "part").sortWithinPartitions("date", "part")
    return reported(over(together, work, REPORT), Part)
