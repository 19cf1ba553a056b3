"""Early warnings: the cells that have more tickets than chance and nature explain, over all kinds together."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from plugins.tickets.quality.cells import COLUMNS, Watched
from plugins.tickets.quality.tails import q_values, shrunken

LEVEL: Final = 0.05
FEWEST: Final = 3
"""With fewer tickets a cell is no warning, whatever was expected."""
JOINED: Final = " / "
"""What stands between the values of a cell's name."""


def judged(watched: Sequence[Watched]) -> pl.DataFrame:
    """Every cell: `kind`, `cell`, `observed`, `expected`, `lift`, `believed`, `p`, `q`; the least q first.

    Every kind has the same weight, however many cells it has: a hundred faults are not to drown among twenty thousand
    pairs of batch and part.

    Args:
        watched: The cells by kind.
    """
    parts = [
        pl.DataFrame(
            {
                "kind": [each.kind] * len(each.cells),
                "cell": [JOINED.join(cell) for cell in each.cells],
                "observed": each.observed.astype(np.int64),
                "expected": each.expected,
                "lift": each.observed / np.maximum(each.expected, 1e-12),
                "believed": shrunken(each.observed, each.expected),
                "p": each.p,
            }
        )
        for each in watched
    ]
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    found = pl.concat(parts)
    weights = [np.full(part.height, found.height / len(parts) / part.height) for part in parts]
    q = q_values(found["p"].to_numpy(), np.concatenate(weights))
    return found.with_columns(pl.Series("q", q)).sort("q", "p", "kind", "cell")


SCHEMA: Final = {
    "kind": pl.String,
    "cell": pl.String,
    "observed": pl.Int64,
    **dict.fromkeys(("expected", "lift", "believed", "p", "q"), pl.Float64),
}


def alarms(cells: pl.DataFrame, level: float = LEVEL) -> pl.DataFrame:
    """The cells among all judged that stand out at a level of the false discovery rate."""
    return cells.filter((pl.col("q") <= level) & (pl.col("observed") >= FEWEST))


def behind(tickets: pl.DataFrame, kind: str, cell: str) -> pl.DataFrame:
    """The tickets of a cell, the newest first."""
    named = pl.concat_str(COLUMNS[kind], separator=JOINED)
    return tickets.filter(named == cell).sort("opened", "ticket", descending=True)


def newest(cells: pl.DataFrame, tickets: pl.DataFrame, count: int) -> list[str]:
    """The ids of the newest tickets of each cell, with blanks between them.

    Args:
        cells: `kind` and `cell`.
        tickets: With `ticket`, `opened`, and the columns of the cells.
        count: How many ids at most.
    """
    ordered = tickets.sort("opened", "ticket", descending=True)
    found: dict[tuple[str, str], str] = {}
    for kind in cells["kind"].unique():
        names = COLUMNS[kind]
        wanted = cells.filter(kind=kind).select("cell")
        named = ordered.select("ticket", pl.concat_str(names, separator=JOINED).alias("cell"))
        ids = named.join(wanted, on="cell", how="semi", maintain_order="left").group_by("cell", maintain_order=True)
        found |= {(kind, cell): " ".join(some) for cell, some in ids.agg(pl.col("ticket").head(count)).iter_rows()}
    return [found.get(each, "") for each in cells.select("kind", "cell").iter_rows()]
