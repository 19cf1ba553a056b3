"""Small files become few, and nothing else changes: no row, no number of a run, no query that is under way."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm import compaction
from crm.compaction import MANY, compact
from crm.lake import COMPACTION, Lake
from crm.storage.places import LocalPlace, Place
from crm.tables import Column, Table

HITS = Table(
    "hits",
    "Hits.",
    (Column("date", "date", "day"), Column("ts", "timestamp", "time"), Column("run", "int64", "run")),
    owner="test",
)


def lake_at(place: Place) -> Lake:
    return Lake(place, {"hits": HITS})


def grow(lake: Lake, run: int, days: list[int], rows: int = 1) -> None:
    """Commit a run with a file for each of some days of March."""
    times = [datetime(2026, 3, day, run % 24, second, tzinfo=UTC) for day in days for second in range(rows)]
    frame = pl.DataFrame({"ts": times}, schema={"ts": pl.Datetime("us", "UTC")})
    frame = frame.with_columns(pl.col("ts").dt.date().alias("date"), pl.lit(run, dtype=pl.Int64).alias("run"))
    lake.commit("hits", lake.write("hits", frame, run, "a"), run)


def rows(lake: Lake, **which: object) -> pl.DataFrame:
    return lake.scan("hits", **which).collect().sort("ts", "run")  # type: ignore[arg-type]  # options by name


def per_day(lake: Lake) -> dict[date, int]:
    return dict(lake.files("hits").group_by("date").len().iter_rows())


@pytest.fixture
def lake(place: Place) -> Lake:
    lake = lake_at(place)
    for run in range(1, MANY + 1):
        grow(lake, run, [1, 2] if run % 2 else [1])
    return lake


def test_the_files_of_a_date_with_many_small_ones_become_one(lake: Lake) -> None:
    before = rows(lake)
    assert compact(lake, "hits") == MANY
    assert per_day(lake) == {date(2026, 3, 1): 1, date(2026, 3, 2): MANY // 2}
    assert_frame_equal(rows(lake), before)
    assert_frame_equal(rows(lake_at(lake.place)), before)
    assert compact(lake, "hits") == 0


def test_the_number_of_the_run_and_what_is_new_since_one_stay_as_they_were(lake: Lake) -> None:
    new, newest = rows(lake, since_run=5), lake.newest("hits")
    compact(lake, "hits")
    fresh = lake_at(lake.place)
    assert (fresh.transaction("hits"), fresh.transaction("hits", COMPACTION)) == (MANY, 1)
    assert_frame_equal(rows(fresh, since_run=5), new)
    assert fresh.newest("hits") == newest
    grow(fresh, MANY + 1, [1])
    assert rows(fresh, since_run=MANY).height == 1


def test_for_other_readers_of_the_delta_table_no_data_have_changed(lake: Lake) -> None:
    compact(lake, "hits")
    uri, options = lake.place.uri("hits"), lake.place.options
    with lake.place.open(f"hits/_delta_log/{DeltaTable(uri, storage_options=options).version():020}.json") as log:
        commit = bytes(log.read())
    assert b'"dataChange":false' in commit
    assert b'"dataChange":true' not in commit
    assert pl.read_delta(uri, storage_options=options).height == rows(lake).height


def test_a_query_that_began_before_finds_its_files_until_the_vacuum(lake: Lake) -> None:
    query, before = lake.scan("hits"), rows(lake)
    compact(lake, "hits")
    assert lake.vacuum("hits", timedelta(hours=1)) == 0
    lake.sweep("hits")
    assert_frame_equal(query.collect().sort("ts", "run"), before)
    assert lake.vacuum("hits", timedelta(0)) > 0
    assert_frame_equal(rows(lake), before)


def test_what_a_killed_compaction_has_left_is_swept_and_what_a_finished_one_has_made_is_not(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(lake)
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "compact", lambda *_: None)  # killed between writing and committing
        compact(lake, "hits")
    assert lake.sweep("hits") == 1
    compact(lake, "hits")
    assert lake.sweep("hits") == 0
    assert_frame_equal(rows(lake), before)


def test_large_files_are_left_alone_and_a_file_is_not_made_of_too_many_bytes(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = int(lake.files("hits")["size"].max())  # type: ignore[arg-type]  # the column holds numbers
    monkeypatch.setattr(compaction, "SMALL", 1)
    assert compact(lake, "hits") == 0
    monkeypatch.setattr(compaction, "SMALL", size + 1)
    monkeypatch.setattr(compaction, "TOGETHER", 4 * size)
    before = rows(lake)
    assert compact(lake, "hits") == MANY
    assert per_day(lake)[date(2026, 3, 1)] == MANY // 4
    assert_frame_equal(rows(lake), before)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(1, 3), max_size=3, unique=True), st.booleans()), max_size=12))
def test_whenever_it_is_compacted_the_rows_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[list[int], bool]]
) -> None:
    root = tmp_path_factory.mktemp("law")
    plain, tidy = lake_at(LocalPlace(root / "plain")), lake_at(LocalPlace(root / "tidy"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "MANY", 2)
        for run, (days, now) in enumerate(runs, 1):
            grow(plain, run, days, rows=2)
            grow(tidy, run, days, rows=2)
            if now:
                compact(tidy, "hits")
            assert tidy.sweep("hits") == 0
    assert_frame_equal(rows(tidy), rows(plain))
    for run in range(len(runs) + 1):
        assert_frame_equal(rows(tidy, since_run=run), rows(plain, since_run=run))
    assert tidy.transaction("hits") == plain.transaction("hits")
