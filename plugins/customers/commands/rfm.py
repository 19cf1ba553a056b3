"""`crm customers rfm`."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.nearest import did_you_mean, one_of
from crm.output import table_output
from plugins.customers.order_options import current_orders, from_orders

if TYPE_CHECKING:
    import polars as pl

_MEASURES: Final = ("recency", "frequency", "monetary")
_CUTS: Final = 4
"""How many numbers cut a measure into five scores."""


class _Cuts(click.ParamType[tuple[str, tuple[float, ...]]]):
    """`recency=30,90,180,365`: a measure, and four rising numbers."""

    name = "cuts"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[float, ...]]:
        if isinstance(value, tuple):
            return value
        name, _, numbers = (part.strip() for part in str(value).partition("="))
        if name not in _MEASURES:
            known = one_of(_MEASURES)
            self.fail(f"`{name}` is not scored{did_you_mean(name, _MEASURES)}; there are: {known}.", param, ctx)
        try:
            cuts = tuple(float(number) for number in numbers.split(","))
        except ValueError:
            cuts = ()
        rising = all(low < high for low, high in pairwise(cuts)) and all(map(math.isfinite, cuts))
        if len(cuts) != _CUTS or not rising:
            self.fail(f"write four rising numbers, such as {name}=30,90,180,365, not `{value}`.", param, ctx)
        return name, cuts


@click.command(name="rfm")
@click.option(
    "--cuts",
    type=_Cuts(),
    multiple=True,
    metavar="NAME=A,B,C,D",
    help="Score recency (days), frequency or monetary by four rising numbers instead of by fifths; once for each.",
)
@click.option("--summary", is_flag=True, help="List the segments instead of the customers.")
@click.option("--grid", is_flag=True, help="List the pairs of scores r and f instead of the customers.")
@from_orders
@table_output(columns="customer recency frequency monetary r f m rfm segment customers share monetary_share")
@pass_app
def command(app: App, cuts: tuple[tuple[str, tuple[float, ...]], ...], summary: bool, grid: bool) -> "pl.DataFrame":
    """Score customers by recency, frequency and money.

    The file has a row an order. All orders of a customer on one day are one purchase. `recency` is the days from the
    last purchase to the end of the observation, `frequency` counts purchases, `monetary` is what all of them cost. Rows
    with a negative amount are returns, and left out.

    The scores `r`, `f` and `m` go from 1 to 5, the best: 1 and one more for each whole fifth of all customers that is
    worse, so that equal customers score the same. With --cuts a customer scores 1 and one more for each number that
    `frequency` or `monetary` reaches, or that `recency` does not exceed.

    `segment` is the first that fits of: champions (r 4-5, f 4-5, m 4-5), loyal (r 3-5, f 4-5), promising (r 4-5,
    f 2-3), new (r 4-5, f 1), needs attention (r 3, f 2-3), about to sleep (r 3, f 1), cannot lose (r 1-2, f 4-5,
    m 4-5), at risk (r 1-2, f 3-5), hibernating (r 2, f 1-2), lost (r 1, f 1-2).

    \b
    Examples:
      crm customers rfm --input orders.csv
      crm customers rfm --input orders.csv --summary
      crm customers rfm --grid
      crm customers rfm --input orders.csv --cuts recency=30,90,180,365 \\
          --cuts frequency=2,3,5,10
      crm customers rfm --input 订单.xlsx --customer 客户 --date 日期 \\
          --amount 金额 -o rfm.csv
    """
    from plugins.customers import rfm
    from plugins.customers.transactions import totals

    if summary and grid:
        raise UsageError("--summary and --grid exclude each other")
    given = dict(cuts)
    if len(given) < len(cuts):
        raise UsageError("--cuts: each of recency, frequency and monetary can be cut once")
    customers = totals(current_orders(app))
    _tell(app, customers, given)
    found = rfm.scored(customers, given)
    if grid:
        return rfm.grid(found)
    return rfm.summary(found) if summary else found


def _tell(app: App, customers: "pl.DataFrame", cuts: "dict[str, tuple[float, ...]]") -> None:
    """Say which measures have too few different values for five scores."""
    for name in _MEASURES:
        different = customers[name].n_unique()
        if name not in cuts and 0 < different <= _CUTS:
            app.note(f"{name} has {different} different value{'s' * (different > 1)}, so it makes no five scores")
