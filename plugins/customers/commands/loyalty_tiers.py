"""`crm customers loyalty tiers`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import UsageError
from crm.messages import counted
from crm.output import table_output
from plugins.customers.profile_options import as_of_option, given_moment

if TYPE_CHECKING:
    import polars as pl


@click.command(name="tiers")
@click.option("--summary", is_flag=True, help="List the tiers instead of the customers.")
@as_of_option("now")
@table_output(
    columns="customer tier spent orders points next spent_missing orders_missing points_missing customers share"
)
@pass_app
def command(app: App, summary: bool) -> "pl.DataFrame":
    """List the tiers of customers, and what is missing to the next.

    The configuration names the tiers, lowest first, with bounds on money spent, orders, and points earned by orders
    (`customers.tiers`), in the last months (`customers.tier_months`). A customer has the last of which all bounds are
    reached. What is missing to the next tier is empty for what that has no bound on.

    \b
    Examples:
      crm customers loyalty tiers --summary
      crm customers loyalty tiers --as-of 2026-01-01 -o tiers.csv
    """
    from datetime import UTC, datetime

    from plugins.customers.config import CustomersConfig
    from plugins.customers.loading import loaded
    from plugins.customers.standing import listed, summed

    config = app.config.get("customers", CustomersConfig)
    if not config.tiers:
        raise UsageError(
            "there are no tiers: name some in the configuration, such as `customers: {tiers: [{name: silver, spent: "
            "1000}, {name: gold, spent: 5000, orders: 10}]}`"
        )
    known = loaded(app.workspace(), ())
    moment = given_moment() or datetime.now(UTC)
    found = listed(known.customers, known.orders, known.points, moment, config.tiers, config.tier_months)
    app.note(f"{counted(found.height, 'customer')}, by the {config.tier_months} months before {moment:%Y-%m-%d}")
    return summed(found, config.tiers) if summary else found
