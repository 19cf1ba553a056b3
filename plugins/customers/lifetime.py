"""What customers are worth: expected purchases times what a purchase is expected to be worth, discounted.

BG/NBD says how many purchases to expect and when, Gamma-Gamma what each is worth; the two are taken to be independent
(Fader, Hardie and Lee, 2005, "RFM and CLV: using iso-value curves for customer base analysis").
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from plugins.customers import bgnbd, gamma_gamma
from plugins.customers.fitting import Fit

SCHEMA: Final = {
    "customer": pl.String,
    "frequency": pl.Int64,
    "recency": pl.Float64,
    "age": pl.Float64,
    "monetary": pl.Float64,
    "alive": pl.Float64,
    "purchases": pl.Float64,
    "spend": pl.Float64,
    "value": pl.Float64,
}
"""The columns of the table of customers."""


@dataclass(frozen=True)
class Models:
    """The two fitted models.

    Attributes:
        buying: BG/NBD.
        spending: Gamma-Gamma; None where nobody has bought again for money.
        again: How many customers have bought again.
        correlation: Of the number of purchases after the first and their mean amount, which Gamma-Gamma takes to be 0;
            None where it cannot be told.
    """

    buying: Fit
    spending: Fit | None
    again: int
    correlation: float | None

    def table(self) -> pl.DataFrame:
        """`name` and `value` of each parameter, of the log-likelihoods and of the numbers of customers."""
        spending = self.spending
        numbers = {
            **self.buying.parameters,
            **dict.fromkeys(gamma_gamma.NAMES),
            **(spending.parameters if spending else {}),
            "bgnbd_log_likelihood": self.buying.log_likelihood,
            "gamma_gamma_log_likelihood": spending.log_likelihood if spending else None,
            "customers": self.buying.customers,
            "repeat_customers": self.again,
            "valued_customers": spending.customers if spending else 0,
        }
        values = pl.Series("value", list(numbers.values()), dtype=pl.Float64, strict=False)
        return pl.DataFrame({"name": list(numbers), "value": values})


def fitted(histories: pl.DataFrame) -> Models:
    """The models of customers.

    Args:
        histories: As `transactions.histories` makes them.

    Raises:
        ValueError: nobody has bought again.
    """
    again = histories.filter(pl.col("frequency") > 0)
    valued = histories.filter(pl.col("valued") > 0)
    counts, means = valued["valued"].cast(pl.Float64).to_numpy(), valued["monetary"].to_numpy()
    buying = bgnbd.fit(bgnbd.Histories.of(histories))
    spending = gamma_gamma.fit(counts, means) if valued.height else None
    varied = valued.height > 1 and counts.std() > 0 and means.std() > 0
    return Models(buying, spending, again.height, float(np.corrcoef(counts, means)[0, 1]) if varied else None)


def valued(histories: pl.DataFrame, models: Models, horizon: float, discount: float) -> pl.DataFrame:
    """What to expect of each customer until the horizon, the most valuable first, then by name.

    `alive` is how likely the customer still buys, `purchases` how many are expected, `spend` what one is expected to be
    worth, and `value` what all are worth together, discounted. Numbers that cannot be worked out are null.

    Args:
        histories: As `transactions.histories` makes them.
        models: What was fitted to them.
        horizon: How far to look ahead, in the unit of the histories.
        discount: A purchase after t counts exp(-discount * t).
    """
    known, parameters = bgnbd.Histories.of(histories), models.buying.values
    spend = np.full(len(known), np.nan)
    if models.spending is not None:
        counts, means = (histories[name].cast(pl.Float64).fill_null(0).to_numpy() for name in ("valued", "monetary"))
        spend = gamma_gamma.expected(models.spending.values, counts, means)
    purchases = bgnbd.expected(parameters, known, horizon)
    discounted = bgnbd.expected(parameters, known, horizon, discount) if discount else purchases
    columns = {
        "alive": bgnbd.alive(parameters, known),
        "purchases": purchases,
        "spend": spend,
        "value": discounted * spend,
    }
    found = histories.with_columns(
        pl.when(number.is_finite()).then(number).alias(name)
        for name, number in ((name, pl.lit(pl.Series(values))) for name, values in columns.items())
    )
    by = ("value", "purchases", "customer")
    return found.select(*SCHEMA).sort(by, descending=[True, True, False], nulls_last=True)
