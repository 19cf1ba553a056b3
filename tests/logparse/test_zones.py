"""Times without an offset in a time zone, through both changes of the clocks; offsets of lines are honoured."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.timeformat import has_offset
from logparse.typed import in_zone

LOCAL = '%h - - [%{%Y-%m-%d %H:%M:%S}t] "%r" %s %b'
ZONES = ["UTC", "Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
ZONES += ["Pacific/Apia"]


def read(engine: Any, time: str, tz: str) -> datetime:
    line = f'203.0.113.9 - - [{time}] "GET / HTTP/1.1" 200 5'
    found: datetime = engine.hit(LOCAL, line, tz=tz)["ts"]
    return found


@pytest.mark.parametrize(
    ("tz", "time", "utc"),
    [
        ("UTC", "2026-03-02 10:00:00", "2026-03-02T10:00:00"),
        ("Asia/Shanghai", "2026-03-02 00:30:00", "2026-03-01T16:30:00"),
        ("Asia/Kolkata", "2026-03-02 10:00:00", "2026-03-02T04:30:00"),
        # Clocks go forward: 01:59:59 is followed by 03:00:00, and 02:30 never comes.
        ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59"),
        ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00"),
        ("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00"),
        ("America/New_York", "2026-03-08 02:15:00", "2026-03-08T07:15:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15:00", "2026-10-03T15:45:00"),
        ("Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30T22:00:00"),
        # Clocks go back: 02:00 to 03:00 comes twice, and is taken for the first.
        ("Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59"),
        ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00"),
        ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00"),
        ("America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00"),
    ],
)
def test_local_times_are_those_of_the_zone(engine: Any, tz: str, time: str, utc: str) -> None:
    assert read(engine, time, tz) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2037, 12, 31)),
    st.sampled_from(ZONES),
)
def test_the_rule_is_that_of_the_standard_library(local: datetime, tz: str) -> None:
    """PEP 495, fold=0: of two moments the first, and in a gap the offset before it."""
    expected = local.replace(tzinfo=ZoneInfo(tz)).astimezone(UTC)
    found = pl.select(in_zone(pl.lit(local, dtype=pl.Datetime("us")), tz)).item()
    assert found == expected


@pytest.mark.parametrize("tz", ZONES)
def test_around_changes_every_minute_follows_the_rule(tz: str) -> None:
    zone = ZoneInfo(tz)
    changes = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2011-12-30")
    days = [datetime.fromisoformat(day) for day in changes]
    local = [day + timedelta(minutes=n) for day in days for n in range(300)]
    found = pl.select(in_zone(pl.Series(local), tz)).to_series().to_list()  # type: ignore[arg-type]  # a literal
    assert found == [time.replace(tzinfo=zone).astimezone(UTC) for time in local]


@pytest.mark.parametrize("tz", ZONES)
def test_a_zone_changes_nothing_where_a_line_has_its_own_offset(engine: Any, combined: Any, tz: str) -> None:
    for offset, hour in (("+0000", 10), ("+0800", 2), ("-0330", 13)):
        hit = engine.hit("combined", combined(time=f"25/Oct/2026:10:00:00 {offset}"), tz=tz)
        assert (hit["ts"].hour, hit["ts"].minute) == (hour, 30 if offset == "-0330" else 0)
    line = '203.0.113.9 [1789000000] "GET / HTTP/1.1" 200 5'
    assert engine.hit('%h [%{sec}t] "%r" %s %b', line, tz=tz)["ts"] == datetime.fromtimestamp(1789000000, UTC)


def test_a_time_that_is_none_stays_rejected_in_every_zone(engine: Any) -> None:
    for tz in ZONES:
        parsed = engine.parse(LOCAL, b'203.0.113.9 - - [2026-02-31 10:00:00] "GET / HTTP/1.1" 200 5\n', tz=tz)
        assert parsed.account.rejected == {"no valid time": 1}


@pytest.mark.parametrize(
    ("time", "expected"),
    [("%F %T", False), ("%F %T %z", True), ("%FT%T%:z", True), ("seconds", True), ("%FT%TZ", True), ("%T", False)],
)
def test_which_times_say_how_far_they_are_from_utc(time: str, expected: bool) -> None:
    assert has_offset(time) is expected


def test_a_time_that_ends_with_z_is_utc(engine: Any) -> None:
    line = '203.0.113.9 - - [2026-03-02T10:00:00Z] "GET / HTTP/1.1" 200 5'
    hit = engine.hit('%h - - [%{%Y-%m-%dT%H:%M:%SZ}t] "%r" %s %b', line, tz="Asia/Shanghai")
    assert hit["ts"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
