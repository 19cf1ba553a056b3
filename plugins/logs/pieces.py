"""What `crm logs mine` makes of one block, in whatever process: the data files of its hits, and an account."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from crm.datafiles import DataFile, encode
from logparse.blocks import Block
from logparse.kernel import Account, Kernel
from logparse.rejects import placed
from plugins.logs.contracts import HITS
from plugins.logs.tails import Cut

KEPT_REJECTS = 5
"""So many rejected lines of each log are shown as examples."""


@dataclass(frozen=True)
class Piece:
    """What one block became, where it ended, its last line, which may be `cut`, and its header (see `Block`)."""

    account: Account
    rejects: pl.DataFrame
    files: list[DataFile]
    first_ts: datetime | None
    newest_ts: datetime | None
    end: int
    tail: bytes
    header: str
    cut: Cut | None


@dataclass(frozen=True)
class Pieces:
    """Makes the pieces of one source in one run, with the first rejected lines or with all and their offsets."""

    kernel: Kernel
    source: int
    run: int
    all_rejects: bool = False

    def __call__(self, block: Block) -> Piece:
        """Parse a block."""
        parsed = self.kernel.parse_coded(block)
        hits = parsed.hits.with_columns(
            pl.col("ts").dt.date().alias("date"),
            pl.lit(self.source, dtype=pl.Int64).alias("source"),
            pl.lit(self.run, dtype=pl.Int64).alias("run"),
        )
        ts = hits["ts"]
        return Piece(
            parsed.account,
            placed(parsed.rejects, block) if self.all_rejects else parsed.rejects.head(KEPT_REJECTS),
            encode(HITS, hits),
            ts[0] if hits.height else None,
            ts.max() if hits.height else None,  # type: ignore[arg-type]  # the column holds times
            block.end,
            block.last_line,
            block.header,
            Cut.of(block, parsed),
        )
