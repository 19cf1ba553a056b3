"""What quality costs, by one dimension or several: counts, money, shares, and how long vehicles were in service."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from plugins.tickets.quality.names import BANDS, COST, MONTH, MONTH_DAYS, Measure

_DECIMALS: Final = 6
"""To how many decimals sums of money are exact."""


def columns_of(by: Sequence[str]) -> list[str]:
    """The columns of tickets that a table by these dimensions needs besides money and time."""
    return [*(name for name in by if name not in (COST, MONTH)), "sold", "produced"]


def pareto(tickets: pl.DataFrame, by: Sequence[str], measure: Measure, bands: Sequence[float] = BANDS) -> pl.DataFrame:
    """What each value costs, the dearest first.

    Args:
        tickets: With `day`, `loss`, `settled`, `sold`, `produced`, and the columns of the dimensions.
        by: Dimensions; of several, each combination that there is has a row.
        measure: By what rows are ordered and shares are worked out.
        bands: Where bands of cost begin, rising.

    Returns:
        The dimensions, `tickets`, `loss`, `settled`, `share` and `running` (of the measure), `months` (in service, the
        median; null where it is not known).
    """
    used = pl.coalesce("sold", "produced")
    months = ((pl.col("day") - used).dt.total_days() / MONTH_DAYS).clip(lower_bound=0).alias("months")
    made = {COST: _band(pl.col("loss"), bands), MONTH: pl.col("day").dt.strftime("%Y-%m")}
    found = (
        tickets.lazy()
        .select(*(made.get(name, pl.col(name)).alias(name) for name in by), "loss", "settled", months)
        .group_by(by)
        .agg(
            pl.len().cast(pl.Int64).alias("tickets"),
            pl.col("loss", "settled").sum().round(_DECIMALS),
            pl.col("months").median(),
        )
        .sort(measure, *by, descending=[True] + [False] * len(by), nulls_last=True)
        .collect()
    )
    whole = pl.col(measure).sum().cast(pl.Float64)
    telling = whole.is_finite() & (whole != 0)
    shares = (
        pl.when(telling).then(pl.col(measure) / whole).alias("share"),
        pl.when(telling).then(pl.col(measure).cum_sum() / whole).alias("running"),
    )
    return found.with_columns(shares).select(*by, "tickets", "loss", "settled", "share", "running", "months")


def _band(cost: pl.Expr, bands: Sequence[float]) -> pl.Expr:
    """Between which bounds a cost is, as a text."""
    names = [f"below {bands[0]:g}", *(f"{low:g} to {high:g}" for low, high in pairwise(bands)), f"from {bands[-1]:g}"]
    reached = pl.sum_horizontal(*((cost >= bound).cast(pl.Int64) for bound in bands))
    return reached.replace_strict(dict(enumerate(names)), return_dtype=pl.String)
