"""`crm customers clv`."""

import math
from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import Unusable
from crm.messages import counted
from crm.output import impersonal, table_output
from plugins.customers.order_options import Horizon, HorizonType, current_orders, from_orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from plugins.customers.fitting import Fit
    from plugins.customers.lifetime import Models


@click.command(name="clv")
@click.option(
    "--unit",
    type=click.Choice(("day", "week", "month")),
    default="week",
    show_default=True,
    help="In what time is counted: recency, age, alpha, and --horizon where it names no unit.",
)
@click.option(
    "--horizon",
    type=HorizonType(),
    default="1y",
    show_default=True,
    metavar="TIME",
    help="How far to look ahead: 1y, 6mo, 12w, 90d, or a number of units.",
)
@click.option(
    "--discount",
    type=click.FloatRange(min=0, max=100),
    default=0.1,
    show_default=True,
    metavar="RATE",
    help="How much less money is worth a year later: 0.1 for 10%.",
)
@click.option("--parameters", is_flag=True, help="List the fitted parameters instead of the customers.")
@from_orders
@table_output(columns="customer frequency recency age monetary alive purchases spend value name")
@pass_app
def command(app: App, unit: str, horizon: Horizon, discount: float, parameters: bool) -> "pl.DataFrame":
    """Estimate what customers will buy and are worth.

    The file has a row an order. All orders of a customer on one day are one purchase. BG/NBD is fitted to when
    customers buy, Gamma-Gamma to what they spend; the parameters go to standard error.

    Of each customer, the most valuable first: `frequency` counts the purchases after the first, `recency` is the time
    from the first to the last, `age` the time from the first to the end of the observation, `monetary` the mean amount
    of purchases after the first. `alive` is how likely the customer still buys, `purchases` how many are expected
    within --horizon, `spend` what one of them is worth, `value` what all of them are worth, discounted.

    Rows with a negative amount are returns, and left out. Purchases that cost nothing count, except in `monetary`.

    \b
    Examples:
      crm customers clv --input orders.csv
      crm customers clv --input orders.csv --until 2026-03-31 --horizon 6mo -n 100
      crm customers clv --input 订单.xlsx --customer 客户 --date 日期 \\
          --amount 金额 --unit day
      crm customers clv --input orders.csv --parameters -f json
    """
    from plugins.customers import lifetime
    from plugins.customers.transactions import UNITS, histories

    orders = current_orders(app)
    if not orders.rows.height:
        return _empty(lifetime.SCHEMA, parameters=parameters)
    customers = histories(orders, unit)
    if not (customers["frequency"] > 0).any():
        raise Unusable(
            f"no customer has bought on two days until {orders.until}, and when customers come back can only be "
            "learnt from those who did; take orders of a longer time"
        )
    models = lifetime.fitted(customers)
    _tell(app, models, unit)
    if parameters:
        impersonal()
        return models.table()
    rate = math.log1p(discount) * UNITS[unit] / UNITS["year"]
    found = lifetime.valued(customers, models, horizon.within(unit), rate)
    _tell_gaps(app, found, models)
    return found


def _empty(schema: "Mapping[str, type[pl.DataType]]", *, parameters: bool) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={"name": pl.String, "value": pl.Float64} if parameters else schema)


def _tell(app: App, models: "Models", unit: str) -> None:
    """Say what was fitted, and warn of what was not."""
    buying, spending = models.buying, models.spending
    again = f"{counted(buying.customers, 'customer')}, {models.again:,} of whom bought again"
    app.note(f"BG/NBD of {again}, in {unit}s: {_words(buying)}")
    if spending is None:
        app.warn("no purchase after a customer's first has cost anything: what customers spend is not known")
    else:
        app.note(f"Gamma-Gamma of {counted(spending.customers, 'customer')}: {_words(spending)}")
    if models.correlation is not None:
        app.note(f"correlation of frequency and monetary, which Gamma-Gamma takes to be 0: {models.correlation:.3f}")
    for name, fit in (("BG/NBD", buying), ("Gamma-Gamma", spending)):
        if fit is not None and fit.unsettled:
            app.warn(
                f"{name} did not converge: these orders do not determine {', '.join(fit.unsettled)}, "
                "so do not rely on what follows from them"
            )


def _words(fit: "Fit") -> str:
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in fit.parameters.items())
    return f"{numbers}; log-likelihood {fit.log_likelihood:.3f}"


def _tell_gaps(app: App, found: "pl.DataFrame", models: "Models") -> None:
    """Warn of customers of whom the models do not say all."""
    gaps = found["purchases"].null_count(), found["spend"].null_count()
    if gaps[0]:
        app.warn(f"purchases of {counted(gaps[0], 'customer')} cannot be worked out from these parameters")
    if models.spending is not None and gaps[1]:
        app.warn(
            f"spend of {counted(gaps[1], 'customer')} has no finite mean: q is {models.spending.parameters['q']:.4f}, "
            "and must be above 1 for those who did not buy again"
        )
