"""Rows of a table of the lake as the bytes of its data files: what any process can make, and the lake then stores."""

import io
from dataclasses import dataclass
from datetime import date

import polars as pl

from crm.schema import polars_schema
from crm.tables import Table


@dataclass(frozen=True)
class DataFile:
    """A Parquet file that is not stored yet.

    Attributes:
        date: The date of all its rows; None for a table that is not by date.
        rows: How many rows it has.
        first: The earliest `ts`, ISO 8601 in UTC; None where there is no such column.
        last: The latest `ts`.
        data: Its bytes.
    """

    date: date | None
    rows: int
    first: str | None
    last: str | None
    data: bytes


def encode(table: Table, frame: pl.DataFrame) -> list[DataFile]:
    """Rows as data files, one for each date.

    Args:
        table: The contract.
        frame: Its columns in any order; texts may be Categoricals, which are written faster.
    """
    frame = frame.select(*polars_schema(table))
    if not frame.height:
        return []
    if not table.by_date:
        return [_encode(frame, None)]
    days = frame["date"].unique().sort().to_list()
    if len(days) == 1:
        return [_encode(frame.drop("date"), days[0])]
    by_day = frame.partition_by("date", as_dict=True, include_key=False)
    return [_encode(by_day[day,], day) for day in days]


def _encode(rows: pl.DataFrame, day: date | None) -> DataFile:
    out = io.BytesIO()
    rows.write_parquet(out, compression="lz4", statistics=False)
    return DataFile(day, rows.height, *_span(rows), out.getvalue())


def _span(rows: pl.DataFrame) -> tuple[str | None, str | None]:
    """First and last time of `ts` for the statistics of a file, ISO 8601 in UTC."""
    if "ts" not in rows.columns:
        return None, None
    first, last = rows["ts"].min(), rows["ts"].max()
    texts = pl.Series([first, last], dtype=pl.Datetime("us", "UTC")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return texts[0], texts[1]
