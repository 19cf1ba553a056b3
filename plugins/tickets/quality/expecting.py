"""What is to be expected of the cells of a table: from exposure, or from its margins.

Rows are pairs of an owner (a batch, a dealer, a part, a month) and a stratum (a model, a category). Within each stratum
the columns (parts, labour codes, causes, faults) keep their totals, and each row keeps its own: iterative proportional
fitting (Deming and Stephan 1940) of a table that begins as the exposure, or as all ones, which gives independence
within strata. Counts far beyond what is expected are cut for this, so that a cell with a problem neither raises what is
expected of itself nor lowers what is expected of its neighbours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from plugins.tickets.quality.tails import Floats, fence

Ints = npt.NDArray[np.int64]

_SWEEPS: Final = 4
_CUTS: Final = 3
_SPREAD: Final = 0.25
"""The spread that the fence of cut counts allows for."""


@dataclass(frozen=True)
class Table:
    """Counts of tickets.

    Attributes:
        owners: The names of the owners, sorted.
        columns: The names of the columns, sorted.
        counts: Of shape (n_rows, n_columns).
        owner: The owner of each row, as a number.
        stratum: The stratum of each row, as a number.
        rows: `owner` and `stratum` of each row, as names.
    """

    owners: list[str]
    columns: list[str]
    counts: Floats
    owner: Ints
    stratum: Ints
    rows: pl.DataFrame

    def together(self, values: Floats) -> Floats:
        """Values of rows, added up by owner: of shape (n_owners, n_columns)."""
        found = np.zeros((len(self.owners), values.shape[1]))
        np.add.at(found, self.owner, values)
        return found


def table_of(tickets: pl.DataFrame, owner: str, column: str, stratum: str | None) -> Table:
    """Count tickets; those without owner or column are left out, a missing stratum is one of its own.

    Args:
        tickets: A row a ticket.
        owner: The column of the owner.
        column: The column of the table's columns.
        stratum: The column of the stratum; None for a single one.
    """
    level = pl.lit("") if stratum is None else pl.col(stratum).fill_null("")
    counted = (
        tickets.select(pl.col(owner).alias("owner"), level.alias("stratum"), pl.col(column).alias("column"))
        .drop_nulls()
        .group_by("owner", "stratum", "column")
        .len()
    )
    rows = counted.select("owner", "stratum").unique().sort("owner", "stratum")
    columns = counted["column"].unique().sort()
    spots = counted.join(rows.with_row_index("row"), on=["owner", "stratum"]).join(
        pl.DataFrame({"column": columns}).with_row_index("at"), on="column"
    )
    counts = np.zeros((rows.height, len(columns)))
    counts[spots["row"].to_numpy(), spots["at"].to_numpy()] = spots["len"].to_numpy()
    return Table(
        rows["owner"].unique().sort().to_list(),
        columns.to_list(),
        counts,
        (rows["owner"].rank("dense") - 1).cast(pl.Int64).to_numpy(),
        (rows["stratum"].rank("dense") - 1).cast(pl.Int64).to_numpy(),
        rows,
    )


def expected(table: Table, base: Floats | None = None, *, own_totals: bool = True) -> Floats:
    """What is expected of each owner and column, of shape (n_owners, n_columns).

    Args:
        table: The counts.
        base: What exposure predicts of each row and column, up to a factor a column and stratum; None for all alike.
            Where it is 0 nothing is expected.
        own_totals: Whether rows keep their totals; if not, a row is what its exposure makes it.
    """
    start = np.ones_like(table.counts) if base is None else base
    counts, found = table.counts, start
    for _ in range(_CUTS):
        found = _fitted(start, counts, table.stratum, own_totals=own_totals)
        seen, most = table.together(table.counts), fence(table.together(found), _SPREAD)
        cut = np.minimum(1.0, most / np.maximum(seen, 1))
        counts = table.counts * cut[table.owner]
    return table.together(_fitted(start, counts, table.stratum, own_totals=own_totals))


def _fitted(start: Floats, counts: Floats, stratum: Ints, *, own_totals: bool) -> Floats:
    """The table nearest to the first one that has the totals of the counts."""
    found, strata = start, int(stratum.max(initial=0)) + 1
    totals = _by_stratum(counts, stratum, strata)
    own = counts.sum(axis=1, keepdims=True)
    for _ in range(_SWEEPS if own_totals else 1):
        if own_totals:
            found = found * _ratio(own, found.sum(axis=1, keepdims=True))
        found = found * _ratio(totals, _by_stratum(found, stratum, strata))[stratum]
    return found


def _by_stratum(values: Floats, stratum: Ints, strata: int) -> Floats:
    found = np.zeros((strata, values.shape[1]))
    np.add.at(found, stratum, values)
    return found


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)
