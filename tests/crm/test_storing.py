"""Rows of a file against rows of a table: as if they had come one after the other."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import storing
from crm.options import ON_DUPLICATE, OnDuplicate
from crm.schema import polars_schema
from crm.storing import Changes, changes
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


def in_all(parts: list[Changes]) -> Changes:
    """What all parts do together."""
    return Changes(
        pl.concat([part.rows for part in parts]),
        pl.concat([part.known for part in parts]),
        sum(part.same for part in parts),
        pl.concat([part.duplicates for part in parts]).sort(),
        sum(part.repeated for part in parts),
    )


@given(rows(unique=True), rows(unique=False), st.sampled_from(ON_DUPLICATE), st.integers(1, 3), st.integers(1, 5))
def test_it_is_as_if_rows_came_one_after_the_other(
    stored: list[Row], given_rows: list[Row], how: OnDuplicate, batch: int, part: int
) -> None:
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
    batches = pl.DataFrame(stored, SCHEMA).iter_slices(batch)
    with patch.object(storing, "_PART", part):
        parts = list(changes(PEOPLE, pl.DataFrame(given_rows, SCHEMA), batches, how))
    found = in_all(parts or list(changes(PEOPLE, pl.DataFrame(schema=SCHEMA), (), how)))
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
    found = in_all(list(changes(PEOPLE, pl.DataFrame({"id": ["a", "b"]}), [stored], how)))
    assert found.rows["id"].to_list() == ["b"]
    assert found.same == 1


def test_of_the_table_some_rows_at_a_time_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_PART", 2)
    read = 0

    def table() -> Iterator[pl.DataFrame]:
        nonlocal read
        for number in range(6):
            read += 1
            yield pl.DataFrame([{"id": f"{number}", "phone": "1"}], SCHEMA)

    rows = pl.DataFrame({"id": [str(number) for number in range(9)], "phone": ["1", "2", *["1"] * 7]})
    found = [(read, made.new, made.changed, made.same) for made in changes(PEOPLE, rows, table(), "update")]
    assert found == [(2, 0, 1, 1), (4, 0, 0, 2), (6, 0, 0, 2), (6, 3, 0, 0)]
