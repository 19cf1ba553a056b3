"""Work spread over a cluster: a function of frames that runs on its workers, and how frames travel.

A function that is shipped must do with what it is given: a worker has this package, and none of the driver's state.
"""

import copy
import pickle
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import polars as pl
import pyarrow as pa

from crm.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")

Columns = Mapping[str, pl.DataType]
"""Names and types of what travels: those of `SPARK`."""

SPARK: dict[pl.DataType, tuple[str, pa.DataType]] = {
    pl.Boolean(): ("boolean", pa.bool_()),
    pl.Int64(): ("bigint", pa.int64()),
    pl.String(): ("string", pa.string()),
    pl.Binary(): ("binary", pa.binary()),
}
"""Types of columns, as Spark and Arrow call them."""

SLICE_ROWS = 50_000
"""So many rows travel at a time from Python to Spark, which holds them beside its own heap."""

REPORT: Columns = {"report": pl.Binary()}
"""What a task tells the driver, pickled."""


def spread(
    spark: "SparkSession", count: int, work: Callable[[int], Iterable[pl.DataFrame]], columns: Columns
) -> "DataFrame":
    """The frames that `work(number)` makes for every number below `count`, each in a task of its own.

    Args:
        spark: The session.
        count: How many tasks; with 0 there are no rows.
        work: Runs on a worker, maybe more than once and at the same time: what it makes counts where it is read.
        columns: Columns of the frames.
    """

    def each(numbers: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for batch in numbers:
            for number in batch["id"]:
                yield from work(number)

    return over(spark.range(0, count, 1, max(count, 1)), each, columns)


def over(
    rows: "DataFrame", work: Callable[[Iterator[pl.DataFrame]], Iterable[pl.DataFrame]], columns: Columns
) -> "DataFrame":
    """The frames that `work` makes of the rows of each partition, which stream through it in their order."""
    schema = pa.schema([(name, SPARK[kind][1]) for name, kind in columns.items()])

    def stream(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        frames = (pl.DataFrame(batch) for batch in batches)
        for frame in work(frames):
            for piece in frame.select(schema.names).iter_slices(SLICE_ROWS):
                yield from piece.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()

    return rows.mapInArrow(stream, ", ".join(f"`{name}` {SPARK[kind][0]}" for name, kind in columns.items()))


def reported(rows: "DataFrame", kind: type[T]) -> Iterator[T]:
    """What the tasks have told (`REPORT`), in the order of partitions."""
    for told in rows.toArrow().column("report"):
        found = pickle.loads(told.as_py())  # made by this program on its own workers
        assert isinstance(found, kind)
        yield found


def report(*told: object) -> pl.DataFrame:
    """Reports for the driver, a row each."""
    return pl.DataFrame({"report": [pickle.dumps(one) for one in told]}, schema=dict(REPORT))


def attempt(part: str) -> str:
    """The name of a part of a run as this attempt of a task calls it: others may be at work on the same part."""
    return f"{part}-{secrets.token_hex(8)}"


def shipped(lake: Lake) -> Lake:
    """The lake as a worker can have it: it reads files whose names it is given, and writes new ones."""
    twin = copy.copy(lake)
    twin._open, twin._files = {}, {}
    return twin


def in_groups(files: pl.DataFrame, rows: int) -> Sequence[pl.DataFrame]:
    """Data files (rows of `Lake.files`) in groups of about so many rows, each the work of one task."""
    ordered = files.sort("date", "path").with_columns(group=(pl.col("rows").cum_sum() - pl.col("rows")) // rows)
    return ordered.partition_by("group", include_key=False, maintain_order=True) if ordered.height else []
