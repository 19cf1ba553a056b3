"""`crm customers points show` and `balance`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="show")
@click.argument("who")
@table_output(columns="entry customer ts points reason order_id balance")
@pass_app
def show(app: App, who: str) -> "pl.DataFrame":
    """List a customer's points, entry by entry.

    WHO is an id, login, phone number, e-mail address or id number. One row an entry, in the order in which they were
    booked, with the balance after it. What has expired counts until `crm customers points expire` books it.

    \b
    Examples:
      crm customers points show K0017
    """
    import polars as pl

    from crm.whose import all_ids, customer_of
    from plugins.customers.points_booking import ledger_of

    workspace = app.workspace()
    with workspace.records.engine.connect() as connection:
        ids = all_ids(workspace, connection, customer_of(workspace, connection, who))
    return ledger_of(workspace, ids).with_columns(pl.col("points").cum_sum().alias("balance"))


@click.command(name="balance")
@table_output(columns="customer balance earned redeemed adjusted expired expires expiring")
@pass_app
def balance(app: App) -> "pl.DataFrame":
    """List how many points customers have.

    One row a customer who is in the ledger: the balance, what was earned by orders, redeemed, adjusted and has
    expired, and when the next points expire, and how many.

    \b
    Examples:
      crm customers points balance -n 20
      crm customers points balance --columns customer,balance,expires,expiring \\
          -o points.csv
    """
    from plugins.customers.config import CustomersConfig
    from plugins.customers.points import accounts
    from plugins.customers.points_booking import ledger_of

    config = app.config.get("customers", CustomersConfig).points
    return accounts(ledger_of(app.workspace()), config.expire_months)
