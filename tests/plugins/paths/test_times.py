"""`crm paths times`: hours of the week, and time on page."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.paths.corpus import Corpus
from plugins.paths.hits import hits_of
from plugins.paths.times import by_hour, dwell, time_on_page

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
MOMENT = pl.Datetime("us", "UTC")

View = tuple[str, int, bool]
"""A page, how many microseconds it lasted, and whether it ended then."""


def quantile(views: list[View], most: Fraction) -> float | None:
    """Kaplan and Meier by the book, in fractions."""
    share = Fraction(1)
    for time in sorted({time for _, time, _ in views}):
        at_risk = sum(lasted >= time for _, lasted, _ in views)
        ended = sum(lasted == time and timed for _, lasted, timed in views)
        share *= 1 - Fraction(ended, at_risk)
        if share <= most:
            return time / 1e6
    return None


def oracle(views: list[View]) -> list[dict[str, Any]]:
    rows = []
    for page in {page for page, _, _ in views}:
        theirs = [view for view in views if view[0] == page]
        timed = sum(ended for _, _, ended in theirs)
        row = {"page": page, "views": len(theirs), "timed": timed, "censored": len(theirs) - timed}
        row |= {"median_s": quantile(theirs, Fraction(1, 2)), "p90_s": quantile(theirs, Fraction(1, 10))}
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["views"], row["page"]))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.booleans()), max_size=60))
def test_time_on_page_is_the_estimate_of_kaplan_and_meier(views: list[View]) -> None:
    names = pl.Series(["a", "b", "c", "never viewed"])
    codes = np.array(["abc".index(page) for page, _, _ in views], dtype=np.int32)
    lasted, timed = (np.array([view[n] for view in views]) for n in (1, 2))
    found = time_on_page(names, codes, lasted.astype(np.int64), timed.astype(np.bool_))
    assert found.to_dicts() == oracle(views)


def test_a_long_row_of_equal_shares_is_not_led_astray_by_rounding() -> None:
    count = 180
    timed = np.ones(count, dtype=np.bool_)
    found = time_on_page(pl.Series(["a"]), np.zeros(count, dtype=np.int32), np.arange(1, count + 1) * 1_000_000, timed)
    assert found.select("median_s", "p90_s").row(0) == (90, 162)


@given(
    st.lists(
        st.tuples(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=6), st.integers(0, 5)),
        max_size=5,
    )
)
def test_a_view_lasts_until_the_next_logged_one(sessions: list[tuple[list[tuple[int, bool]], int]]) -> None:
    times: list[int] = []
    wanted: list[tuple[int, bool]] = []
    for views, more in sessions:
        moments = [sum(gap for gap, _ in views[: n + 1]) for n in range(len(views))]
        logged = [moment for moment, (_, inferred) in zip(moments, views, strict=True) if not inferred]
        times += moments
        following = [*logged[1:], moments[-1] + more]
        for moment, (_, inferred) in zip(moments, views, strict=True):
            if inferred:
                wanted.append((-1, False))
            else:
                logged = logged[1:]
                wanted.append((following.pop(0) - moment, bool(logged)))
    lengths = [len(views) for views, _ in sessions]
    corpus = Corpus(
        names=pl.Series(["a"]),
        codes=np.zeros(len(times), dtype=np.int32),
        offsets=np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        times=np.array(times, dtype=np.int64),
        marks=np.array([inferred for views, _ in sessions for _, inferred in views], dtype=np.uint8),
    )
    ends = np.array([sum(gap for gap, _ in views) + more for views, more in sessions], dtype=np.int64)
    lasted, timed = dwell(corpus, ends)
    assert list(zip(lasted.tolist(), timed.tolist(), strict=True)) == wanted


zones = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])


@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)), max_size=20), zones)
def test_hours_are_those_of_clocks_in_the_zone(naive: list[datetime], zone: str) -> None:
    moments = [moment.replace(tzinfo=UTC) for moment in naive]
    times = pl.Series(moments, dtype=MOMENT)
    rows = by_hour(times, times.head(3), None, zone).to_dicts()
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    views = Counter((moment.isoweekday(), moment.hour) for moment in local)
    visits = Counter((moment.isoweekday(), moment.hour) for moment in local[:3])
    assert [(row["weekday"], row["hour"]) for row in rows] == [(day, hour) for day in range(1, 8) for hour in range(24)]
    assert [row["views"] for row in rows] == [views[row["weekday"], row["hour"]] for row in rows]
    assert [row["visits"] for row in rows] == [visits[row["weekday"], row["hour"]] for row in rows]


def test_hits_of_robots_and_of_other_visits_belong_to_no_session() -> None:
    def at(*seconds: int) -> list[datetime]:
        return [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=second) for second in seconds]

    sessions = pl.DataFrame({"session": [7, 8], "visitor": [1, 2], "start": at(10, 0), "end": at(20, 5)})
    times = at(9, 10, 15, 20, 21, 3, 3)
    hits = pl.DataFrame({"visitor": [1, 1, 1, 1, 1, 2, 3], "ts": times, "bot": [*[None] * 2, "curl", *[None] * 4]})
    hits = hits.with_columns(pl.col("ts").dt.date().alias("date"))
    assert hits_of(hits.lazy(), sessions).sort("session", "ts").rows() == [
        (7, at(10)[0]),
        (7, at(20)[0]),
        (8, at(3)[0]),
    ]


@pytest.fixture(scope="module")
def shop(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    crm = new_crm(tmp_path_factory.mktemp("shop"))
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    return crm


def test_every_hit_view_and_visit_of_the_sample_shop_is_in_an_hour(shop: "Crm") -> None:
    (sums,) = shop.rows(
        "query", "select sum(hits) as hits, sum(views) as views, count(*) as visits from sessions where bot is null"
    )
    rows = shop.rows("paths", "times", "--tz", "Asia/Shanghai")
    assert len(rows) == 168
    assert {name: sum(row[name] for row in rows) for name in sums} == sums
    truth = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))["sessions"]
    starts = [datetime.fromisoformat(session["start"]).astimezone(ZoneInfo("Asia/Shanghai")) for session in truth]
    visits = Counter((start.isoweekday(), start.hour) for start in starts)
    assert {(row["weekday"], row["hour"]): row["visits"] for row in rows if row["visits"]} == visits


def test_hits_are_those_of_the_chosen_sessions(shop: "Crm") -> None:
    (sums,) = shop.rows("query", "select sum(hits) as hits from sessions where bot is null and views > 10")
    assert sum(row["hits"] for row in shop.rows("paths", "times", "--where", "views > 10")) == sums["hits"]
    (both,) = shop.rows("query", "select sum(hits) as hits from sessions")
    assert sum(row["hits"] for row in shop.rows("paths", "times", "--with-robots")) == both["hits"]


def test_hours_begin_on_monday_in_the_zone(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", crm.line(1800, "/"), crm.line(1801, "/a.png"), crm.line(3600, "/a")))
    rows = [row for row in crm.rows("paths", "times") if row["hits"]]
    assert rows == [
        {"weekday": 1, "day": "Monday", "hour": 0, "hits": 2, "views": 1, "visits": 1},
        {"weekday": 1, "day": "Monday", "hour": 1, "hits": 1, "views": 1, "visits": 0},
    ]
    there = [row for row in crm.rows("paths", "times", "--tz", "America/New_York") if row["hits"]]
    assert [(row["weekday"], row["hour"]) for row in there] == [(7, 19), (7, 20)]


@pytest.fixture
def walks(crm: "Crm") -> "Crm":
    """/ for 10 s > /a for 20 s > / with an asset 30 s later; / for 40 s > /b."""
    lines = [
        *(crm.line(0, "/"), crm.line(10, "/a"), crm.line(30, "/"), crm.line(60, "/a.png")),
        *(crm.line(0, "/", who=2), crm.line(40, "/b", who=2)),
    ]
    crm("logs", "mine", crm.log("access.log", *lines))
    return crm


def test_the_last_view_of_a_session_is_censored_at_its_last_hit(walks: "Crm") -> None:
    # S(10) = 2/3, and S(40) = 2/3 * 0/1, since the view of 30 s is out by then.
    assert walks.rows("paths", "times", "--of", "pages") == [
        {"page": "/", "views": 3, "timed": 2, "censored": 1, "median_s": 40, "p90_s": 40},
        {"page": "/a", "views": 1, "timed": 1, "censored": 0, "median_s": 20, "p90_s": 20},
        {"page": "/b", "views": 1, "timed": 0, "censored": 1, "median_s": None, "p90_s": None},
    ]


def test_a_view_ends_with_the_next_one_even_where_that_does_not_count(walks: "Crm") -> None:
    walks.configure("site: {categories: [{page: /, category: home}]}")
    rows = walks.rows("paths", "times", "--of", "pages", "--by", "category")
    assert rows == [{"page": "home", "views": 3, "timed": 2, "censored": 1, "median_s": 40, "p90_s": 40}]
    rows = walks.rows("paths", "times", "--of", "pages", "--max-views", "1")
    assert rows == [{"page": "/", "views": 2, "timed": 2, "censored": 0, "median_s": 10, "p90_s": 40}]


def test_inferred_views_have_no_time(crm: "Crm", tmp_path: Path) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = [("/", ""), ("/a", "/"), ("/b", "/")]
    text = "".join(
        f"1,{page},{(start + timedelta(seconds=10 * n)).isoformat()},{came}\n" for n, (page, came) in enumerate(rows)
    )
    file = tmp_path / "views.csv"
    file.write_text(f"session,page,ts,referrer\n{text}")
    found = crm.rows("paths", "times", "--of", "pages", "--complete", "--input", file)
    assert found[0] == {"page": "/", "views": 2, "timed": 1, "censored": 0, "median_s": 10, "p90_s": 10}
    assert [row["median_s"] for row in found] == [10, 10, None]
    assert {row["hits"] for row in crm.rows("paths", "times", "--input", file)} == {None}


def test_a_file_without_times_cannot_tell(crm: "Crm", tmp_path: Path) -> None:
    file = tmp_path / "paths.spmf"
    file.write_text("1 -1 2 -1 -2\n")
    for what in ("hours", "pages"):
        assert "has none (a column ts)" in crm("paths", "times", "--of", what, "--input", file, code=2).stderr


def test_without_sessions_there_are_no_rows(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", crm.line(0, "/", status=404)))
    for what in ("hours", "pages"):
        assert "no rows" in crm("paths", "times", "--of", what).stderr
