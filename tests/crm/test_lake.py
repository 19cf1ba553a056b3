"""Delta tables: what is written counts once it is committed, all of it or nothing."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from deltalake import DeltaTable

from crm.lake import Lake
from crm.storage.places import Place
from crm.tables import Column, Table

VISITS = Table(
    "visits",
    "Visits.",
    (
        Column("date", "date", "day"),
        Column("ts", "timestamp", "time"),
        Column("page", "string", "page"),
        Column("path", "list[string]", "pages"),
        Column("run", "int64", "run"),
    ),
    owner="test",
)
TOTALS = Table("totals", "Totals.", (Column("n", "int64", "number"),), owner="test", by_date=False)


@pytest.fixture
def lake(place: Place) -> Lake:
    return Lake(place, {"visits": VISITS, "totals": TOTALS})


def visits(run: int, *times: str) -> pl.DataFrame:
    """Rows of the table, a page for each time."""
    ts = [datetime.fromisoformat(f"2026-03-{time}").replace(tzinfo=UTC) for time in times]
    frame = pl.DataFrame({"ts": ts, "page": [f"/{time}" for time in times]}, schema_overrides={"ts": TIME})
    return frame.with_columns(
        pl.col("ts").dt.date().alias("date"),
        pl.concat_list("page").alias("path"),
        pl.lit(run, dtype=pl.Int64).alias("run"),
    )


TIME = pl.Datetime("us", "UTC")


def stored(lake: Lake, **which: object) -> list[str]:
    found = lake.scan("visits", **which)  # type: ignore[arg-type]  # options by name
    return found.select("page").collect()["page"].sort().to_list()


def on_disk(lake: Lake) -> int:
    return len(data_files(lake))


def data_files(lake: Lake) -> list[str]:
    """The paths of all data files that are there."""
    return sorted(path for path in lake.place.names("") if path.endswith(".parquet"))


def test_a_table_that_was_never_written_is_empty_with_the_contracts_columns(lake: Lake) -> None:
    assert lake.scan("visits").collect_schema().names() == ["date", "ts", "page", "path", "run"]
    assert (lake.transaction("visits"), lake.newest("visits"), lake.files("visits").height) == (0, None, 0)
    assert stored(lake) == []


def test_written_rows_count_once_they_are_committed(lake: Lake) -> None:
    parts = lake.write("visits", visits(1, "01T10:00", "02T10:00"), 1, "a")
    assert (stored(lake), lake.transaction("visits"), on_disk(lake)) == ([], 0, 2)
    lake.commit("visits", parts, 1)
    assert (stored(lake), lake.transaction("visits")) == (["/01T10:00", "/02T10:00"], 1)
    row = lake.scan("visits").collect().row(0, named=True)
    assert (row["date"], row["path"], row["run"]) == (date(2026, 3, 1), ["/01T10:00"], 1)


def test_a_commit_replaces_the_rows_of_whole_dates(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "01T10:00", "02T10:00", "03T10:00"), 1, "a"), 1)
    parts = lake.write("visits", visits(2, "02T11:00"), 2, "a")
    lake.commit("visits", parts, 2, replace=[date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 9)])
    assert stored(lake) == ["/01T10:00", "/02T11:00"]


def test_a_table_without_dates_is_replaced_whole(lake: Lake) -> None:
    for run in (1, 2):
        rows = pl.DataFrame({"n": [run]})
        lake.commit("totals", lake.write("totals", rows, run, "a"), run, replace=[])
    assert lake.scan("totals").collect()["n"].to_list() == [2]


def test_a_commit_without_rows_still_says_which_run_it_was(lake: Lake) -> None:
    lake.commit("visits", [], 1)
    lake.commit("visits", [], 2, replace=[])
    assert (lake.transaction("visits"), stored(lake)) == (2, [])


def test_dates_and_runs_choose_rows(lake: Lake) -> None:
    for run, times in ((1, ("01T10:00", "02T10:00")), (2, ("01T12:00",)), (3, ("03T10:00",))):
        lake.commit("visits", lake.write("visits", visits(run, *times), run, "a"), run)
    assert stored(lake, dates=[date(2026, 3, 1)]) == ["/01T10:00", "/01T12:00"]
    assert stored(lake, since_run=1) == ["/01T12:00", "/03T10:00"]
    assert stored(lake, dates=[date(2026, 3, 1)], since_run=1) == ["/01T12:00"]
    assert stored(lake, dates=[]) == []


def test_rows_that_a_later_run_wrote_anew_keep_their_own_run(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "01T10:00"), 1, "a"), 1)
    both = pl.concat([visits(1, "01T10:00"), visits(2, "01T11:00")])
    lake.commit("visits", lake.write("visits", both, 2, "a"), 2, replace=[date(2026, 3, 1)])
    assert stored(lake, since_run=1) == ["/01T11:00"]


def test_the_newest_time_is_known_without_reading_a_row(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "02T10:00:00.000001", "01T23:00"), 1, "a"), 1)
    for path in data_files(lake):
        lake.place.write(path, b"")
    assert lake.newest("visits") == datetime(2026, 3, 2, 10, 0, 0, 1, tzinfo=UTC)
    assert lake.files("visits")["rows"].sum() == 2


def test_a_sweep_deletes_what_never_was_committed_and_nothing_else(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "01T10:00"), 1, "a"), 1)
    lake.write("visits", visits(2, "01T11:00", "02T11:00"), 2, "a")
    assert (lake.sweep("visits"), on_disk(lake)) == (2, 1)
    assert stored(lake) == ["/01T10:00"]
    assert lake.sweep("visits") == lake.sweep("totals") == 0


def test_parts_that_are_discarded_leave_no_file(lake: Lake) -> None:
    lake.write("visits", visits(1, "01T10:00", "02T10:00"), 1, "00001-a")
    lake.write("visits", visits(1, "01T11:00"), 1, "00002-a")
    lake.write("visits", visits(11, "01T12:00"), 11, "00001-a")
    lake.discard("visits", 1, "00001-")
    assert [path.split("/")[-1] for path in data_files(lake)] == ["r1-00002-a.parquet", "r11-00001-a.parquet"]


def test_a_vacuum_deletes_what_was_replaced_long_enough_ago(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "01T10:00"), 1, "a"), 1)
    size = lake.files("visits")["size"].sum()
    lake.commit("visits", lake.write("visits", visits(2, "01T11:00"), 2, "a"), 2, replace=[date(2026, 3, 1)])
    assert (lake.vacuum("visits", timedelta(days=1)), on_disk(lake)) == (0, 2)
    (old,) = lake.replaced("visits", timedelta(0))
    assert (lake.vacuum("visits", timedelta(0)), on_disk(lake)) == (size, 1)
    assert old not in data_files(lake)
    assert (lake.replaced("visits", timedelta(0)), lake.vacuum("visits", timedelta(0))) == ({}, 0)
    assert stored(lake) == ["/01T11:00"]
    assert lake.vacuum("totals", timedelta(0)) == 0


def test_other_programs_read_the_table_as_delta_lake(lake: Lake) -> None:
    lake.commit("visits", lake.write("visits", visits(1, "01T10:00"), 1, "a"), 1)
    uri, options = lake.place.uri("visits"), lake.place.options
    assert DeltaTable(uri, storage_options=options).metadata().partition_columns == ["date"]
    assert pl.read_delta(uri, storage_options=options)["page"].to_list() == ["/01T10:00"]
