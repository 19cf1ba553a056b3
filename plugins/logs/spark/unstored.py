"""Sessions of logs without a workspace, made on a cluster: the twin of `plugins.logs.reading.sessions`.

Logs are parsed once. Their hits stay with the workers, on their disks, until it is known in which order the logs began.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from logparse.kernel import Parsed
from logparse.rules import SessionRules
from logparse.sessions import SESSIONS
from plugins.logs import reading
from plugins.logs.reading import Reader, needed, ordered, ranks
from plugins.logs.spark.intake import RANGES_AT_ONCE, is_shared
from plugins.logs.spark.jobs import REPORT, Columns, over, report, reported, spread
from plugins.logs.spark.parsing import far
from plugins.logs.spark.sessions import HITS, by_visitor, cut, pack, unpack
from plugins.logs.spark.tasks import Task, Told, worked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TOLD: Columns = {**HITS, **REPORT}
"""Hits, the number of their log in the place of its rank; in rows between them, what the driver is told."""

FOUND: Columns = {"sessions": pl.Binary()}
"""Sessions on their way to the driver (`pack`)."""


def sessions(spark: "SparkSession", step: int, reader: Reader, rules: SessionRules, *, raw: bool) -> pl.DataFrame:
    """The sessions of all logs together, as the table `sessions` has them, ordered by start.

    Args:
        spark: The session.
        step: About so many bytes are a task.
        reader: The logs; those that cannot be used are left out. With standard input or a pipe among them, their hits
            come to this machine.
        rules: Where to cut.
        raw: Every hit is a view, and nobody is judged by behaviour.
    """
    if not all(map(is_shared, reader.inputs)):
        return reading.sessions(replace(reader, place=partial(far, spark, step)), rules, raw=raw)
    rules = msgspec.structs.replace(rules, robots=None) if raw else rules
    aside = _Aside(rules, raw)
    for _ in replace(reader, place=partial(far, spark, step, work=aside.work, at_once=RANGES_AT_ONCE)).hits():
        pass
    place = ranks(reader.logs)
    rank = {number: place[log] for number, log in enumerate(reader.logs) if log in place}
    if not rank:
        return ordered(pl.DataFrame(schema=SESSIONS))
    hits = by_visitor(_ranked(spark, aside.kept, rank), reader.account.hits)
    packed = over(hits, lambda rows: (_packed(found) for found in cut(rows, rules)), FOUND).toArrow()
    aside.forget()
    found = (unpack(data) for data in packed.column("sessions").to_pylist())
    return ordered(pl.concat([pl.DataFrame(schema=SESSIONS), *found]))


@dataclass
class _Aside:
    """Keeps the hits of parsed blocks on the cluster; the driver gets the first one of each block, for its time."""

    rules: SessionRules
    raw: bool
    kept: "list[DataFrame]" = field(default_factory=list)

    def work(self, spark: "SparkSession", tasks: Sequence[Task[Parsed]]) -> list[Told[Parsed]]:
        """Run tasks (a `plugins.logs.spark.reading.Work`)."""
        from pyspark import StorageLevel

        rules, raw = self.rules, self.raw

        def work(number: int) -> Iterator[pl.DataFrame]:
            for told in worked(tasks[number]):
                yield from _parted(told, rules, raw=raw)

        both = spread(spark, len(tasks), work, TOLD).persist(StorageLevel.DISK_ONLY)
        self.kept.append(both)
        return list(reported(both.filter("report IS NOT NULL").select("report"), Told))

    def forget(self) -> None:
        """Nobody wants the hits any more."""
        for both in self.kept:
            both.unpersist()


def _parted(told: Told[Parsed], rules: SessionRules, *, raw: bool) -> Iterator[pl.DataFrame]:
    """The hits of a block, and what the driver is told of it (`TOLD`); runs on a worker."""
    parsed = told.made
    if parsed is not None:
        hits = needed(parsed.hits, rules, raw=raw)
        yield _filled(hits.with_columns(pl.col("ts").dt.epoch("us"), rank=pl.lit(told.log)))
        told = replace(told, made=replace(parsed, hits=parsed.hits.head(1)))
    yield _filled(report(told))


def _filled(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with all columns of `TOLD`; null where there are none."""
    empty = (pl.lit(None, dtype=kind).alias(name) for name, kind in TOLD.items() if name not in rows.columns)
    return rows.with_columns(empty).select(*TOLD).cast(pl.Schema(TOLD))


def _ranked(spark: "SparkSession", kept: "Sequence[DataFrame]", rank: Mapping[int, int]) -> "DataFrame":
    """The hits of the logs that have a rank, with it."""
    from pyspark.sql import functions as f

    hits = reduce(lambda one, other: one.unionByName(other), kept).filter("report IS NULL").drop("report")
    ranks = spark.createDataFrame(list(rank.items()), "number bigint, place bigint")
    known = hits.withColumnRenamed("rank", "number").join(f.broadcast(ranks), "number")
    return known.withColumnRenamed("place", "rank").select(*HITS)


def _packed(found: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({"sessions": [pack(found)]}, schema=dict(FOUND))
