"""NPS and CSAT from answers.

Sources: Reichheld (2003), "The one number you need to grow"; interval of the NPS: the variance of a score of +1, 0, -1
(Rowe 2017 and others), normal; interval of a share: Wilson (1927), "Probable inference".
"""

from dataclasses import dataclass
from typing import Final

import polars as pl
from scipy.stats import norm

SURE: Final = 0.95
"""How often an interval covers what it is about."""

Z: Final = float(norm.ppf((1 + SURE) / 2))

PERIODS: Final = {"month": "1mo", "quarter": "1q", "year": "1y"}
"""The lengths of periods, by name, as Polars writes them."""


@dataclass(frozen=True)
class Scale:
    """What answers are possible.

    Attributes:
        least: The lowest.
        most: The highest.
    """

    least: int
    most: int

    def fits(self) -> pl.Expr:
        """Whether a score is a whole number on the scale."""
        score = pl.col("score")
        return score.is_between(self.least, self.most) & (score == score.round(0))


NPS: Final = Scale(0, 10)
CSAT: Final = Scale(1, 5)


def nps(answers: pl.DataFrame) -> pl.DataFrame:
    """One row a group: answers, promoters (9, 10), passives (7, 8), detractors (0 to 6), NPS and its interval of 95%.

    NPS = 100 (promoters - detractors) / answers, from -100 to 100.

    Args:
        answers: `group` and `score`, whole numbers from 0 to 10.
    """
    score = pl.col("score")
    counts = answers.group_by("group").agg(
        pl.len().cast(pl.Int64).alias("answers"),
        (score >= 9).sum().cast(pl.Int64).alias("promoters"),
        score.is_between(7, 8).sum().cast(pl.Int64).alias("passives"),
        (score <= 6).sum().cast(pl.Int64).alias("detractors"),
    )
    p, d, n = pl.col("promoters") / pl.col("answers"), pl.col("detractors") / pl.col("answers"), pl.col("answers")
    half = 100 * Z * ((p + d - (p - d) ** 2).clip(0) / n).sqrt()
    value = 100 * (p - d)
    return counts.sort("group").with_columns(
        nps=value, low=(value - half).clip(-100, 100), high=(value + half).clip(-100, 100)
    )


def csat(answers: pl.DataFrame) -> pl.DataFrame:
    """One row a group: answers, satisfied (4, 5), CSAT with Wilson's interval of 95%, and the mean score.

    CSAT = satisfied / answers, from 0 to 1.

    Args:
        answers: `group` and `score`, whole numbers from 1 to 5.
    """
    counts = answers.group_by("group").agg(
        pl.len().cast(pl.Int64).alias("answers"),
        (pl.col("score") >= 4).sum().cast(pl.Int64).alias("satisfied"),
        pl.col("score").mean().alias("mean"),
    )
    n, share = pl.col("answers"), pl.col("satisfied") / pl.col("answers")
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * (share * (1 - share) / n + Z**2 / (4 * n**2)).sqrt()
    return (
        counts.sort("group")
        .with_columns(csat=share, low=(middle - half).clip(0, 1), high=(middle + half).clip(0, 1))
        .select("group", "answers", "satisfied", "csat", "low", "high", "mean")
    )
