"""How good probabilities of two classes are: area under the ROC curve with its interval, Brier score, log loss, lift.

Sources: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver operating
characteristic curves", by ranks as in Sun and Xu (2014); Brier (1950), "Verification of forecasts expressed in terms of
probability".
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.stats import norm, rankdata

from crm.learning.separation import Floats, Ints

TENTHS: Final = 10
"""Into how many groups customers are cut by their probability."""

SURE: Final = 0.95
"""How often the interval of the area covers it."""

_TINY: Final = 1e-15


@dataclass(frozen=True)
class Area:
    """The area under the ROC curve: how often one who churned has a higher probability than one who stayed.

    Attributes:
        value: The area; NaN where a class is missing.
        low: The lower end of its interval.
        high: The upper end.
    """

    value: float
    low: float
    high: float


def area(labels: Ints, scores: Floats) -> Area:
    """The area under the ROC curve with DeLong's interval of 95%.

    Args:
        labels: 1 for who churned, else 0; shape (rows,).
        scores: The higher the likelier; shape (rows,).
    """
    ones, zeros = scores[labels == 1], scores[labels == 0]
    m, n = len(ones), len(zeros)
    if not m or not n:
        return Area(float("nan"), float("nan"), float("nan"))
    whole = rankdata(np.concatenate([ones, zeros]))
    above = (whole[:m] - rankdata(ones)) / n  # of each one, the share of zeros below it
    below = 1 - (whole[m:] - rankdata(zeros)) / m
    value = float(above.mean())
    variance = (above.var(ddof=1) / m if m > 1 else 0.0) + (below.var(ddof=1) / n if n > 1 else 0.0)
    half = float(norm.ppf((1 + SURE) / 2) * np.sqrt(variance))
    return Area(value, max(0.0, value - half), min(1.0, value + half))


def brier(labels: Ints, probabilities: Floats) -> float:
    """The mean squared difference of probability and what happened."""
    return float(np.mean((probabilities - labels) ** 2))


def log_loss(labels: Ints, probabilities: Floats) -> float:
    """The mean of -ln(probability of what happened)."""
    known = np.clip(np.where(labels == 1, probabilities, 1 - probabilities), _TINY, 1.0)
    return float(-np.log(known).mean())


def measures(labels: Ints, probabilities: Floats) -> dict[str, float]:
    """All of these by name."""
    found = area(labels, probabilities)
    return {
        "auc": found.value,
        "auc_low": found.low,
        "auc_high": found.high,
        "brier": brier(labels, probabilities),
        "log_loss": log_loss(labels, probabilities),
    }


def deciles(probabilities: Floats) -> Ints:
    """The tenth of each customer: 1 for the tenth of all that is likeliest to churn; equals in their order."""
    order = np.argsort(-probabilities, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return 1 + TENTHS * places // max(1, len(order))


def by_decile(labels: Ints, probabilities: Floats) -> pl.DataFrame:
    """One row a tenth, likeliest first: customers, churned, rate, mean probability, lift, and the share captured.

    `lift` is the tenth's rate over that of all, `captured` the share of all who churned in this tenth and those before.
    """
    overall = labels.mean() if len(labels) else np.nan
    frame = pl.DataFrame({"decile": deciles(probabilities), "churned": labels, "probability": probabilities})
    churned = pl.col("churned")
    return (
        frame.group_by("decile")
        .agg(pl.len().cast(pl.Int64).alias("customers"), churned.sum().cast(pl.Int64), pl.col("probability").mean())
        .sort("decile")
        .with_columns(rate=churned / pl.col("customers"))
        .with_columns(lift=pl.col("rate") / overall, captured=churned.cum_sum() / churned.sum())
        .select("decile", "customers", "churned", "rate", "probability", "lift", "captured")
        .fill_nan(None)
    )


def calibration(labels: Ints, probabilities: Floats) -> pl.DataFrame:
    """One row a tenth of the scale that somebody is in: the mean probability there, and the rate that came true."""
    cells = np.minimum((probabilities * TENTHS).astype(np.int64), TENTHS - 1)
    frame = pl.DataFrame({"cell": cells, "churned": labels, "probability": probabilities})
    return (
        frame.group_by("cell")
        .agg(
            pl.len().cast(pl.Int64).alias("customers"),
            pl.col("churned").sum().cast(pl.Int64),
            pl.col("probability").mean(),
        )
        .sort("cell")
        .select(
            (pl.col("cell") / TENTHS).alias("from"),
            ((pl.col("cell") + 1) / TENTHS).alias("to"),
            "customers",
            "churned",
            "probability",
            (pl.col("churned") / pl.col("customers")).alias("rate"),
        )
    )


def calibration_error(labels: Ints, probabilities: Floats) -> float:
    """The mean distance of probability and rate in the tenths of `calibration`, weighted by customers."""
    table = calibration(labels, probabilities)
    weight = table["customers"].to_numpy()
    distance = np.abs(table["probability"].to_numpy() - table["rate"].to_numpy())
    return float((weight * distance).sum() / max(1, weight.sum()))
