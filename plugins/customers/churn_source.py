"""From where churn is learnt: profiles of the workspace at a cut-off with what came after, or a file with a label."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from crm.errors import Unusable, UsageError
from crm.learning.separation import Floats, Ints
from crm.messages import counted
from crm.nearest import did_you_mean, one_of
from plugins.customers.churn_features import Feature, features_of, matrix, usable
from plugins.customers.features import check_columns
from plugins.customers.order_options import NO_ORDERS

LEFT: Final = ("yes", "true", "1", "1.0", "y", "t", "churn", "churned", "left", "lost", "是", "流失", "已流失")
"""What a label says of one who has churned, in small letters."""

LEAST: Final = 10
"""So many who churned, and as many who stayed, are needed to learn from."""

OF_PROFILES: Final = (
    "age", "sex", "region", "country", "language", "orders", "spent", "mean_order", "first_order_days",
    "last_order_days", "usual_days", "overdue", "frequency", "items", "categories", "returns", "returned", "orders_30",
    "orders_90", "orders_365", "spent_365", "sessions", "views", "duration_s", "last_visit_days", "visits_30",
    "visits_90", "visits_365", "nps", "csat", "points", "tickets", "tickets_90",
)  # fmt: skip
"""The columns of profiles that churn is learnt from, unless the user says otherwise: those whose past is known."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Rows:
    """Customers, what is known of them, and who churned.

    Attributes:
        customers: Their ids, or the numbers of their rows.
        frame: What is known of each.
        labels: 1 for who churned, 0 for who stayed; None where that is not known.
    """

    customers: pl.Series
    frame: pl.DataFrame
    labels: Ints | None

    def taken(self, rows: Ints) -> "Rows":
        """Some of them."""
        labels = None if self.labels is None else self.labels[rows]
        return Rows(self.customers.gather(rows), self.frame[rows], labels)


def active(orders: pl.DataFrame, as_of: datetime, days: float) -> pl.Series:
    """Who has bought something in the days before a moment, sorted.

    Args:
        orders: Lines of orders: `customer`, `ts`, `amount`.
        as_of: The moment.
        days: How many days.
    """
    return _buyers(orders, as_of - days * _DAY, as_of)


def churned(orders: pl.DataFrame, customers: pl.Series, as_of: datetime, days: float) -> Ints:
    """1 for each customer who has bought nothing in the days from a moment on, else 0; shape (customers,)."""
    back = _buyers(orders, as_of, as_of + days * _DAY)
    return (~customers.is_in(back.implode())).cast(pl.Int64).to_numpy()


def _buyers(orders: pl.DataFrame, since: datetime, behind: datetime) -> pl.Series:
    bought = orders.filter(pl.col("ts") >= since, pl.col("ts") < behind, pl.col("amount").fill_null(0) >= 0)
    return bought["customer"].drop_nulls().unique().sort()


def latest(orders: pl.DataFrame) -> datetime:
    """The end of what the orders know: a moment behind the last of them.

    Raises:
        Unusable: there is none.
    """
    last = orders["ts"].max()
    if not isinstance(last, datetime):
        raise Unusable(NO_ORDERS)
    return last + timedelta(microseconds=1)


def cut_off(orders: pl.DataFrame, given: datetime | None, days: float) -> datetime:
    """The moment at which customers are looked at, so that the days behind it are known.

    Raises:
        Unusable: there is no order, or they do not go so far.
    """
    end = latest(orders)
    last = end - days * _DAY
    if given is not None and given > last:
        raise Unusable(
            f"the orders end on {end:%Y-%m-%d}, so who stays away for {days:g} days is known up to {last:%Y-%m-%d}: "
            "name that or an earlier day with --as-of, or a shorter --horizon"
        )
    return given or last


def labels_of(frame: pl.DataFrame, label: str, positive: str | None) -> tuple[pl.Series, str]:
    """Who churned by a column with two values: true for who did, null where it is empty; and the value that says so.

    Raises:
        UsageError: there is no such column, or it cannot be told which value means that a customer has churned.
        Unusable: it has not two values.
    """
    check_columns(frame, [label], "--label")
    said = frame[label].cast(pl.String).str.strip_chars().replace("", None)
    values = said.drop_nulls().unique().sort().to_list()
    if len(values) != 2:
        raise Unusable(
            f"column `{label}` has {counted(len(values), 'different value')}, and two are needed: churned, and not"
        )
    if positive is None:
        usual = [value for value in values if value.casefold() in LEFT]
        if len(usual) != 1:
            raise UsageError(f"--label: say with --positive which value of `{label}` means churned: {one_of(values)}")
        positive = usual[0]
    elif positive not in values:
        raise UsageError(
            f"--positive: column `{label}` has no value `{positive}`{did_you_mean(positive, values)}; there are: "
            f"{one_of(values)}"
        )
    return said == positive, positive


@dataclass(frozen=True)
class Learnable:
    """Rows as numbers, and who churned.

    Attributes:
        features: What is looked at.
        values: Shape (rows, features).
        labels: 1 for who churned, else 0; shape (rows,).
        left_out: Columns that cannot be learnt from, and why.
    """

    features: tuple[Feature, ...]
    values: Floats
    labels: Ints
    left_out: dict[str, str]


def learnable(rows: Rows, names: Sequence[str]) -> Learnable:
    """What can be learnt from.

    Args:
        rows: Customers of whom it is known whether they churned.
        names: The columns that may count.

    Raises:
        UsageError: there is no such column.
        Unusable: too few churned or stayed, or no column is of use.
    """
    check_columns(rows.frame, names, "--features")
    labels = np.zeros(0, dtype=np.int64) if rows.labels is None else rows.labels
    lost = int(labels.sum())
    if min(lost, len(labels) - lost) < LEAST:
        raise Unusable(
            f"{lost:,} of {len(labels):,} customers churned; {LEAST} who did and {LEAST} who stayed are needed at least"
        )
    good, left_out = usable(rows.frame, names)
    if not good:
        raise Unusable(
            f"none of the columns can be learnt from: {one_of(f'{name} is {why}' for name, why in left_out.items())}"
        )
    features = features_of(rows.frame, good)
    return Learnable(features, matrix(rows.frame, features), labels, left_out)
