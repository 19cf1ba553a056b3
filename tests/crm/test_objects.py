"""JSON objects in columns: what is packed comes out again, and Python's own reader agrees."""

import json

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from crm import objects

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
OBJECTS = st.lists(st.dictionaries(KEY, TEXT, max_size=4), min_size=1, max_size=6)


def frame_of(rows: list[dict[str, str]]) -> pl.DataFrame:
    names = sorted({name for row in rows for name in row})
    return pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in names}, schema=dict.fromkeys(names, pl.String)
    )


def column(rows: list[dict[str, str]]) -> pl.Series:
    frame = frame_of(rows)
    return objects.packed(frame) if frame.width else pl.Series([None] * len(rows), dtype=pl.String)


@given(OBJECTS)
@example([{"*": "1", "a": "2"}, {"^.*$": "3", "^a": "4"}])
def test_python_reads_what_is_packed(rows: list[dict[str, str]]) -> None:
    assert [json.loads(text) if text is not None else {} for text in column(rows)] == rows


@given(OBJECTS)
@example([{"*": "1", "a": "2"}, {"^.*$": "3", "^a": "4"}])
def test_what_is_packed_comes_out_again(rows: list[dict[str, str]]) -> None:
    packed = column(rows)
    names = objects.keys(packed)
    assert names == sorted({name for row in rows for name in row})
    assert objects.unpacked(packed, names).equals(frame_of(rows)) or not names


def test_equal_objects_are_equal_texts() -> None:
    first = objects.packed(pl.DataFrame({"b": ["1"], "a": ["2"]}))
    second = objects.packed(pl.DataFrame({"a": ["2"], "c": pl.Series([None], dtype=pl.String), "b": ["1"]}))
    assert first.to_list() == second.to_list() == ['{"a":"2","b":"1"}']


def test_nothing_is_null() -> None:
    assert objects.packed(pl.DataFrame({"a": pl.Series([None, None], dtype=pl.String)})).to_list() == [None, None]
    assert objects.keys(pl.Series([None], dtype=pl.String)) == []
