"""Orders -> purchases of each customer: how many, when, and for how much.

Several orders of a customer on one day are one purchase, as in the library lifetimes (Davidson-Pilon, 2015). An order
with a negative amount is a return: it is no purchase, and takes nothing from what others were worth. One that costs
nothing is a purchase, but says nothing of what purchases are worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from crm.errors import Unusable, UsageError
from crm.nearest import no_column
from plugins.customers.order_values import DATES, amounts, dates

UNITS: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
"""How many days a unit of time has; months and years are mean ones."""

_DECIMALS: Final = 6
"""To how many decimals sums of money are exact."""

_ROLES: Final = ("customer", "date", "amount")


@dataclass(frozen=True)
class LeftOut:
    """Rows that are no order.

    Attributes:
        reason: Why.
        rows: How many.
        row: The first of them, counted from 1.
        shape: What stands there, with 9 for each digit and a for each letter: it may be somebody's phone number. Empty
            where there is nothing to show.
    """

    reason: str
    rows: int
    row: int
    shape: str

    def __str__(self) -> str:
        shown = f", of the shape `{self.shape}`" if self.shape else ""
        which = f"row {self.row}" if self.rows == 1 else f"first row {self.row}"
        return f"{self.rows:,} {self.reason}, {which}{shown}"


@dataclass(frozen=True)
class Orders:
    """What customers have ordered until a day.

    Attributes:
        rows: `customer`, `date`, `amount` of each order, in the order of the file.
        left_out: Rows that are no order, by the reason.
        until: The last day of the observation; None where there is no order and none was given.
    """

    rows: pl.DataFrame
    left_out: tuple[LeftOut, ...]
    until: date | None


def orders_of(table: pl.DataFrame, columns: Sequence[str], until: date | None = None) -> Orders:
    """The orders in a table.

    Args:
        table: One row an order.
        columns: The names of its columns with the customer, the date and the amount.
        until: The last day of the observation; that of the last order if None.

    Raises:
        UsageError: a column is not there, or holds lists or the like.
        Unusable: more than half of the dates or of the amounts cannot be read: another column must be meant.
    """
    who, when, worth = (_column(table, role, name) for role, name in zip(_ROLES, columns, strict=True))
    read = pl.DataFrame(
        {
            "customer": who.cast(pl.String).str.strip_chars(),
            "date": _readable(when, dates(when), "date", columns[1], DATES),
            "amount": _readable(worth, amounts(worth), "amount", columns[2], "a number such as 29.33 or 1,029.33"),
            "date_text": when.cast(pl.String),
            "amount_text": worth.cast(pl.String),
        }
    )
    reasons = read.select(_reason(until).alias("reason"))["reason"]
    kept = read.filter(reasons.is_null()).select(*_ROLES)
    last = until if until is not None else kept["date"].max()
    return Orders(kept, _left_out(read, reasons), last if isinstance(last, date) else None)


def _column(table: pl.DataFrame, role: str, name: str) -> pl.Series:
    if name not in table.columns:
        raise UsageError(f"--{role}: {no_column(name, table.columns)}")
    found = table[name]
    if found.dtype.is_nested() or found.dtype in (pl.Binary, pl.Object):
        raise UsageError(f"--{role}: the column `{name}` holds {found.dtype}, and one text or number a row is expected")
    return found


def _readable(given: pl.Series, found: pl.Series, role: str, name: str, expected: str) -> pl.Series:
    """What was read; a column of which more than half cannot be read is not the one that was meant."""
    there = given.cast(pl.String).str.strip_chars().fill_null("") != ""
    lost = there & found.is_null()
    if 2 * lost.sum() > there.sum():
        first = int(lost.arg_max() or 0)
        raise Unusable(
            f"--{role}: {lost.sum():,} of {there.sum():,} values of the column `{name}` cannot be read as "
            f"{_ARTICLE[role]} {role}; row {first + 1} has the shape `{_shape(str(given[first]))}`, and {expected} is "
            "expected"
        )
    return found


_ARTICLE: Final = {"date": "a", "amount": "an"}

_TEXTS: Final = {
    "with a date that cannot be read": "date_text",
    "with an amount that cannot be read": "amount_text",
}
"""Reasons whose rows show what is wrong with them."""


def _reason(until: date | None) -> pl.Expr:
    """Why a row is no order, null where it is one; the first that fits."""
    missing = {name: pl.col(f"{name}_text").str.strip_chars().fill_null("") == "" for name in ("date", "amount")}
    late = pl.col("date") > pl.lit(until, dtype=pl.Date)
    faults = {
        "without a customer": pl.col("customer").fill_null("") == "",
        "without a date": missing["date"],
        "with a date that cannot be read": pl.col("date").is_null(),
        f"after {until} (--until)": late.fill_null(False),
        "without an amount": missing["amount"],
        "with an amount that cannot be read": pl.col("amount").is_null(),
        "returned (a negative amount)": pl.col("amount") < 0,
    }
    return pl.coalesce(pl.when(fault).then(pl.lit(reason)) for reason, fault in faults.items())


def _left_out(read: pl.DataFrame, reasons: pl.Series) -> tuple[LeftOut, ...]:
    rows = read.with_columns(reasons).with_row_index("row", offset=1).filter(pl.col("reason").is_not_null())
    counted = rows.group_by("reason", maintain_order=True).agg(pl.len(), pl.all().first())
    return tuple(
        LeftOut(row["reason"], row["len"], row["row"], _shape(row.get(_TEXTS.get(row["reason"], "")) or ""))
        for row in counted.iter_rows(named=True)
    )


def _shape(text: str) -> str:
    """The first signs of a text, without what it says."""
    return "".join("9" if sign.isnumeric() else "a" if sign.isalpha() else sign for sign in text.strip()[:40])


def purchases(orders: pl.DataFrame) -> pl.DataFrame:
    """`customer`, `date` and `amount` of each purchase: all that a customer has ordered on a day; sorted."""
    return orders.group_by("customer", "date").agg(_money()).sort("customer", "date")


def _money() -> pl.Expr:
    """The sum of amounts, without what adding fractions leaves in the last digits: equal sums must be equal."""
    return pl.col("amount").sum().round(_DECIMALS)


def histories(orders: Orders, unit: str) -> pl.DataFrame:
    """What BG/NBD and Gamma-Gamma want to know of each customer, one row each, sorted by name.

    `frequency` counts the purchases after the first, `recency` is the time from the first to the last, `age` the time
    from the first to the end of the observation, `valued` counts the purchases after the first that cost something, and
    `monetary` is their mean amount, null where there are none.

    Args:
        orders: The orders.
        unit: The unit of recency and age, one of `UNITS`.
    """
    bought = purchases(orders.rows)
    start = pl.col("customer") != pl.col("customer").shift()  # rows are sorted: a customer's first purchase comes first
    valued = (~start.fill_null(True) & (pl.col("amount") > 0)).alias("valued")
    first, last = pl.col("first"), pl.col("last")
    return (
        bought.with_columns(valued)
        .group_by("customer", maintain_order=True)
        .agg(
            pl.col("date").first().alias("first"),
            pl.col("date").last().alias("last"),
            pl.len().cast(pl.Int64).alias("bought"),
            pl.col("valued").sum().cast(pl.Int64),
            (pl.col("amount") * pl.col("valued")).sum(),
        )
        .select(
            "customer",
            (pl.col("bought") - 1).alias("frequency"),
            ((last - first).dt.total_days() / UNITS[unit]).alias("recency"),
            ((pl.lit(orders.until, dtype=pl.Date) - first).dt.total_days() / UNITS[unit]).alias("age"),
            "valued",
            pl.when(pl.col("valued") > 0).then(pl.col("amount") / pl.col("valued")).alias("monetary"),
        )
    )


def totals(orders: Orders) -> pl.DataFrame:
    """Recency, frequency and money of each customer, one row each, sorted by name.

    `recency` is the days from the last purchase to the end of the observation, `frequency` counts all purchases, and
    `monetary` is the sum of their amounts.

    Args:
        orders: The orders.
    """
    last = (pl.lit(orders.until, dtype=pl.Date) - pl.col("date").max()).dt.total_days()
    return (
        purchases(orders.rows)
        .group_by("customer")
        .agg(
            last.alias("recency"),
            pl.len().cast(pl.Int64).alias("frequency"),
            _money().alias("monetary"),
        )
        .sort("customer")
    )
