"""`crm customers points earn`, `redeem`, `adjust` and `expire`."""

from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.output import table_output

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from plugins.customers.config import PointsConfig

_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be booked.")
_note = click.option("--note", default="", metavar="TEXT", help="What it is for; kept in the ledger.")


@click.command(name="earn")
@_dry_run
@table_output(columns="customer ts points reason order_id")
@pass_app
def earn(app: App, dry_run: bool) -> "pl.DataFrame":
    """Book the points that orders have earned.

    An order earns the sum over its lines of amount x points a unit of money, as the configuration says
    (`customers.points`), made a whole number. What is booked already is not booked again; where an order has become
    another since, by a return, say, the difference is. Nobody's balance goes below zero: what cannot be taken back yet
    is taken back by a later call.

    One row a booked entry.

    \b
    Examples:
      crm customers points earn --dry-run
      crm customers points earn -o booked.csv
    """
    from plugins.customers import points_booking

    _allowed(app, dry_run)
    entries = points_booking.earn(app.workspace(), _config(app), _moment(), dry_run=dry_run)
    return _told(app, entries, dry_run)


@click.command(name="expire")
@_dry_run
@table_output(columns="customer ts points reason order_id")
@pass_app
def expire(app: App, dry_run: bool) -> "pl.DataFrame":
    """Book the points that have expired.

    Points expire so many months after they were earned as the configuration says (`customers.points.expire_months`).
    Whatever was taken was taken from the oldest.

    One row a booked entry.

    \b
    Examples:
      crm customers points expire --dry-run
      crm customers points expire
    """
    from plugins.customers import points_booking

    months = _config(app).expire_months
    if months is None:
        raise UsageError("points do not expire: `customers.points.expire_months` is not set in the configuration")
    _allowed(app, dry_run)
    entries = points_booking.expire(app.workspace(), months, _moment(), dry_run=dry_run)
    return _told(app, entries, dry_run)


@click.command(name="redeem")
@click.argument("who")
@click.argument("number", type=click.IntRange(min=1))
@_note
@table_output(columns="customer ts points reason balance")
@pass_app
def redeem(app: App, who: str, number: int, note: str) -> "pl.DataFrame":
    """Take points that a customer spends.

    WHO is an id, login, phone number, e-mail address or id number. What has expired by now is booked first. If the
    customer has not so many points, nothing is booked, and the exit code is 7.

    \b
    Examples:
      crm customers points redeem K0017 500 --note 'tea set'
      crm customers points redeem 138-0013-8000 200
    """
    return _booked(app, who, -number, "redeem", note)


@click.command(name="adjust", context_settings={"ignore_unknown_options": True})
@click.argument("who")
@click.argument("number", type=int)
@_note
@table_output(columns="customer ts points reason balance")
@pass_app
def adjust(app: App, who: str, number: int, note: str) -> "pl.DataFrame":
    """Add points to a customer's, or take some away.

    WHO is an id, login, phone number, e-mail address or id number; NUMBER is negative for what is taken. Nobody's
    balance goes below zero: the exit code is then 7.

    \b
    Examples:
      crm customers points adjust K0017 100 --note 'sorry for the delay'
      crm customers points adjust K0017 -50 --note 'booked twice'
    """
    if not number:
        raise UsageError("NUMBER is 0: there is nothing to book")
    return _booked(app, who, number, "adjust", note)


def _booked(app: App, who: str, number: int, reason: str, note: str) -> "pl.DataFrame":
    from plugins.customers.points_booking import book

    require(app, "import")
    said = f"{reason}: {note.strip()}" if note.strip() else reason
    entries = book(app.workspace(), who, number, said, _config(app), _moment())
    app.note(f"{number:+,} points; the balance is {entries['balance'][-1]:,}")
    return entries.drop("order_id")


def _told(app: App, entries: "pl.DataFrame", dry_run: bool) -> "pl.DataFrame":
    added, taken = (int(each.sum()) for each in (entries["points"].clip(0), entries["points"].clip(None, 0)))
    would = "would be booked" if dry_run else "booked"
    number = "1 entry" if entries.height == 1 else f"{entries.height:,} entries"
    app.note(f"{number} {would}: {added:+,} and {taken:,} points")
    return entries


def _allowed(app: App, dry_run: bool) -> None:
    if not dry_run:
        require(app, "import")


def _config(app: App) -> "PointsConfig":
    from plugins.customers.config import CustomersConfig

    return app.config.get("customers", CustomersConfig).points


def _moment() -> "datetime":
    from datetime import UTC, datetime

    return datetime.now(UTC).replace(microsecond=0)
