"""Profiles of customers, against a slow and obviously right account of the same rows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.schema import polars_schema
from plugins.customers.config import Tier
from plugins.customers.contracts import CUSTOMERS, ORDERS, POINTS, SURVEYS
from plugins.customers.profiles import COUNTS, FIELDS, as_numbers, profiles

AS_OF = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = ("a", "张三", "c")
TIERS = (Tier(name="silver", spent=10), Tier(name="gold", spent=20, orders=2), Tier(name="star", points=30))
SESSIONS = {"customer": pl.String, "end": pl.Datetime("us", "UTC"), "views": pl.Int64, "duration_s": pl.Float64}

moments = st.integers(-24 * 500, 24 * 60).map(lambda hours: AS_OF + timedelta(hours=hours))
people = st.sampled_from((*PEOPLE, None))
amounts = st.sampled_from((None, -5.0, 0.0, 3.25, 8.0, 12.5))
names = st.sampled_from((None, "x", "y", "z"))
orders = st.lists(st.tuples(people, st.sampled_from("opqrst"), moments, names, names, amounts), max_size=12)
sessions = st.lists(st.tuples(people, moments, st.integers(1, 9), st.sampled_from((0.0, 1.5, 60.0))), max_size=8)
surveys = st.lists(
    st.tuples(people, moments, st.sampled_from(("nps", "csat", "x")), st.sampled_from((None, 1.0, 4.0, 9.0))),
    max_size=8,
    unique_by=lambda row: row[:3],
)
points = st.lists(st.tuples(people, moments, st.integers(-9, 30), st.sampled_from((None, "o", "p"))), max_size=8)


def of(contract: Any, names: tuple[str, ...], rows: list[Any]) -> pl.DataFrame:
    kinds = polars_schema(contract)
    return pl.DataFrame(rows, {name: kinds[name] for name in names}, orient="row")


def customers(**columns: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"customer": PEOPLE, **columns}, schema_overrides={"birth": pl.Date, "extras": pl.String})


def found(rows: tuple[list[Any], ...], **columns: list[Any]) -> pl.DataFrame:
    tables = (
        of(ORDERS, ("customer", "order_id", "ts", "item", "category", "amount"), rows[0]),
        pl.DataFrame(rows[1], SESSIONS, orient="row"),
        of(SURVEYS, ("customer", "ts", "question", "score"), rows[2]),
        of(POINTS, ("customer", "ts", "points", "order_id"), rows[3]),
    )
    return profiles(customers(**columns), *tables, AS_OF, tz="Asia/Shanghai", tiers=TIERS).collect()


def tier_of(lines: list[Any], ledger: list[Any]) -> str | None:
    """The tier by the last twelve months."""
    year = AS_OF.replace(year=AS_OF.year - 1)
    late = [line for line in lines if line[1] >= year]
    spent, made = sum(line[4] for line in late), len({line[0] for line in late if line[4] >= 0})
    earned = [points for ts, points, order in ledger if ts >= year and order is not None]
    if not late and not earned:
        return None
    reached = {"silver": spent >= 10, "gold": spent >= 20 and made >= 2, "star": sum(earned) >= 30}
    return next((name for name in ("star", "gold", "silver") if reached[name]), None)


def expected(who: str, rows: tuple[list[Any], ...]) -> dict[str, Any]:
    """The same, one customer and one row at a time."""
    lines = [
        (order, ts, item, category, amount or 0)
        for w, order, ts, item, category, amount in rows[0]
        if w == who and ts < AS_OF
    ]
    bought = [line for line in lines if line[4] >= 0]
    back = [line[4] for line in lines if line[4] < 0]
    times = [line[1] for line in bought]
    seen = [row[1:] for row in rows[1] if row[0] == who and row[1] < AS_OF]
    ledger = [row[1:] for row in rows[3] if row[0] == who and row[1] < AS_OF]

    def ago(days: int) -> datetime:
        return AS_OF - timedelta(days=days)

    def orders_since(moment: datetime) -> int:
        return len({line[0] for line in bought if line[1] >= moment})

    def newest(question: str) -> float | None:
        said = [
            (ts, score)
            for w, ts, q, score in rows[2]
            if w == who and q == question and ts < AS_OF and score is not None
        ]
        return max(said)[1] if said else None

    frequency = len({(ts + timedelta(hours=8)).date() for ts in times})
    usual = (max(times) - min(times)).total_seconds() / 86_400 / (frequency - 1) if frequency > 1 else None
    last = (AS_OF - max(times)).days if times else None
    return {
        "orders": len({line[0] for line in bought}),
        "spent": sum(line[4] for line in lines),
        "monetary": sum(line[4] for line in bought),
        "mean_order": sum(line[4] for line in bought) / len({line[0] for line in bought}) if bought else None,
        **{f"orders_{days}": orders_since(ago(days)) for days in (30, 90, 365)},
        "spent_365": sum(line[4] for line in lines if line[1] >= ago(365)),
        "frequency": frequency,
        "items": len({line[2] for line in bought} - {None}),
        "categories": len({line[3] for line in bought} - {None}),
        "returns": len(back),
        "returned": -sum(back),
        "first_order_days": (AS_OF - min(times)).days if times else None,
        "last_order_days": last,
        "recency": last,
        "usual_days": usual,
        "overdue": last / usual if usual and last is not None else None,
        "sessions": len(seen),
        "views": sum(row[1] for row in seen),
        "duration_s": sum(row[2] for row in seen),
        "last_visit_days": (AS_OF - max(row[0] for row in seen)).days if seen else None,
        **{f"visits_{days}": sum(row[0] >= ago(days) for row in seen) for days in (30, 90, 365)},
        "nps": newest("nps"),
        "csat": newest("csat"),
        "points": sum(row[1] for row in ledger),
        "tickets": 0,
        "tickets_90": 0,
        "tier": tier_of(lines, ledger),
        "age": None,
    }


@settings(max_examples=150)
@given(st.tuples(orders, sessions, surveys, points))
def test_a_profile_is_what_going_through_the_rows_gives(rows: tuple[list[Any], ...]) -> None:
    for row in found(rows).iter_rows(named=True):
        wanted = expected(row["customer"], rows)
        assert set(wanted) == {*FIELDS} == {*row} - {"customer"}
        for name, value in wanted.items():
            assert row[name] == (pytest.approx(value) if value is not None else None), name


@settings(max_examples=60)
@given(st.tuples(orders, sessions, surveys, points))
def test_nothing_from_the_moment_on_is_known(rows: tuple[list[Any], ...]) -> None:
    at = (2, 1, 1, 1)
    past = tuple([row for row in table if row[place] < AS_OF] for table, place in zip(rows, at, strict=True))
    assert_frame_equal(found(rows), found(past))


def test_age_counts_whole_years_in_the_zone() -> None:
    births = [date(2000, 3, 1), date(2000, 3, 2), date(2030, 1, 1)]
    assert found(([], [], [], []), birth=births)["age"].to_list() == [26, 25, None]


def test_own_columns_are_columns_and_numbers_where_all_are() -> None:
    extras = ['{"收入":"１２００","爱好":"茶","码":"007","points":"5"}', '{"收入":" 3.5 ","码":"8"}', None]
    frame = found(([], [], [], []), extras=extras)
    assert frame["收入"].to_list() == [1200.0, 3.5, None]
    assert frame["爱好"].to_list() == ["茶", None, None]
    assert frame["码"].to_list() == ["007", "8", None]
    assert frame["extra_points"].to_list() == [5.0, None, None]
    assert frame["points"].to_list() == [0, 0, 0]
    assert "extras" not in frame.columns


def test_an_own_column_tells_the_age_where_no_birth_does() -> None:
    frame = found(
        ([], [], [], []), birth=[date(2000, 1, 1), None, None], extras=['{"年龄":"99"}', '{"年龄":"31"}', None]
    )
    assert frame["age"].to_list() == [26, 31, None]


@pytest.mark.parametrize("texts", [["1", "nan"], ["1", "inf"], ["1", "x"], ["01"], [None, ""]])
def test_a_column_with_anything_but_numbers_stays_text(texts: list[str | None]) -> None:
    assert as_numbers(pl.Series(texts, dtype=pl.String)).dtype == pl.String


def test_fields_and_contract_do_not_clash() -> None:
    assert not {column.name for column in CUSTOMERS.columns} & {*FIELDS}
    assert set(COUNTS) < set(FIELDS)


def test_tickets_are_counted_where_there_are_some() -> None:
    times = [AS_OF - timedelta(days=200), AS_OF - timedelta(days=9), AS_OF]
    asked = pl.DataFrame({"customer": ["c", "c", "c"], "ts": times}, schema_overrides={"ts": pl.Datetime("us", "UTC")})
    none = (of(ORDERS, ("customer", "order_id", "ts", "item", "category", "amount"), []), pl.DataFrame(schema=SESSIONS))
    answers = of(SURVEYS, ("customer", "ts", "question", "score"), [])
    ledger = of(POINTS, ("customer", "ts", "points", "order_id"), [])
    frame = profiles(customers(), *none, answers, ledger, AS_OF, tickets=asked).collect()
    assert frame.select("tickets", "tickets_90").rows() == [(0, 0), (0, 0), (2, 1)]
