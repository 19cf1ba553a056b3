"""Small data files of a lake put together: a job that runs every few minutes leaves hundreds of them a day.

A date's small files become few larger ones in a commit of its own. No row changes, and neither does the number of the
last run: a *compaction* has a number of its own, kept with the commit as the application transaction "compact", which
also tells the files of a compaction that was killed. The files that were replaced stay for queries that are under way,
until `Lake.vacuum`.
"""

from collections.abc import Iterator
from datetime import date

import polars as pl

from crm.lake import APPLICATION, COMPACTION, Lake

SMALL = 1 << 20
"""A data file of fewer bytes is small."""

MANY = 16
"""A date with so many small files is compacted."""

TOGETHER = 8 << 20
"""About so many bytes go into one file, which bounds the memory that it takes."""


def compact(lake: Lake, name: str) -> int:
    """Put the small files of a table together, date by date; returns how many files went into others.

    Args:
        lake: The lake, whose lock the caller holds.
        name: A table by date.
    """
    count = 0
    for day, files in _crowded(lake.files(name)):
        number = lake.transaction(name, COMPACTION) + 1
        run = lake.transaction(name, APPLICATION)
        groups = [group for group in _groups(files) if group.height > 1]
        parts = [
            part
            for at, group in enumerate(groups)
            for part in lake.write(name, lake.read(name, group).collect(), run, f"c{number}-{day:%Y%m%d}-{at:04d}")
        ]
        gone = pl.concat(groups)
        lake.compact(name, parts, gone, number)
        count += gone.height
    return count


def _crowded(files: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    """The dates with many small files, and these."""
    small = files.filter(pl.col("size") < SMALL, pl.col("date").is_not_null())
    crowded = small.filter(pl.len().over("date") >= MANY).sort("date", "path")
    for (day,), group in crowded.group_by("date", maintain_order=True):
        assert isinstance(day, date)
        yield day, group


def _groups(files: pl.DataFrame) -> list[pl.DataFrame]:
    """Files in groups of about `TOGETHER` bytes."""
    before = pl.col("size").cum_sum() - pl.col("size")
    return files.with_columns(group=before // TOGETHER).partition_by("group", include_key=False, maintain_order=True)
