"""Records of one person become one, and are apart again."""

import json
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.schema import polars_schema
from plugins.customers.contracts import CUSTOMERS
from plugins.customers.merging import as_rows, components, merge, never_together, without

SCHEMA = polars_schema(CUSTOMERS)
Row = dict[str, Any]

ROW = st.fixed_dictionaries(
    {
        "name": st.sampled_from([None, "张三", "Zhang San"]),
        "birth": st.sampled_from([None, date(1980, 3, 4)]),
        "phone": st.sampled_from([None, "+8613800138000"]),
        "city": st.sampled_from([None, "深圳", "广州"]),
        "extras": st.sampled_from([None, '{"学历":"本科"}', '{"会员":"1","学历":"硕士"}']),
        "source": st.sampled_from([None, "a.csv"]),
    }
)


def frame(rows: list[Row]) -> pl.DataFrame:
    named = [{"customer": f"c{at}", **row} for at, row in enumerate(rows)]
    return pl.DataFrame(named, schema=SCHEMA)


def weight(row: Row) -> int:
    extras = len(json.loads(row["extras"] or "{}"))
    return extras + sum(row[name] is not None for name in ("name", "birth", "phone", "city"))


@settings(max_examples=40)
@given(st.lists(ROW, min_size=2, max_size=5))
def test_the_fullest_record_stays_and_the_others_fill_its_gaps(rows: list[Row]) -> None:
    people = frame(rows)
    found = merge(people, people.select("customer", person=1))
    order = sorted(people.to_dicts(), key=lambda row: (-weight(row), row["customer"]))
    stays = found.survivors.row(0, named=True)
    assert stays["customer"] == order[0]["customer"]
    for name in ("name", "birth", "phone", "city"):
        values = [row[name] for row in order if row[name] is not None]
        assert stays[name] == (values[0] if values else None)
    extras: Row = {}
    for row in reversed(order):
        extras.update(json.loads(row["extras"] or "{}"))
    assert json.loads(stays["extras"] or "{}") == extras
    origins = json.loads(found.merged["origins"][0] or "{}")
    by_id = {row["customer"]: row for row in order}
    assert all(by_id[origins[name]][name] == stays[name] for name in ("name", "city") if stays[name] is not None)
    assert set(origins) == {name for name in ("name", "birth", "phone", "city") if stays[name]} | {
        f"extras:{name}" for name in extras
    }


@settings(max_examples=40)
@given(st.lists(ROW, min_size=2, max_size=4))
def test_undoing_all_merges_gives_the_records_again(rows: list[Row]) -> None:
    people = frame(rows)
    found = merge(people, people.select("customer", person=1))
    now = found.survivors
    back = []
    for row in found.merged.iter_rows(named=True):
        again = as_rows(pl.Series([row["record"]]), SCHEMA)
        now = without(now, again, row["origins"] or "{}", row["merged"])
        back.append(again)
    every = pl.concat([now, *back]).sort("customer")
    assert every.drop("source").equals(people.drop("source"))


def test_a_value_that_was_changed_since_stays() -> None:
    people = frame([{"name": "张三", "phone": "1"}, {"city": "深圳"}])
    found = merge(people, people.select("customer", person=1))
    moved = found.survivors.with_columns(city=pl.lit("广州"))
    row = found.merged.row(0, named=True)
    rest = without(moved, as_rows(pl.Series([row["record"]]), SCHEMA), row["origins"], row["merged"])
    assert rest["city"].to_list() == ["广州"]


def test_the_text_that_a_value_came_from_goes_with_it() -> None:
    people = frame(
        [{"name": "张三", "city": "深圳"}, {"phone": "+8613800138000", "original": '{"phone":"138-0013-8000"}'}]
    )
    found = merge(people, people.select("customer", person=1))
    assert found.survivors["original"].to_list() == ['{"phone":"138-0013-8000"}']
    row = found.merged.row(0, named=True)
    rest = without(found.survivors, as_rows(pl.Series([row["record"]]), SCHEMA), row["origins"], row["merged"])
    assert rest.select("phone", "original").row(0) == (None, None)


def test_people_with_one_record_are_left_alone() -> None:
    people = frame([{"name": "a"}, {"name": "b"}])
    found = merge(people, pl.DataFrame({"customer": ["c0", "c1"], "person": [1, 2]}))
    assert found.survivors.height == found.merged.height == 0


def test_pairs_hold_records_together() -> None:
    found = components(pl.DataFrame({"a": ["x", "y", "p"], "b": ["y", "z", "q"]}))
    assert found.rows() == [("p", 1), ("q", 1), ("x", 2), ("y", 2), ("z", 2)]


def test_groups_with_records_that_were_told_apart_are_left_alone() -> None:
    groups = pl.DataFrame({"customer": ["a", "b", "c", "d"], "person": [1, 1, 2, 2]})
    apart = pl.DataFrame({"customer": ["a", "b"], "other": ["b", "c"]})
    left, refused = never_together(groups, apart)
    assert left["customer"].to_list() == ["c", "d"]
    assert refused == 1
