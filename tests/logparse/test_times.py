"""Times: offsets, leap seconds, impossible dates, and the ends of the calendar."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.errors import FormatError
from logparse.pattern import compile_pattern, guess_syntax

Line = Callable[..., str]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

instants = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)).map(lambda when: when.replace(tzinfo=UTC))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def clf(when: datetime) -> str:
    """A time as servers write it, by another way than strftime and its locale."""
    zone = when.strftime("%z")[:5]
    return f"{when.day:02}/{MONTHS[when.month - 1]}/{when.year:04}:{when:%H:%M:%S} {zone}"


def times(engine: Any, pattern: str, *texts: str) -> list[datetime | None]:
    """The time of each text by itself; None where it is rejected for it."""
    data = "".join(f"{text} /cart\n" for text in texts).encode()
    parsed = engine.parse(f"{pattern} {'$uri' if '$' in pattern else '%U'}", data)
    assert set(parsed.rejects["reason"]) <= {"no valid time"}
    found = dict(zip(parsed.hits["line"], parsed.hits["ts"], strict=True))
    return [found.get(number) for number in range(1, len(texts) + 1)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(instants, offsets), min_size=1, max_size=20))
def test_the_instant_is_kept_whatever_the_offset(engine: Any, written: list[tuple[datetime, timezone]]) -> None:
    expected = [when.replace(microsecond=0) for when, _ in written]
    assert times(engine, "%t", *(f"[{clf(when.astimezone(zone))}]" for when, zone in written)) == expected
    iso = [when.astimezone(zone).replace(microsecond=0).isoformat() for when, zone in written]
    assert times(engine, "$time_iso8601", *iso) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(instants, min_size=1, max_size=20))
def test_fractions_of_a_second_are_kept(engine: Any, written: list[datetime]) -> None:
    micros = [(when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for when in written]
    assert times(engine, "%{usec}t", *map(str, micros)) == written
    millis = [when.replace(microsecond=when.microsecond // 1000 * 1000) for when in written]
    assert times(engine, "%{msec}t", *(str(micro // 1000) for micro in micros)) == millis
    assert times(engine, "$msec", *(f"{micro // 10**6}.{micro // 1000 % 1000:03}" for micro in micros)) == millis
    texts = [f"{when:%Y-%m-%dT%H:%M:%S}.{when:%f}+0000" for when in written]
    assert times(engine, "%{%FT%T}t.%{usec_frac}t%{%z}t", *texts) == written


def test_the_hour_that_the_clock_goes_back_keeps_its_order(engine: Any) -> None:
    before, after = "25/Oct/2015:02:30:00 +0200", "25/Oct/2015:02:30:00 +0100"
    assert times(engine, "[$time_local]", f"[{before}]", f"[{after}]") == [
        datetime(2015, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2015, 10, 25, 1, 30, tzinfo=UTC),
    ]


def test_the_hour_that_the_clock_leaves_out_is_a_time_like_any_other(engine: Any) -> None:
    (found,) = times(engine, "[$time_local]", "[29/Mar/2015:02:30:00 +0100]")
    assert found == datetime(2015, 3, 29, 1, 30, tzinfo=UTC)


def test_time_without_an_offset_is_utc(engine: Any) -> None:
    (found,) = times(engine, "%{%F %T}t", "2015-03-29 02:30:00")
    assert found == datetime(2015, 3, 29, 2, 30, tzinfo=UTC)


def test_leap_second_is_the_first_second_of_the_next_minute(engine: Any) -> None:
    expected = datetime(2015, 7, 1, tzinfo=UTC)
    assert times(engine, "%t", "[30/Jun/2015:23:59:60 +0000]", "[01/Jul/2015:01:59:60 +0200]") == [expected] * 2
    assert times(engine, "$time_iso8601", "2015-06-30T23:59:60+00:00") == [expected]


IMPOSSIBLE = [
    "31/Feb/2015:10:05:03 +0000",
    "29/Feb/2015:10:05:03 +0000",
    "00/May/2015:10:05:03 +0000",
    "32/May/2015:10:05:03 +0000",
    "17/Foo/2015:10:05:03 +0000",
    "17/May/2015:24:05:03 +0000",
    "17/May/2015:10:60:03 +0000",
    "17/May/2015:10:05:61 +0000",
    "17/May/2015:10:05:03 +9999",
    "17/May/2015:10:05:03 UTC",
    "17/May/2015:10:05:03",
    "17/May/2015 10:05:03 +0000",
    "17/05/2015:10:05:03 +0000",
    "17/May/10000:10:05:03 +0000",
    "17/May/+10000:10:05:03 +0000",
    "17/May/262143:10:05:03 +0000",
    "17/May/-2015:10:05:03 +0000",
    "17/May/2015:10:0 :03 +0000",
    "17/May/1969:10:05:03 +0000",
    "-",
    " ",
    "１７/May/2015:10:05:03 +0000",
]


@pytest.mark.parametrize("time", IMPOSSIBLE)
def test_impossible_time_is_rejected(engine: Any, combined: Line, time: str) -> None:
    parsed = engine.parse("combined", f"{combined()}\n{combined(time=time)}\n".encode())
    assert parsed.rejects.to_dicts() == [
        {"line": 2, "reason": "no valid time", "field": "%t", "text": combined(time=time)}
    ]
    assert parsed.account.rejected == {"no valid time": 1}
    assert parsed.hits["line"].to_list() == [1]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 4), st.text("0159:/ +-MayJun", max_size=3)), max_size=15))
def test_broken_times_are_read_as_strptime_reads_them(engine: Any, mutations: list[tuple[int, int, str]]) -> None:
    whole = "17/May/2015:10:05:03 +0000"
    texts = [whole, *(whole[:at] + put + whole[at + gone :] for at, gone, put in mutations)]
    texts = [text for text in texts if text]
    read = pl.Series(texts).str.to_datetime("%d/%b/%Y:%H:%M:%S %z", strict=False, time_unit="us", time_zone="UTC")
    fine = read.dt.year().is_between(1970, 2199)
    expected = read.set(~fine.fill_null(False), None).to_list()
    assert times(engine, "%t", *(f"[{text}]" for text in texts)) == expected


def test_leap_day(engine: Any) -> None:
    assert times(engine, "%t", "[29/Feb/2016:10:05:03 +0000]") == [datetime(2016, 2, 29, 10, 5, 3, tzinfo=UTC)]


@pytest.mark.parametrize("text", ["-", "9" * 18, "9" * 19, "9" * 20, "9" * 400, str(2**63), str(2**64 + 1431857103)])
@pytest.mark.parametrize("unit", ["sec", "msec", "usec"])
def test_epoch_that_no_calendar_reaches_is_rejected(engine: Any, unit: str, text: str) -> None:
    assert times(engine, f"%{{{unit}}}t", text) == [None]


@pytest.mark.parametrize("factor", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("unit", "scale"), [("sec", 10**6), ("msec", 10**3)])
def test_epoch_does_not_wrap_around(engine: Any, unit: str, scale: int, factor: int) -> None:
    text = str((2**64 * factor + 1431857103 * 10**6) // scale)
    assert times(engine, f"%{{{unit}}}t", text) == [None]


def test_huge_epoch_with_a_fraction(engine: Any) -> None:
    texts = ["99999999999999999.5", f"{9 * 10**18}.999", "1431857103.999999999", "1431857103."]
    assert times(engine, "$msec", *texts) == [
        None,
        None,
        datetime(2015, 5, 17, 10, 5, 3, 999_999, tzinfo=UTC),
        datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC),
    ]


def test_first_and_last_times(engine: Any) -> None:
    texts = ["0", "7258118399", "7258118400"]
    assert times(engine, "%{sec}t", *texts) == [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC),
        None,
    ]


LETTERS = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZfNEOiq%"


@settings(max_examples=200, deadline=None)
@given(
    date=st.sampled_from(["", "%F ", "%d/%b/%Y ", "%j %y "]),
    hour=st.sampled_from(["", "%T ", "%H:%M ", "%I:%M %p "]),
    more=st.lists(st.sampled_from(LETTERS), max_size=4),
    text=st.sampled_from(["2015-05-17 10:05:03", "", "17/May/2015 10:05 x", "Sun May 17 10:05:03 2015"]),
)
def test_any_format_of_a_time_is_refused_or_read_without_an_error(
    engine: Any, date: str, hour: str, more: list[str], text: str
) -> None:
    pattern = f'"%{{{date}{hour}{" ".join("%" + letter for letter in more)}}}t" %U'
    try:
        compile_pattern(guess_syntax(pattern))
    except FormatError:
        return
    account = engine.parse(pattern, f'"{text}" /cart\n'.encode()).account
    assert account.hits + sum(account.rejected.values()) == 1
