"""`crm customers loyalty repurchase`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.output import table_output
from plugins.customers.order_options import Horizon, HorizonType, current_orders, from_orders

if TYPE_CHECKING:
    import polars as pl


@click.command(name="repurchase")
@click.option(
    "--within",
    type=HorizonType(),
    metavar="TIME",
    help="How soon a customer has to buy again: 90d, 12w, 6mo, 1y.  [default: 90d]",
)
@click.option(
    "--by",
    "period",
    type=click.Choice(("month", "quarter", "year")),
    default="month",
    show_default=True,
    help="Length of the periods.",
)
@click.option(
    "--of",
    "whose",
    type=click.Choice(("new", "all")),
    default="new",
    show_default=True,
    help="Customers who bought for the first time in the period, or all who bought in it.",
)
@click.option(
    "--cohorts", is_flag=True, help="Follow each period's new customers through the periods after it instead."
)
@from_orders
@table_output(columns="period customers known again rate median_days cohort after buyers share")
@pass_app
def command(app: App, within: Horizon | None, period: str, whose: str, cohorts: bool) -> "pl.DataFrame":
    """Measure how many customers buy again.

    All orders of a customer on one day are one purchase. One row a period: its customers; `known`, those of them for
    whom the time to buy again is over by the end of the observation; `again`, how many of these bought again in time,
    `rate`, their share; and the median of the days until they did.

    With --cohorts, one row a period and each whole period after it: how many of the customers who bought for the first
    time in the former bought in the latter, and which share.

    \b
    Examples:
      crm customers loyalty repurchase
      crm customers loyalty repurchase --within 6mo --by quarter --of all
      crm customers loyalty repurchase --cohorts --by quarter
      crm customers loyalty repurchase --input orders.csv --customer id \\
          --date day --amount paid
    """
    from plugins.customers import loyalty
    from plugins.customers.transactions import purchases

    if cohorts and (within is not None or whose == "all"):
        raise UsageError("--cohorts follows new customers from period to period, without --within and --of all")
    orders = current_orders(app)
    bought = purchases(orders.rows)
    if orders.until is None:
        return loyalty.empty(cohorts=cohorts)
    if cohorts:
        return loyalty.cohorts(bought, orders.until, period)
    days = round(within.within("day")) if within is not None else 90
    found = loyalty.repurchases(bought, orders.until, max(1, days), period, new=whose == "new")
    known, again = int(found["known"].sum()), int(found["again"].sum())
    if known:
        app.note(f"{again / known:.1%} of {known:,} customers bought again within {days} days; until {orders.until}")
    return found
