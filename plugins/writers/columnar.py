"""parquet, streamed: memory does not grow with the number of rows."""

from typing import BinaryIO

import polars as pl


def write_parquet(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """Parquet with the types of the table; times keep their zone."""
    frame.sink_parquet(out)
