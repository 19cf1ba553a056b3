"""Orders in a file -> purchases of customers: dates, amounts, and rows that are none."""

from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unusable, UsageError
from plugins.customers.order_values import amounts, dates
from plugins.customers.transactions import Orders, histories, orders_of, totals

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

COLUMNS = ("customer", "date", "amount")
ORDERS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.dates(date(2024, 1, 1), date(2024, 1, 9)),
        st.integers(-2, 5).map(lambda cents: cents / 10),
    ),
    max_size=25,
)
UNTIL = st.none() | st.dates(date(2024, 1, 1), date(2024, 1, 20))


@pytest.mark.parametrize(
    "text",
    [
        *("1997-01-31", "1997/01/31", "1997/1/31", "1997.1.31", "19970131", "1997年1月31日", "１９９７年０１月３１日"),
        *("35461", "35461.75", " 1997-01-31 ", "1997-01-31T23:59:59Z", "1997-01-31 08:00", "1997年1月31日 8:00"),
        *("1997-01-31T00:30:00+08:00", "19970131235959"),
    ],
)
def test_a_date_is_read_as_systems_write_it(text: str) -> None:
    assert dates(pl.Series([text, None])).to_list() == [date(1997, 1, 31), None]


@pytest.mark.parametrize(
    "text", ["", "1997-02-30", "31.01.1997", "01/31/1997", "soon", "1997-01-31 noon", "1234", "9" * 9]
)
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert dates(pl.Series([text])).to_list() == [None]


def test_dates_of_typed_columns_are_taken_as_they_are() -> None:
    day = date(1997, 1, 31)
    for value in (day, datetime(1997, 1, 31, 23), 19970131, 35461, 35461.75, 19970131.0):
        assert dates(pl.Series([value])).to_list() == [day]
    assert dates(pl.Series([float("nan"), 1e300])).to_list() == [None, None]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("29.33", 29.33), ("1,029.33", 1029.33), ("1,234,567", 1234567), ("29,33", 29.33), ("-5", -5), ("+5", 5)),
        *(("¥29.33", 29.33), ("２９．３３元", 29.33), ("US$ 5", 5), ("1 029,5 €", 1029.5), ("0", 0), ("1e3", 1000)),
        *(
            ("", None),
            ("x", None),
            ("nan", None),
            ("inf", None),
            ("-1e308", None),
            ("1e999", None),
            ("1,23,4", None),
            (None, None),
        ),
    ],
)
def test_an_amount_is_a_finite_number(text: str | None, number: float | None) -> None:
    assert amounts(pl.Series([text], dtype=pl.String)).to_list() == [number]


def test_numbers_that_are_not_finite_are_no_amounts() -> None:
    assert amounts(pl.Series([1, None])).to_list() == [1, None]
    assert amounts(pl.Series([1.5, float("nan"), float("inf"), 1e308])).to_list() == [1.5, None, None, None]


def days_of(rows: list[tuple[str, date, float]], until: date | None) -> tuple[dict[str, dict[date, float]], date]:
    """What each customer spent on each day, customer by customer."""
    found: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for who, when, amount in rows:
        if amount >= 0 and (until is None or when <= until):
            found[who][when] += amount
    last = max((day for its in found.values() for day in its), default=date.min)
    return dict(sorted(found.items())), until or last


@given(ORDERS, UNTIL)
def test_histories_count_days_after_the_first(rows: list[tuple[str, date, float]], until: date | None) -> None:
    table = (
        pl.DataFrame(rows, schema=COLUMNS, orient="row")
        if rows
        else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    )
    found = histories(orders_of(table, COLUMNS, until), "week")
    wanted, end = days_of(rows, until)
    assert found["customer"].to_list() == list(wanted)
    for row, its in zip(found.iter_rows(named=True), wanted.values(), strict=True):
        first = min(its)
        paid = [amount for day, amount in its.items() if day > first and amount > 0]
        assert row["frequency"] == len(its) - 1
        assert row["recency"] == pytest.approx((max(its) - first).days / 7)
        assert row["age"] == pytest.approx((end - first).days / 7)
        assert row["valued"] == len(paid)
        assert row["monetary"] == (pytest.approx(sum(paid) / len(paid)) if paid else None)


@given(ORDERS, UNTIL)
def test_totals_count_all_days(rows: list[tuple[str, date, float]], until: date | None) -> None:
    table = (
        pl.DataFrame(rows, schema=COLUMNS, orient="row")
        if rows
        else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    )
    wanted, end = days_of(rows, until)
    found = {row[0]: row[1:] for row in totals(orders_of(table, COLUMNS, until)).iter_rows()}
    assert found == {
        who: ((end - max(its)).days, len(its), pytest.approx(sum(its.values()))) for who, its in wanted.items()
    }


def test_equal_sums_are_equal_whatever_was_added_up() -> None:
    day = date(2024, 1, 1)
    rows = [("a", day, 0.1), ("a", day, 0.2), ("b", day, 0.3)]
    found = totals(Orders(pl.DataFrame(rows, schema=COLUMNS, orient="row"), (), day))
    assert found["monetary"].n_unique() == 1


def test_rows_that_are_no_orders_are_told_without_what_they_say(crm: "Crm") -> None:
    lines = (
        *("customer,date,amount", "a,2024-01-01,5", "a,2024-01-02,13800138000x", ",2024-01-03,5", "b,31/12/2024,5"),
        *("b,,5", "b,2024-01-01,", "a,2024-01-03,-3", "b,2024-02-01,7", "a,2024-01-09,5", "a,2024-01-09,5"),
    )
    found = crm("customers", "rfm", "--input", crm.log("orders.csv", *lines), "--until", "2024年1月31日")
    assert found.stderr.splitlines()[:8] == [
        "10 rows = 3 orders + 7 left out",
        "  1 with an amount that cannot be read, row 2, of the shape `99999999999a`",
        "  1 without a customer, row 3",
        "  1 with a date that cannot be read, row 4, of the shape `99/99/9999`",
        "  1 without a date, row 5",
        "  1 without an amount, row 6",
        "  1 returned (a negative amount), row 7",
        "  1 after 2024-01-31 (--until), row 8",
    ]
    assert "13800138000" not in found.output


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    table = pl.DataFrame({"customers": ["a"], "date": ["2024-01-01"], "amount": ["1"]})
    with pytest.raises(UsageError, match="--customer: there is no column `customer` \\(did you mean `customers`"):
        orders_of(table, COLUMNS)


def test_a_column_of_lists_is_refused() -> None:
    table = pl.DataFrame({"customer": ["a"], "date": [["2024-01-01"]], "amount": [1.0]})
    with pytest.raises(UsageError, match="--date: the column `date` holds List"):
        orders_of(table, COLUMNS)


@pytest.mark.parametrize(("column", "value"), [("date", "12/31/2024"), ("amount", "cheap")])
def test_a_column_of_which_most_cannot_be_read_is_refused(column: str, value: str) -> None:
    good = {"customer": "a", "date": "2024-01-01", "amount": "1"}
    rows = [good, good | {column: value}, good | {column: value}, good | {column: ""}]
    with pytest.raises(Unusable, match=f"--{column}: 2 of 3 values .* row 2 has the shape"):
        orders_of(pl.DataFrame(rows), COLUMNS)
    assert orders_of(pl.DataFrame([good, *rows[:2]]), COLUMNS).rows.height == 2
