"""Profiles: one row a customer with all that is known and counted of it before a moment.

Nothing that happened at that moment or later counts, so that what is learnt from a profile cannot know its future. A
customer's own fields have no time; they are as they are now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from crm.objects import keys, unpacked
from plugins.customers.standing import TierLike, standings

WINDOWS: Final = (30, 90, 365)
"""In how many days before the moment orders and visits are counted."""

EXTRA: Final = "extra_"
"""Before the name of an own column that a column of the profile has already."""

_DAY: Final = timedelta(days=1)
_OBJECTS: Final = ("extras", "original")
_CODE: Final = r"^[+-]?0[0-9]"
"""What begins so is no number, but a code, such as 007."""


def profiles(
    customers: pl.DataFrame,
    orders: pl.LazyFrame | pl.DataFrame,
    sessions: pl.LazyFrame | pl.DataFrame,
    surveys: pl.LazyFrame | pl.DataFrame,
    points: pl.LazyFrame | pl.DataFrame,
    as_of: datetime,
    *,
    tickets: pl.LazyFrame | pl.DataFrame | None = None,
    tz: str = "UTC",
    tiers: Sequence[TierLike] = (),
    months: int = 12,
) -> pl.LazyFrame:
    """One row a customer, in the order of `customers`: its fields, its own columns, and what it did before `as_of`.

    Args:
        customers: The customers; own columns in `extras`, as a JSON object of texts.
        orders: Lines of orders: `customer`, `order_id`, `ts`, `item`, `category`, `amount`.
        sessions: Visits: `customer` (an id of a customer), `end`, `views`, `duration_s`.
        surveys: Answers: `customer`, `ts`, `question`, `score`.
        points: The ledger: `customer`, `ts`, `points`, `order_id`.
        as_of: The moment, with its zone.
        tickets: What customers have asked for or complained of: `customer`, `ts`; None for nothing.
        tz: The zone in which days begin, for age and days with a purchase.
        tiers: The tiers of loyalty, lowest first.
        months: From how many months before `as_of` the tier is worked out.

    Returns:
        Columns as in `docs/customers.md`. Counts are 0 where there is nothing; days since, means and scores are null.
    """
    asked = pl.LazyFrame(schema=_TICKETS) if tickets is None else tickets
    lines, visits, answers, ledger, asked = (
        before(frame.lazy(), time, as_of)
        for frame, time in ((orders, "ts"), (sessions, "end"), (surveys, "ts"), (points, "ts"), (asked, "ts"))
    )
    parts = [
        consumption(lines, as_of, tz),
        behaviour(visits, as_of),
        answered(answers),
        served(asked, as_of),
        ledger.group_by("customer").agg(pl.col("points").sum()),
        standings(lines, ledger, as_of, tiers, months).select("customer", "tier"),
    ]
    found = _own(customers, as_of, tz, taken=[name for part in parts for name in part.collect_schema()])
    for part in parts:
        found = found.join(part, on="customer", how="left", maintain_order="left")
    return found.with_columns(pl.col(*COUNTS).fill_null(0))


COUNTS: Final = (
    "orders", "spent", *(f"orders_{days}" for days in WINDOWS), "spent_365", "frequency", "monetary", "items",
    "categories", "returns", "returned", "sessions", "views", "duration_s", *(f"visits_{days}" for days in WINDOWS),
    "tickets", "tickets_90", "points",
)  # fmt: skip
"""Columns that are 0 where there is nothing to count."""

FIELDS: Final = (
    *COUNTS, "age", "mean_order", "first_order_days", "last_order_days", "recency", "usual_days", "overdue",
    "last_visit_days", "nps", "csat", "tier",
)  # fmt: skip
"""Columns of a profile that are no fields of the customer."""


def before(frame: pl.LazyFrame, time: str, as_of: datetime) -> pl.LazyFrame:
    """The rows of customers that ended before a moment."""
    return frame.filter(pl.col(time) < as_of, pl.col("customer").is_not_null())


def consumption(lines: pl.LazyFrame, as_of: datetime, tz: str) -> pl.LazyFrame:
    """What each customer has ordered. A line with a negative amount is a return, all others are purchases."""
    amount = pl.col("amount").fill_null(0)
    bought = amount >= 0
    kept = lines.select(
        "customer",
        "ts",
        amount.alias("amount"),
        bought.alias("bought"),
        *(pl.when(bought).then(pl.col(name)).alias(name) for name in ("order_id", "item", "category")),
        pl.when(bought).then(pl.col("ts").dt.convert_time_zone(tz).dt.date()).alias("day"),
    )
    found = kept.group_by("customer").agg(
        _money(pl.col("amount")).alias("spent"),
        _money(pl.col("amount").filter("bought")).alias("monetary"),
        _money(pl.when(_within("ts", 365, as_of)).then("amount")).alias("spent_365"),
        pl.col("ts").filter("bought").min().alias("first"),
        pl.col("ts").filter("bought").max().alias("last"),
        (~pl.col("bought")).sum().cast(pl.Int64).alias("returns"),
        _money(-pl.col("amount").filter(~pl.col("bought"))).alias("returned"),
    )
    for part in (_orders(kept, as_of), *(_different(kept, name, told) for name, told in _DIFFERENT.items())):
        found = found.join(part, on="customer", how="left")
    between = (pl.col("last") - pl.col("first")).dt.total_seconds() / _DAY.total_seconds()
    return (
        found.with_columns(
            pl.when(pl.col("orders") > 0).then(pl.col("monetary") / pl.col("orders")).alias("mean_order"),
            days_since("first", as_of).alias("first_order_days"),
            days_since("last", as_of).alias("last_order_days"),
            days_since("last", as_of).alias("recency"),
            pl.when(pl.col("frequency") > 1).then(between / (pl.col("frequency") - 1)).alias("usual_days"),
        )
        .with_columns(
            pl.when(pl.col("usual_days") > 0).then(pl.col("last_order_days") / pl.col("usual_days")).alias("overdue")
        )
        .drop("first", "last")
    )


_DIFFERENT: Final = {"day": "frequency", "item": "items", "category": "categories"}
"""What is counted as how many different ones of a customer there are."""


def _orders(kept: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """How many orders each customer has made, in all and of late; an order is as late as its last line."""
    each = kept.filter("bought").group_by("customer", "order_id").agg(pl.col("ts").max())
    recent = [_within("ts", days, as_of).sum().cast(pl.Int64).alias(f"orders_{days}") for days in WINDOWS]
    return each.group_by("customer").agg(pl.len().cast(pl.Int64).alias("orders"), *recent)


def _different(kept: pl.LazyFrame, name: str, told: str) -> pl.LazyFrame:
    """How many different ones each customer has."""
    pairs = kept.select("customer", name).drop_nulls().unique()
    return pairs.group_by("customer").agg(pl.len().cast(pl.Int64).alias(told))


def behaviour(visits: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """What each customer has done on the web site."""
    return visits.group_by("customer").agg(
        pl.len().cast(pl.Int64).alias("sessions"),
        pl.col("views").sum().cast(pl.Int64),
        pl.col("duration_s").sum().round(6),
        days_since(pl.col("end").max(), as_of).alias("last_visit_days"),
        *(_within("end", days, as_of).sum().cast(pl.Int64).alias(f"visits_{days}") for days in WINDOWS),
    )


def answered(answers: pl.LazyFrame) -> pl.LazyFrame:
    """The newest answer of each customer to `nps` and `csat`."""
    newest = [
        pl.col("score").filter(pl.col("question") == question).last().alias(question) for question in ("nps", "csat")
    ]
    rows = answers.filter(pl.col("score").is_not_null()).sort("ts")
    return rows.group_by("customer", maintain_order=True).agg(newest)


def served(asked: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """How often each customer has needed help."""
    return asked.group_by("customer").agg(
        pl.len().cast(pl.Int64).alias("tickets"), _within("ts", 90, as_of).sum().cast(pl.Int64).alias("tickets_90")
    )


_TICKETS: Final = {"customer": pl.String(), "ts": pl.Datetime("us", "UTC")}


def days_since(time: str | pl.Expr, as_of: datetime) -> pl.Expr:
    """Whole days from a time to the moment."""
    then = pl.col(time) if isinstance(time, str) else time
    return (pl.lit(as_of) - then).dt.total_days().cast(pl.Int64)


def _within(time: str, days: int, as_of: datetime) -> pl.Expr:
    return pl.col(time) >= as_of - days * _DAY


def _money(value: pl.Expr) -> pl.Expr:
    """A sum without what adding fractions leaves in the last digits."""
    return value.sum().round(6) + 0.0  # -0.0 becomes 0.0


def _own(customers: pl.DataFrame, as_of: datetime, tz: str, taken: Sequence[str]) -> pl.LazyFrame:
    """The fields of customers, their age, and their own columns."""
    fields = customers.drop(_OBJECTS, strict=False)
    names = keys(customers["extras"]) if "extras" in customers.columns else []
    extras = unpacked(customers["extras"], names) if names else pl.DataFrame(height=customers.height)
    columns = [as_numbers(each) for each in extras.get_columns()]
    age = _age(as_of, tz) if "birth" in fields.columns else pl.lit(None, dtype=pl.Int64)
    said = next((each for each in columns if each.name in ("age", "年龄") and each.dtype.is_numeric()), None)
    whole = fields.with_columns(
        age.alias("age") if said is None else pl.coalesce(age, said.cast(pl.Int64)).alias("age")
    )
    known = {*whole.columns, *taken}
    free = [each.alias(EXTRA + each.name) if each.name in known else each for each in columns]
    return whole.with_columns(free).lazy()


def _age(as_of: datetime, tz: str) -> pl.Expr:
    """Whole years from birth to the day of the moment."""
    day = pl.lit(as_of).dt.convert_time_zone(tz).dt.date()
    birth = pl.col("birth")
    place = [each.dt.month().cast(pl.Int32) * 100 + each.dt.day() for each in (day, birth)]
    early = place[0] < place[1]
    age = day.dt.year() - birth.dt.year() - early.cast(pl.Int32)
    return pl.when(age >= 0).then(age).cast(pl.Int64)


def as_numbers(texts: pl.Series) -> pl.Series:
    """A column of text as numbers, if all of its texts are finite numbers and none is a code such as 007."""
    bare = texts.str.normalize("NFKC").str.strip_chars().replace("", None)
    found = bare.cast(pl.Float64, strict=False)
    wrong = bare.is_not_null() & ~found.is_finite().fill_null(value=False)
    if wrong.any() or bare.str.contains(_CODE).any() or not found.count():
        return texts
    return found
