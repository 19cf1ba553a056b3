"""Over which midnights runs go."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from plugins.logs.spark.jobs import in_groups
from plugins.logs.spark.touched import EPOCH, sides

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = (START.date() - EPOCH).days


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4 * 48 - 1), st.sampled_from([-1, 0, 1])), max_size=40),
    st.sampled_from([1, 30, 60, 1440]).map(lambda minutes: timedelta(minutes=minutes)),
    st.sets(st.integers(FIRST - 1, FIRST + 5)),
)
def test_a_run_goes_over_a_midnight_where_hits_on_both_sides_are_near_enough(
    hits: list[tuple[int, int, int]], idle: timedelta, midnights: set[int]
) -> None:
    times = [(who, START + timedelta(minutes=30 * at, microseconds=more)) for who, at, more in hits]
    frame = pl.DataFrame(times, schema={"visitor": pl.Int64, "ts": pl.Datetime("us", "UTC")}, orient="row")
    dated = frame.with_columns(pl.col("ts").dt.date().alias("date"))
    found = pl.concat(side.select("day", "visitor", "last", "first") for side in sides(dated, [*midnights], idle))
    both = found.group_by("day", "visitor").agg(pl.col("last").max(), pl.col("first").min())
    near = both.filter(pl.col("first") - pl.col("last") <= idle // timedelta(microseconds=1))
    wanted = {
        (day, who)
        for day in midnights
        for who, before in times
        for other, after in times
        if who == other and before < START + (day - FIRST) * DAY <= after and after - before <= idle
    }
    assert set(near.select("day", "visitor").iter_rows()) == wanted


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 60))
def test_groups_of_files_hold_each_file_once_and_about_as_many_rows_as_they_may(rows: list[int], most: int) -> None:
    files = pl.DataFrame(
        {"path": [f"p{n:02}" for n in range(len(rows))], "date": [START.date()] * len(rows), "rows": rows},
        schema={"path": pl.String, "date": pl.Date, "rows": pl.Int64},
    )
    groups = in_groups(files, most)
    assert [path for group in groups for path in group["path"]] == sorted(files["path"])
    for group in groups:
        assert group["rows"].sum() < most + max(rows)
