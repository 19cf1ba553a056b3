"""What commands about orders share: from where they are read, which columns hold what, when the observation ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from crm.errors import Unusable, UsageError
from crm.messages import counted
from crm.reading import current_file, current_table, table_or_workspace

if TYPE_CHECKING:
    import polars as pl

    from crm.app import App
    from plugins.customers.transactions import Orders

P = ParamSpec("P")
R = TypeVar("R")

NO_ORDERS: Final = "the workspace has no orders; `crm orders import` brings some in, or name a file with --input"

_META: Final = "customers.orders"
_NAMES: Final = ("customer", "date", "amount", "until")


def from_orders(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say which orders are meant, the workspace's or a file's; stands above `table_output`."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        click.get_current_context().meta[_META] = [kwargs.pop(f"order_{name}") for name in _NAMES]
        return function(*args, **kwargs)

    reading = table_or_workspace(command)
    for option in reversed(_OPTIONS):
        option(reading)
    return reading


def current_orders(app: "App") -> "Orders":
    """The orders of the file that the user has named, else of the workspace; rows that are none are told.

    Raises:
        LookupError: the command that runs is not decorated with `from_orders`.
        UsageError: a column is not there, or is named without a file.
        Unusable: the file cannot be read as orders, or the workspace has none.
    """
    from plugins.customers.transactions import orders_of

    given = click.get_current_context().meta.get(_META)
    if not isinstance(given, list):
        raise LookupError("the running command has no options of orders")
    *named, until = given
    columns = [name or usual for name, usual in zip(named, _NAMES, strict=False)]
    if current_file() is not None:
        table = current_table(app)
    elif any(named):
        raise UsageError("--customer, --date and --amount are about a file, and none is named with --input")
    else:
        table = _stored(app)
    orders = orders_of(table, columns, until)
    if orders.left_out:
        left = table.height - orders.rows.height
        app.note(f"{counted(table.height, 'row')} = {counted(orders.rows.height, 'order')} + {left:,} left out")
    for each in orders.left_out:
        app.note(f"  {each}")
    return orders


def _stored(app: "App") -> "pl.DataFrame":
    """The orders of the workspace; their days begin in the zone of the output.

    Raises:
        Unusable: there are none.
    """
    import polars as pl

    from crm.identities import current_ids
    from crm.output import current

    workspace = app.workspace()
    rows = workspace.records.frame("orders").sort("order_id", "line")
    if rows.is_empty():
        raise Unusable(NO_ORDERS)
    return rows.select(
        current_ids(workspace, rows["customer"]).alias("customer"),
        pl.col("ts").dt.convert_time_zone(current().tz).dt.date().alias("date"),
        "amount",
    )


class _Day(click.ParamType[date]):
    """A date as orders have it."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        import polars as pl

        from plugins.customers.order_values import dates

        found = dates(pl.Series([str(value)]))[0]
        if not isinstance(found, date):
            self.fail(f"`{value}` is no date; write it as 1997-09-30.", param, ctx)
        return found


@dataclass(frozen=True)
class Horizon:
    """How far to look ahead: a number of units, `day`, `week`, `month` or `year`; None for the unit of the data."""

    number: float
    unit: str | None

    def within(self, unit: str) -> float:
        """The number of units of this name, one of `transactions.UNITS`."""
        from plugins.customers.transactions import UNITS

        return self.number * UNITS[self.unit or unit] / UNITS[unit]

    def __str__(self) -> str:
        return f"{self.number:g} {self.unit}{'' if self.number == 1 else 's'}"


class HorizonType(click.ParamType[Horizon]):
    """`1y`, `6mo`, `12w`, `90d`, or a mere number; its value is a `Horizon`."""

    name = "horizon"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Horizon:
        """Read it; what is none is a usage error."""
        if isinstance(value, Horizon):
            return value
        text = str(value).strip()
        ending = next((each for each in _ENDINGS if text.endswith(each)), "")
        try:
            number = float(text.removesuffix(ending))
        except ValueError:
            number = 0.0
        if not 0 < number < _FARTHEST:
            self.fail(f"`{value}` is no time to look ahead; write 1y, 6mo, 12w, 90d, or a number.", param, ctx)
        return Horizon(number, _ENDINGS.get(ending))


_ENDINGS: Final = {"y": "year", "mo": "month", "w": "week", "d": "day"}

_FARTHEST: Final = 1e5
"""Below how many units a horizon is."""

_OPTIONS: Final[tuple[Callable[[Any], Any], ...]] = (
    *(
        click.option(
            f"--{name}",
            f"order_{name}",
            metavar="COLUMN",
            help=f"The file's column with {what}.  [default: {name}]",
        )
        for name, what in (
            ("customer", "the customer"),
            ("date", "the date of the order"),
            ("amount", "what it was worth"),
        )
    ),
    click.option(
        "--until",
        "order_until",
        type=_Day(),
        metavar="DATE",
        help="Last day of the observation; later orders do not count.  [default: the day of the last order]",
    ),
)
