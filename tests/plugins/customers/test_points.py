"""The ledger of points: `crm customers points`."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.customers.config import PointsConfig
from plugins.customers.points import LEDGER, accounts, balances, due, expired, unbooked

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")
LINES = {
    "customer": pl.String,
    "order_id": pl.String,
    "ts": MOMENT,
    "category": pl.String,
    "amount": pl.Float64,
    "status": pl.String,
}
WHOSE = {"o": "a", "p": "a", "q": "b"}
CONFIG = "customers: {points: {categories: {茶: 2}, expire_months: 12, unearned: [cancelled]}}\n"

lines = st.lists(
    st.tuples(
        st.sampled_from("opq"), st.integers(-90, 5), st.sampled_from((None, "茶", "米")),
        st.sampled_from((None, -20.0, -3.5, 0.0, 7.9, 20.0)), st.sampled_from((None, "paid", "cancelled")),
    ),
    max_size=6,
)  # fmt: skip


def orders(rows: list[Any]) -> pl.DataFrame:
    """Lines of orders; `o` and `p` are orders of a, `q` is one of b."""
    found = [
        (WHOSE[o], o, NOW + timedelta(days=day), category, amount, status) for o, day, category, amount, status in rows
    ]
    return pl.DataFrame(found, LINES, orient="row")


def ledger(rows: list[Any]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, LEDGER, orient="row")
    return frame.with_columns(entry=pl.int_range(1, pl.len() + 1))


def earned(rows: list[Any], config: PointsConfig) -> dict[str, int]:
    """What each order earns, one line at a time."""
    sums: dict[str, float] = {}
    for order, day, category, amount, status in rows:
        if day < 0:
            value = (
                0.0 if status in config.unearned else (amount or 0) * config.categories.get(category, config.per_unit)
            )
            sums[order] = sums.get(order, 0.0) + value
    ways = {"down": int, "up": lambda value: -int(-value // 1), "nearest": lambda value: int(value + 0.5)}
    return {o: ways[config.rounding](round(abs(value), 6)) * (-1 if value < 0 else 1) for o, value in sums.items()}


@given(lines, st.sampled_from(("down", "nearest", "up")))
def test_an_order_earns_by_its_lines(rows: list[Any], rounding: Any) -> None:
    config = PointsConfig(per_unit=1.5, categories={"茶": 2.0}, rounding=rounding, unearned=["cancelled"])
    found = due(orders(rows), config, NOW)
    assert dict(found.select("order_id", "points").iter_rows()) == earned(rows, config)


@settings(max_examples=120)
@given(st.lists(st.tuples(lines, st.integers(0, 60)), min_size=1, max_size=4))
def test_points_are_booked_once_and_follow_the_orders_down_to_zero(states: list[tuple[list[Any], int]]) -> None:
    config = PointsConfig(categories={"茶": 2.0}, unearned=["cancelled"])
    book = ledger([])
    for rows, spent in states:  # what the orders have become since, and what was spent then
        entries = unbooked(due(orders(rows), config, NOW), book.drop("entry"), NOW)
        book = ledger([*book.drop("entry").rows(), *entries.rows()])
        again = unbooked(due(orders(rows), config, NOW), book.drop("entry"), NOW)
        assert again.is_empty()
        wanted = earned(rows, config)
        for order, whole in wanted.items():
            had = book.filter(order_id=order)["points"].sum()
            assert had == whole or (had > whole and book.filter(customer=WHOSE[order])["points"].sum() == 0)
        left = int(book.filter(customer="a")["points"].sum())
        if min(left, spent):
            book = ledger([*book.drop("entry").rows(), ("a", NOW, -min(left, spent), "redeem", None)])
        running = book.with_columns(pl.col("points").cum_sum().over("customer").alias("balance"))
        assert (running["balance"] >= 0).all()


def test_what_cannot_be_taken_back_yet_is_taken_back_later() -> None:
    bought, back = (
        orders([("o", -9, None, 50.0, None)]),
        orders([("o", -9, None, 50.0, None), ("o", -8, None, -50.0, None)]),
    )
    config = PointsConfig()
    first = unbooked(due(bought, config, NOW), ledger([]).drop("entry"), NOW)
    spent = [*first.rows(), ("a", NOW, -30, "redeem", None)]
    taken = unbooked(due(back, config, NOW), ledger(spent).drop("entry"), NOW)
    assert taken["points"].to_list() == [-20]
    later = [*spent, *taken.rows(), ("a", NOW, 100, "adjust", None)]
    assert unbooked(due(back, config, NOW), ledger(later).drop("entry"), NOW)["points"].to_list() == [-30]


events = st.lists(
    st.tuples(
        st.sampled_from((0, 20, 40, 200, 340, 365, 400)),
        st.sampled_from(("get", "spend", "expire")),
        st.integers(1, 30),
    ),
    max_size=12,
)


@settings(max_examples=120)
@given(events)
def test_the_oldest_points_go_first_and_expire_first(steps: list[tuple[int, str, int]]) -> None:
    """Against lots in a queue, one step at a time."""
    lots: deque[list[Any]] = deque()
    rows: list[Any] = []
    at = NOW
    for days, what, number in steps:
        at += timedelta(days=days)
        gone = 0
        while lots and pl.Series([lots[0][0]]).dt.offset_by("12mo")[0] <= at:
            gone += lots.popleft()[1]
        entries = expired(ledger(rows), 12, at)
        assert entries["points"].to_list() == ([-gone] if gone else [])
        rows += entries.rows()
        if what == "get":
            lots.append([at, number])
            rows.append(("a", at, number, "adjust", None))
        elif what == "spend" and sum(lot[1] for lot in lots) >= number:
            rows.append(("a", at, -number, "redeem", None))
            left = number
            while left:
                used = min(left, lots[0][1])
                left, lots[0][1] = left - used, lots[0][1] - used
                if not lots[0][1]:
                    lots.popleft()
        book = ledger(rows)
        assert balances(book)["balance"].sum() == sum(lot[1] for lot in lots)
        if rows:
            (row,) = accounts(book, 12).rows(named=True)
            assert row["expiring"] == (sum(lot[1] for lot in lots if lot[0] == lots[0][0]) if lots else None)
            assert (row["expires"] is None) == (not lots)
            parts = row["earned"] + row["redeemed"] + row["adjusted"] + row["expired"]
            assert row["balance"] == parts == sum(each[2] for each in rows)


# The commands


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    now = datetime.now(UTC)
    crm.configure(CONFIG)
    records = crm.open().records
    frame = pl.DataFrame(
        {
            "order_id": ["o1", "o1", "o2", "o3", "o4"], "line": pl.Series([1, 2, 1, 1, 1], dtype=pl.Int32),
            "customer": ["a", "a", "b", "a", "b"], "category": ["茶", None, None, None, None],
            "amount": [10.5, 4.2, 99.9, 30.0, 1e6], "status": [None, None, "paid", "cancelled", None],
            "ts": pl.Series([now - timedelta(days=days) for days in (3, 3, 800, 2, -5)]).cast(MOMENT),
        }
    )  # fmt: skip
    with records.begin() as connection:
        records.append(connection, "customers", pl.DataFrame({"customer": ["a", "b"]}))
        records.append(connection, "orders", frame)
    return crm


def balance(crm: "Crm") -> dict[str, int]:
    return {row["customer"][0]: row["balance"] for row in crm.rows("customers", "points", "balance")}


def test_orders_earn_once(shop: "Crm") -> None:
    assert [row["points"] for row in shop.rows("customers", "points", "earn", "--dry-run")] == [99, 25]
    assert balance(shop) == {}
    shop("customers", "points", "earn")
    shop("customers", "points", "earn")
    assert balance(shop) == {"a": 25, "b": 99}
    entries = shop.open().records.frame("audit").filter(action="points")
    assert (entries["what"].to_list(), entries["rows"].to_list()) == (["earn"], [2])


def test_old_points_expire_once(shop: "Crm") -> None:
    shop("customers", "points", "earn")
    assert [row["points"] for row in shop.rows("customers", "points", "expire", "--dry-run")] == [-99]
    shop("customers", "points", "expire")
    shop("customers", "points", "expire")
    assert balance(shop) == {"a": 25, "b": 0}
    (row,) = [row for row in shop.rows("customers", "points", "balance") if row["balance"]]
    assert row["expiring"] == 25


def test_points_are_redeemed_and_adjusted_but_never_below_zero(shop: "Crm") -> None:
    shop("customers", "points", "earn")
    shop("customers", "points", "redeem", "a", 20, "--note", "茶壶")
    told = shop("customers", "points", "redeem", "a", 6, code=7).stderr
    assert "has 5 points, and 6 are to be taken" in told
    shop("customers", "points", "adjust", "a", "-6", code=7)
    shop("customers", "points", "adjust", "a", "-5", "--note", "twice")
    rows = shop.rows("customers", "points", "show", "a")
    assert [(row["points"], row["reason"], row["balance"]) for row in rows] == [
        (25, "order", 25), (-20, "redeem: 茶壶", 5), (-5, "adjust: twice", 0),
    ]  # fmt: skip
    assert [row["entry"] for row in rows] == [2, 3, 4]


def test_what_has_expired_cannot_be_redeemed(shop: "Crm") -> None:
    shop("customers", "points", "earn")
    told = shop("customers", "points", "redeem", "b", 1, code=7).stderr
    assert "has 0 points, 99 having expired" in told
    assert balance(shop)["b"] == 99  # nothing is booked of what was refused
    shop("customers", "points", "adjust", "b", 7)
    assert [row["points"] for row in shop.rows("customers", "points", "show", "b")] == [99, -99, 7]


def test_mistakes_and_roles(shop: "Crm") -> None:
    shop("customers", "points", "redeem", "nobody", 1, code=6)
    shop("customers", "points", "adjust", "a", 0, code=2)
    shop.configure("access: {role: analyst}\n")
    for args in (("earn",), ("redeem", "a", 1), ("adjust", "a", 1)):
        shop("customers", "points", *args, code=7)
    assert "points do not expire" in shop("customers", "points", "expire", code=2).stderr
    assert balance(shop) == {}
