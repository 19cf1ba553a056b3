"""Where rejected lines stand: their byte offsets, which nothing else needs and only blocks with rejects pay for."""

from dataclasses import replace

import numpy as np
import polars as pl

from logparse.blocks import Block
from logparse.kernel import Kernel, Parsed
from logparse.lines import REJECTS

PLACED = {"line": pl.Int64, "offset": pl.Int64, **REJECTS}
"""Schema of rejected lines with their offset in the (uncompressed) stream, in bytes."""


def placed(rejects: pl.DataFrame, block: Block) -> pl.DataFrame:
    """Rejected lines of a block (schema `REJECTS`) with their offsets (schema `PLACED`)."""
    if not rejects.height:
        return pl.DataFrame(schema=PLACED)
    at = (rejects["line"] - block.line).to_numpy()
    ends = np.flatnonzero(np.frombuffer(block.data, np.uint8) == ord("\n"))
    # Of a line without end, the first of its block, only the beginning is kept, so others are counted from the end.
    starts = np.concatenate(([block.offset], ends + (1 + block.end - len(block.data))))
    return rejects.with_columns(pl.Series("offset", starts[at], dtype=pl.Int64)).select(*PLACED)


def parse_placed(kernel: Kernel, block: Block) -> Parsed:
    """A block parsed as `kernel.parse` does, its rejected lines with their offsets."""
    parsed = kernel.parse(block)
    return replace(parsed, rejects=placed(parsed.rejects, block))
