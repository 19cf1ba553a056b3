"""`crm customers segment` and `crm customers segments`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plugins.customers.segmenting import Rule, only_first, summary

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

LONG_AGO = datetime.now(UTC) - timedelta(days=200)
RULES = """
segments:
  south: region = '广东'
  rich: {where: 'monetary >= 100', help: 近一年}
  asleep: last_order_days > 180
"""


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    """Four customers: two of 广东, of whom one has bought for 150; one has bought for 120 long ago."""
    records = crm.open().records
    people = pl.DataFrame(
        {
            "customer": ["a", "b", "c", "d"],
            "region": ["广东", "广东", "北京", None],
            "phone": ["+8613800138000", None, None, None],
            "extras": ['{"爱好":"茶","收入":"900"}', '{"收入":"20"}', None, None],
        }
    )
    now = datetime.now(UTC)
    orders = pl.DataFrame(
        {"order_id": ["1", "2"], "line": [1, 1], "customer": ["a", "c"], "ts": [now - timedelta(days=3), LONG_AGO]}
    ).with_columns(
        amount=pl.Series([150.0, 120.0]),
        line=pl.col("line").cast(pl.Int32),
        ts=pl.col("ts").cast(pl.Datetime("us", "UTC")),
    )
    with records.begin() as connection:
        records.append(connection, "customers", people)
        records.append(connection, "orders", orders)
    return crm


def rules(crm: "Crm", text: str = RULES) -> Path:
    file = crm.folder / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def members(crm: "Crm") -> dict[str, set[str]]:
    rows = crm.open().scan("segment_members").collect()
    return {name: set(rows.filter(segment=name)["who"]) for name in rows["segment"].unique()}


def test_a_customer_is_in_every_segment_that_fits(shop: "Crm") -> None:
    rows = shop.rows("customers", "segment", rules(shop))
    assert [(row["segment"], row["members"], row["share"], row["also"], row["help"]) for row in rows] == [
        ("south", 2, 0.5, ["rich 1"], None),
        ("rich", 2, 0.5, ["south 1", "asleep 1"], "近一年"),
        ("asleep", 1, 0.25, ["rich 1"], None),
    ]
    assert members(shop) == {"south": {"a", "b"}, "rich": {"a", "c"}, "asleep": {"c"}}


def test_with_first_a_customer_is_in_the_first_that_fits(shop: "Crm") -> None:
    rows = shop.rows("customers", "segment", rules(shop), "--first")
    assert [(row["members"], row["also"]) for row in rows] == [(2, []), (1, []), (0, [])]
    assert members(shop) == {"south": {"a", "b"}, "rich": {"c"}}


def test_a_dry_run_writes_nothing_and_a_later_run_replaces(shop: "Crm") -> None:
    shop("customers", "segment", rules(shop), "--dry-run")
    assert members(shop) == {}
    shop("customers", "segment", rules(shop))
    shop("customers", "segment", rules(shop, "segments: {south: region = '北京'}"))
    assert members(shop) == {"south": {"c"}, "rich": {"a", "c"}, "asleep": {"c"}}


def test_as_of_looks_at_an_earlier_day(shop: "Crm") -> None:
    day = (LONG_AGO + timedelta(days=2)).date()
    rows = shop.rows("customers", "segment", rules(shop), "--dry-run", "--as-of", day)
    assert [row["members"] for row in rows] == [2, 1, 0]


def test_the_configuration_names_the_file_of_rules(shop: "Crm") -> None:
    (shop.workspace / "mine.yaml").write_text(RULES, encoding="utf-8")
    assert "name a file of rules" in shop("customers", "segment", code=2).stderr
    shop.configure("customers: {segments: mine.yaml}\n")
    shop("customers", "segment")
    assert set(members(shop)) == {"south", "rich", "asleep"}


def test_own_columns_count_where_the_configuration_shows_them(shop: "Crm") -> None:
    file = rules(shop, "segments: {earners: 收入 > 100}")
    assert "`收入` is one of your own" in shop("customers", "segment", file, code=2).stderr
    shop.configure("access: {shown: [收入]}\n")
    shop("customers", "segment", file)
    assert members(shop) == {"earners": {"a"}}


def test_a_condition_sees_personal_columns_masked(shop: "Crm") -> None:
    rows = shop.rows(
        "customers", "segment", rules(shop, "segments: {x: \"phone = '+8613800138000'\", y: phone like '%00'}")
    )
    assert [row["members"] for row in rows] == [0, 1]


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("segments: {a: regoin = 'x'}", 2, "segment a: there is no column `regoin` (did you mean `region`?)"),
        ("segments: {a: region =}", 2, "segment a cannot be evaluated"),
        ("segments: {a: spent > 'x'}", 2, "segment a cannot be evaluated"),
        ("segments: {a: sum(spent) > 1}", 2, "segment a judges each row by itself, without `sum`"),
        ("segments: {a: '1=1) or (1=1'}", 2, "segment a is no condition"),
        ("segments: {a: {were: x}}", 4, "unknown key `were` (did you mean `where`?)"),
        ("segments: {a: {help: x}}", 4, "expected a condition"),
        ("segments: {a b: age < 3}", 4, "no name for a segment"),
        ("segmnts: {a: age < 3}", 4, "unknown key `segmnts` (did you mean `segments`?)"),
        ("", 4, "expected `segments:` with names"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(shop: "Crm", text: str, code: int, sentence: str) -> None:
    told = shop("customers", "segment", rules(shop, text), code=code).stderr
    assert sentence in told
    assert members(shop) == {}


def test_a_file_is_segmented_by_its_own_columns(shop: "Crm") -> None:
    file = shop.folder / "in.csv"
    file.write_text("会员号,分\nm1,10\nm2,9\n,11\nm1,0\n", encoding="utf-8")
    result = shop(
        "customers", "segment", rules(shop, "segments: {high: 分 >= 10}"), "--input", file, "--customer", "会员号"
    )
    assert members(shop) == {"high": {"m1"}}
    assert "2 of 4 rows left out" in result.stderr
    assert (
        "--as-of is about the workspace"
        in shop(
            "customers", "segment", rules(shop), "--input", file, "--customer", "会员号", "--as-of", "1d", code=2
        ).stderr
    )


def test_a_viewer_may_not_segment(shop: "Crm") -> None:
    shop.configure("access: {role: viewer}\n")
    shop("customers", "segment", rules(shop), code=7)
    shop("customers", "segments", "--remove", "south", code=7)


def test_segments_are_listed_and_removed(shop: "Crm") -> None:
    from crm import segments

    shop("customers", "segment", rules(shop))
    segments.replace(shop.open(), [("web", ["visitor:1", "a"])])
    rows = shop.rows("customers", "segments")
    assert [(row["segment"], row["members"], row["visitors"]) for row in rows] == [
        ("asleep", 1, 0), ("rich", 2, 0), ("south", 2, 0), ("web", 2, 1),
    ]  # fmt: skip
    shop("customers", "segments", "--remove", "south", "--remove", "web")
    assert set(members(shop)) == {"asleep", "rich"}
    assert "did you mean `rich`" in shop("customers", "segments", "--remove", "rihc", code=2).stderr


def test_clusters_of_the_workspace_become_segments(shop: "Crm") -> None:
    rows = shop.rows("customers", "cluster", "--features", "monetary", "--clusters", 2, "--save", "kind")
    by: dict[int, set[str]] = {}
    for row in rows:
        assert set(row) == {"customer", "monetary", "cluster"}
        by.setdefault(row["cluster"], set()).add(row["customer"][0])
    assert members(shop) == {f"kind-{cluster}": people for cluster, people in by.items()}
    shop("customers", "cluster", "--features", "monetary", "--clusters", 1, "--save", "kind")
    assert members(shop) == {"kind-1": {"a", "b", "c", "d"}}
    assert "there is no --save" in shop("customers", "cluster", "--features", "age", "--customer", "x", code=2).stderr


@given(arrays(np.bool_, st.tuples(st.integers(0, 9), st.integers(1, 4))))
def test_counts_and_overlaps_are_those_of_sets(flags: Any) -> None:
    found = [Rule(f"s{at}", "true") for at in range(flags.shape[1])]
    people = [set(np.flatnonzero(column)) for column in flags.T]
    for at, row in enumerate(summary(found, flags).iter_rows(named=True)):
        assert row["members"] == len(people[at])
        others = {f"s{other}": len(people[at] & people[other]) for other in range(len(people)) if other != at}
        assert dict(text.split() for text in row["also"]) == {name: str(size) for name, size in others.items() if size}
    first = only_first(flags)
    assert (first.sum(axis=1) == flags.any(axis=1)).all()
    assert [row.argmax() for row in first if row.any()] == [row.argmax() for row in flags if row.any()]
