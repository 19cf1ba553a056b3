"""How long vehicles were in service: by batch, by month, and by how old they were."""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from plugins.tickets.quality.names import MONTH_DAYS
from plugins.tickets.quality.tails import Floats

BANDS: Final = (0, 3, 6, 12, 24, 36, 60)
"""Bands of age begin at so many months in service: faults come early, or with wear."""
_PRIOR: Final = 20.0
"""So many tickets' worth of the usual ages a part's or fault's own ages are drawn towards."""


def band(days: pl.Expr) -> pl.Expr:
    """The number of the band of age of so many days in service."""
    edges = [each * MONTH_DAYS for each in BANDS[1:]]
    return pl.sum_horizontal(*((days >= edge).cast(pl.Int64) for edge in edges))


def in_service(vehicles: pl.DataFrame, first: date, behind: date) -> Floats:
    """Vehicle-days in service of each row and band of age, of shape (n_rows, n_bands).

    Args:
        vehicles: `sold`, `gone` (null while it is in service) and `count` vehicles a row.
        first: The first day that counts.
        behind: The day behind the last.
    """
    sold = _days(vehicles["sold"])
    gone = np.where(vehicles["gone"].is_null().to_numpy(), np.inf, _days(vehicles["gone"].fill_null(date.max)))
    begin, end = np.maximum(sold, first.toordinal()), np.minimum(gone, behind.toordinal())
    edges = [*(each * MONTH_DAYS for each in BANDS), np.inf]
    found = [
        np.maximum(0.0, np.minimum(end, sold + high) - np.maximum(begin, sold + low))
        for low, high in itertools.pairwise(edges)
    ]
    return np.asarray(np.stack(found, axis=1) * vehicles["count"].to_numpy()[:, None])


def _days(dates: pl.Series) -> Floats:
    return dates.to_physical().to_numpy().astype(float) + date(1970, 1, 1).toordinal()


def cohorts(vehicles: pl.DataFrame) -> pl.DataFrame:
    """Vehicles that were sold, and are gone, on the same days are counted together."""
    return (
        vehicles.filter(pl.col("sold").is_not_null())
        .group_by("batch", "model", "sold", "gone")
        .agg(pl.len().alias("count"))
        .sort("batch", "model", "sold", "gone", nulls_last=True)
    )


def months_of(first: date, last: date) -> list[tuple[str, date, date]]:
    """The months from that of a day to that of another: name, first day, day behind the last, cut to the span."""
    found, year, month = [], first.year, first.month
    while (year, month) <= (last.year, last.month):
        after = (year + month // 12, month % 12 + 1)
        begin, behind = date(year, month, 1), date(*after, 1)
        found.append(
            (f"{year:04d}-{month:02d}", max(begin, first), min(behind, date.fromordinal(last.toordinal() + 1)))
        )
        year, month = after
    return found


def age_rates(bands: Sequence[int] | Floats, columns: Floats, days: Floats) -> Floats:
    """Rates of each band of age and column, up to a factor a column; of shape (n_bands, n_columns).

    Args:
        bands: Tickets of each band.
        columns: Tickets of each band and column.
        days: Vehicle-days of each band.
    """
    usual = np.asarray(bands, dtype=float) / max(float(np.sum(bands)), 1.0)
    drawn = columns + _PRIOR * usual[:, None]
    return np.divide(drawn, days[:, None], out=np.zeros_like(drawn), where=days[:, None] > 0)
