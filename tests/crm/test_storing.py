"""Rows of a file against rows of a table: as if they had come one after the other."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.options import ON_DUPLICATE, OnDuplicate
from crm.schema import polars_schema
from crm.storing import changes
from crm.tables import Column, Table

PEOPLE = Table(
    "people",
    "People.",
    (
        Column("id", "string", "id"),
        Column("phone", "string", "phone"),
        Column("age", "int32", "age"),
        Column("extras", "string", "extras"),
        Column("original", "string", "original"),
    ),
    owner="test",
    store="records",
    by_date=False,
    key=("id",),
)
SCHEMA = polars_schema(PEOPLE)
Row = dict[str, Any]


def objects(keys: str) -> "st.SearchStrategy[str | None]":
    made = st.dictionaries(st.sampled_from(keys.split()), st.sampled_from(["1", "2"]), max_size=2)
    return made.map(lambda found: json.dumps(found, sort_keys=True, separators=(",", ":")) if found else None)


def rows(unique: bool) -> "st.SearchStrategy[list[Row]]":
    row = st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcd"),
            "phone": st.sampled_from([None, "1", "2"]),
            "age": st.sampled_from([None, 1, 2]),
            "extras": objects("x y"),
            "original": objects("phone z"),
        }
    )
    return st.lists(row, max_size=5, unique_by=(lambda each: each["id"]) if unique else None)


def folded(before: Row, new: Row, how: OnDuplicate) -> Row:
    """One row after another, slowly."""
    if how in ("skip", "fail"):
        return before
    first, second = (new, before) if how == "update" else (before, new)
    one, other = (json.loads(each["original"] or "{}") for each in (first, second))
    made = {name: second[name] if first[name] is None else first[name] for name in ("id", "phone", "age")}
    extras = {**json.loads(second["extras"] or "{}"), **json.loads(first["extras"] or "{}")}
    original = {**other, **one}
    source = one if first["phone"] is not None else other if second["phone"] is not None else None
    original.pop("phone", None)
    if source and "phone" in source:
        original["phone"] = source["phone"]
    for name, found in (("extras", extras), ("original", original)):
        made[name] = json.dumps(found, sort_keys=True, separators=(",", ":")) if found else None
    return made


@given(rows(unique=True), rows(unique=False), st.sampled_from(ON_DUPLICATE))
def test_it_is_as_if_rows_came_one_after_the_other(stored: list[Row], given_rows: list[Row], how: OnDuplicate) -> None:
    def clean(row: Row) -> Row:
        """A row whose text that a phone came from has a phone."""
        original = json.loads(row["original"] or "{}")
        if row["phone"] is None:
            original.pop("phone", None)
        return {**row, "original": json.dumps(original, sort_keys=True, separators=(",", ":")) if original else None}

    stored, given_rows = [clean(row) for row in stored], [clean(row) for row in given_rows]
    before = {row["id"]: row for row in stored}
    after = dict(before)
    for row in given_rows:
        after[row["id"]] = folded(after[row["id"]], row, how) if row["id"] in after else row
    found = changes(PEOPLE, pl.DataFrame(given_rows, SCHEMA), pl.DataFrame(stored, SCHEMA), how)
    written = {row["id"]: row for row in found.rows.to_dicts()}
    assert {**before, **written} == after
    assert len(written) == found.rows.height
    touched = {row["id"] for row in given_rows}
    assert found.new == len(touched - before.keys())
    assert found.changed == sum(after[key] != before[key] for key in touched & before.keys())
    assert found.new + found.changed + found.same + found.repeated == len(given_rows)
    seen, late = set(before), []
    for at, row in enumerate(given_rows):
        if row["id"] in seen:
            late.append(at)
        seen.add(row["id"])
    assert found.duplicates.to_list() == late


@pytest.mark.parametrize("how", ON_DUPLICATE)
def test_a_file_may_lack_columns(how: OnDuplicate) -> None:
    stored = pl.DataFrame([{"id": "a", "phone": "1", "age": 3}], SCHEMA)
    found = changes(PEOPLE, pl.DataFrame({"id": ["a", "b"]}), stored, how)
    assert found.rows["id"].to_list() == ["b"]
    assert found.same == 1
