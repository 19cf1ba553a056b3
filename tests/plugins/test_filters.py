"""`--since`, `--until` and `--where`: which rows they leave, and what a condition may not do."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import sql
from crm.errors import UsageError
from crm.filters import When

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugins.conftest import Crm

DAY = 86_400
HOUR = 3600
NOW = datetime(2026, 3, 29, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def mined(crm: "Crm") -> "Path":
    """Three days: each hour one hit by a visitor of that hour, `/N` on day N, with a second view after a minute."""
    lines = []
    for hour in range(72):
        day = hour // 24
        lines += [crm.line(hour * HOUR, f"/{day}", who=1 + hour % 24, login="wang" if hour == 30 else "-")]
        lines += [crm.line(hour * HOUR + 60, "/next", who=1 + hour % 24, status=404 if hour == 40 else 200)]
    log = crm.log("access.log", *lines)
    crm("logs", "mine", log)
    return log


class TestWhen:
    @pytest.mark.parametrize(
        ("text", "zone", "first", "behind"),
        [
            ("2026-03-02", "UTC", "2026-03-02T00:00", "2026-03-03T00:00"),
            ("2026-03-02", "Asia/Shanghai", "2026-03-01T16:00", "2026-03-02T16:00"),
            ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),  # a day of 23 hours
            ("2026-03-02T10:00", "Asia/Shanghai", "2026-03-02T02:00", "2026-03-02T02:00"),
            ("2026-03-02 10:00:30.5", "UTC", "2026-03-02T10:00:30.500", "2026-03-02T10:00:30.500"),
            ("2026-03-02T10:00Z", "Asia/Shanghai", "2026-03-02T10:00", "2026-03-02T10:00"),
            ("2026-03-02T10:00+05:30", "UTC", "2026-03-02T04:30", "2026-03-02T04:30"),
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T00:30"),  # of two, the first
            ("7d", "Asia/Shanghai", "2026-03-22T12:00:05", "2026-03-22T12:00:05"),
            ("1h30m", "UTC", "2026-03-29T10:30:05", "2026-03-29T10:30:05"),
            ("now", "UTC", "2026-03-29T12:00:05", "2026-03-29T12:00:05"),
            ("today", "UTC", "2026-03-29T00:00", "2026-03-30T00:00"),
            ("today", "Pacific/Auckland", "2026-03-29T11:00", "2026-03-30T11:00"),  # where it is the 30th
            ("yesterday", "Europe/Berlin", "2026-03-27T23:00", "2026-03-28T23:00"),
        ],
    )
    def test_means_what_people_mean(self, text: str, zone: str, first: str, behind: str) -> None:
        expected = tuple(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (first, behind))
        assert When(text).span(ZoneInfo(zone), NOW) == expected

    @pytest.mark.parametrize(
        "text", ["", "soon", "2026-02-30", "2026-03-02T25:00", "7", "7 d", "-7d", "9999-12-31", "999999999d", "10:00"]
    )
    def test_what_is_none_is_told(self, crm: "Crm", text: str) -> None:
        said = crm("logs", "parse", crm.log("a.log", crm.line()), f"--since={text}", code=2).stderr
        assert f"`{text}` is no time; write a date such as 2026-03-02" in said

    def test_a_span_without_anything_is_told(self, crm: "Crm", mined: "Path") -> None:
        said = crm("logs", "top", "page", "--since", "2026-03-04", "--until", "2026-03-03", code=2).stderr
        assert "--since 2026-03-04 is not before --until 2026-03-03" in said


SPANS: list[tuple[tuple[str, ...], range]] = [
    ((), range(72)),
    (("--since", "2026-03-03"), range(24, 72)),
    (("--until", "2026-03-03"), range(48)),
    (("--since", "2026-03-03", "--until", "2026-03-03"), range(24, 48)),
    (("--since", "2026-03-03T05:00", "--until", "2026-03-04T07:00"), range(29, 55)),
    (("--since", "2026-03-03", "--until", "2026-03-03", "--tz", "Asia/Shanghai"), range(16, 40)),
]
"""Options, and the hours that they leave."""


@pytest.mark.parametrize(("options", "hours"), SPANS)
class TestSpans:
    def test_of_hits(self, crm: "Crm", mined: "Path", options: tuple[str, ...], hours: range) -> None:
        parsed = crm.rows("logs", "parse", mined, *options)
        assert [row["line"] for row in parsed] == [line for hour in hours for line in (2 * hour + 1, 2 * hour + 2)]
        counted = crm.rows("logs", "top", "kind", *options)
        assert [row["hits"] for row in counted] == [2 * len(hours)]

    def test_of_sessions(self, crm: "Crm", mined: "Path", options: tuple[str, ...], hours: range) -> None:
        found = crm.rows("logs", "sessions", mined, *options)
        assert len(found) == len(hours)
        assert {row["hits"] for row in found} == {2}
        (total,) = (sum(row["sessions"] for row in crm.rows("paths", "top", *options)),)
        assert total == len(hours)

    def test_of_traffic(self, crm: "Crm", mined: "Path", options: tuple[str, ...], hours: range) -> None:
        found = crm.rows("logs", "traffic", "--by", "hour", *options)
        assert [row["hits"] for row in found] == [2] * len(hours)
        assert [row["sessions"] for row in found] == [1] * len(hours)

    def test_of_pages_and_transitions(self, crm: "Crm", mined: "Path", options: tuple[str, ...], hours: range) -> None:
        days = [hour // 24 for hour in hours]
        pages = {row["page"]: row["views"] for row in crm.rows("paths", "pages", *options)}
        assert pages == {f"/{day}": days.count(day) for day in set(days)} | {"/next": len(hours) - (40 in hours)}
        rows = [row for row in crm.rows("paths", "transitions", *options) if row["next"] == "/next"]
        steps = {row["page"]: (row["count"], row["probability"]) for row in rows}
        counts = {day: days.count(day) - (day == 1 and 40 in hours) for day in set(days)}
        assert steps == {f"/{day}": (count, pytest.approx(count / days.count(day))) for day, count in counts.items()}


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_pages_of_days_are_the_same_from_sums_and_from_sessions(data: st.DataObject, days_of_pages: Any) -> None:
    """A span of whole days is summed up, one that begins a microsecond later is made anew."""
    first = data.draw(st.integers(0, 2))
    last = data.draw(st.integers(first, 2))
    assert days_of_pages(first, last, "") == days_of_pages(first, last, "T00:00:00.000001+00:00")


@pytest.fixture(scope="module")
def days_of_pages(tmp_path_factory: pytest.TempPathFactory, new_crm: Any) -> Any:
    crm = new_crm(tmp_path_factory.mktemp("days"))
    lines = [crm.line(1 + hour * 1000, f"/{hour % 5}", who=1 + hour % 3) for hour in range(250)]
    crm("logs", "mine", crm.log("a.log", *lines))

    def rows(first: int, last: int, time: str) -> list[Any]:
        since = f"2026-03-{2 + first:02}{time}"
        until = f"2026-03-{2 + last:02}" if not time else f"2026-03-{3 + last:02}{time}"
        return [crm.rows("paths", name, "--since", since, "--until", until) for name in ("pages", "transitions")]

    return rows


class TestWhere:
    @pytest.mark.parametrize(
        ("condition", "count"),
        [
            ("status = 404", 1),
            ("status in (200, 404) and page like '/_'", 72),
            ("page ~ '^/[01]$' or status >= 400", 49),
            ("not (page = '/next')", 72),
            ("login is not null", 1),
            ("ts >= '2026-03-04'", 48),
            ("status = 404 -- and no more", 1),
            ("page = 'it''s (' or status = 404", 1),
            ('"status" = 404', 1),
            ("lower(page) = '/next' and status between 200 and 299", 71),
        ],
    )
    def test_leaves_the_rows_for_which_it_is_true(self, crm: "Crm", mined: "Path", condition: str, count: int) -> None:
        assert len(crm.rows("logs", "parse", mined, "--where", condition)) == count
        assert sum(row["hits"] for row in crm.rows("logs", "top", "method", "--where", condition)) == count
        traffic = crm.rows("logs", "traffic", "--where", condition)
        assert sum(row["hits"] for row in traffic) == count
        assert "sessions" not in traffic[0]

    def test_of_sessions_and_paths(self, crm: "Crm", mined: "Path") -> None:
        assert len(crm.rows("logs", "sessions", mined, "--where", "views = 1")) == 1
        assert crm.rows("paths", "top", "--where", "views = 1")[0]["path"] == ["/1"]
        pages = crm.rows("paths", "pages", "--where", "entry = '/1' and views > (1)")
        assert [(row["page"], row["views"]) for row in pages] == [("/1", 23), ("/next", 23)]
        steps = crm.rows("paths", "transitions", "--where", "entry = '/1'")
        assert [(row["page"], row["next"], row["count"]) for row in steps] == [
            ("(entry)", "/1", 24),
            ("/1", "/next", 23),
            ("/next", "(exit)", 23),
            ("/1", "(exit)", 1),
        ]
        assert [row["probability"] for row in steps] == [1, pytest.approx(23 / 24), 1, pytest.approx(1 / 24)]
        with_span = crm.rows("paths", "pages", "--since", "2026-03-03T20:00", "--where", "entry = '/1'")
        assert [row["views"] for row in with_span] == [4, 4]

    def test_it_goes_with_a_limit_and_columns(self, crm: "Crm", mined: "Path") -> None:
        options = ("--where", "page = '/next'", "-n", "2", "--columns", "line")
        assert crm.rows("logs", "parse", mined, *options) == [{"line": 2}, {"line": 4}]

    @pytest.mark.parametrize(
        ("condition", "said"),
        [
            ("pge = 1", "there is no column `pge` (did you mean `page`?); there are: "),
            ("status = 'x'", "--where cannot be evaluated: "),
            ("status", "--where cannot be evaluated: "),
            ("status =", "--where cannot be evaluated: Expected: an expression, found: its end\n"),
            ("status == = 2", "--where cannot be evaluated: Expected: an expression, found: = at column 11\n"),
            ("1=1 or\nstatus == = 2", "Expected: an expression, found: = at line 2, column 11\n"),
            ("cast(page as int) = 1", "--where cannot be evaluated: "),
            ("nothing(page)", "--where cannot be evaluated: "),
            ("", "--where is no condition"),
            ("-- nothing", "--where is no condition"),
            ("1=1; drop table hits", "--where is no condition"),
            ("1=1) order by (page", "--where is no condition"),
            ("(1=1", "--where is no condition"),
            ("count(*) > 1", "without `count`"),
            ("bytes > avg (bytes)", "without `avg`"),
            ("sum(bytes) over (partition by page) > 1", "without `sum`"),
            ("page in (select page from rows)", "without `select`"),
            ("columns('p.*') = '/'", "without `columns`"),
            ("page in (select a from read_csv('/etc/hostname'))", "--where cannot read files"),
            ("page = '/*' or page in (select a from read_csv('/etc/hostname')) or page = '*/'", "cannot read files"),
            ("page = $$'$$ or page in (select a from read_csv('x')) or page = $$'$$", "single quotes"),
        ],
    )
    def test_what_it_cannot_be_is_told_in_a_sentence(
        self, crm: "Crm", mined: "Path", condition: str, said: str
    ) -> None:
        for command in (["logs", "parse", mined], ["logs", "top", "page"]):
            result = crm(*command, f"--where={condition}", code=2)
            assert said in result.stderr
            assert "Traceback" not in result.stderr

    def test_columns_of_sessions_are_those_that_can_be_named(self, crm: "Crm", mined: "Path") -> None:
        said = crm("paths", "transitions", "--where", "status = 200", code=2).stderr
        assert "there is no column `status`" in said
        assert "there are: date, session, visitor, customer" in said

    def test_it_sees_personal_columns_masked_and_leaves_them_whole(self, crm: "Crm") -> None:
        crm.configure("logs: {visitors: {addresses: full}}")
        lines = [crm.line(n, "/", who=n, login=name) for n, name in enumerate(("wang", "wu", "li"), start=1)]
        crm("logs", "mine", crm.log("a.log", *lines))
        assert crm("logs", "top", "login", "--where", "login = 'wang'").stderr.endswith("no rows\n")
        shown = crm.rows("logs", "top", "login", "--where", "login = 'w***'")
        assert [row["login"] for row in shown] == ["w***", "w***"]  # two people, as they were before the mask
        assert len(crm.rows("logs", "top", "address", "--where", "address = '192.0.*.*' and login is not null")) == 3

    def test_unmasked_it_sees_them_and_is_recorded(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", crm.line(login="wang"), crm.line(1, login="wu")))
        (row,) = crm.rows("logs", "top", "page", "--where", "login = 'wang'", "--unmask")
        assert row["hits"] == 1
        (entry,) = crm.rows("query", "select what from audit")
        assert entry["what"].endswith("logs top: --where on login")

    def test_nothing_of_what_is_hidden_can_be_named(self, crm: "Crm", mined: "Path") -> None:
        said = crm("logs", "top", "page", "--where", "login = 'x' and nme = 1", code=2).stderr
        assert "there are: date, ts, visitor, login, address," in said
        assert said.count("struct") == 0


class TestSql:
    @given(st.text("'\"`-/*()a \n", max_size=25))
    def test_no_text_or_comment_is_left(self, text: str) -> None:
        found = sql.bare(text)
        assert sql.bare(found.replace("''", "")).count("'") <= found.count("'")

    @pytest.mark.parametrize(
        "text",
        [
            "select '/*' as q, * from read_csv('f') where '*/' = '*/'",
            "select '--', * from read_csv('f')",
            "select \"'\", * from read_csv('f')",
            "select `'`, * from read_csv('f')",
            "select * from \"read_csv\"('f')",
            "select * from SCAN_parquet /* x */ ('f')",
        ],
    )
    def test_files_are_seen_behind_any_quotes(self, crm: "Crm", text: str) -> None:
        assert sql.reads_files(text)
        crm("logs", "mine", crm.log("a.log", crm.line()))
        assert "no files" in crm("query", text, code=2).stderr

    @pytest.mark.parametrize("text", ["select 'read_csv(1)'", "select 1 -- read_csv('f')", "select read_csv from hits"])
    def test_what_only_looks_alike_reads_none(self, text: str) -> None:
        assert not sql.reads_files(text)

    def test_texts_between_dollars_are_refused(self) -> None:
        with pytest.raises(UsageError, match="single quotes"):
            sql.bare("select $$'$$")
        assert sql.bare("select '$$'") == "select ''"


class TestMerge:
    def test_logs_of_several_servers_become_one(self, crm: "Crm") -> None:
        one = crm.log("1.log", crm.line(5, "/e"), crm.line(9, "/i"), crm.line(9, "/j"))
        two = crm.log("2.log", crm.line(1, "/a"), crm.line(9, "/h"), crm.line(3, "/c"))
        for order in ((one, two), (two, one)):
            found = [row["page"] for row in crm.rows("logs", "parse", *order, "--merge")]
            assert found == ["/a", "/c", "/e", "/h", "/i", "/j"]

    def test_of_one_instant_and_the_same_first_time_the_first_lines_tell(self, crm: "Crm") -> None:
        logs = [crm.log(f"{n}.log", crm.line(1, f"/{n}")) for n in range(4)]
        orders = [[row["page"] for row in crm.rows("logs", "parse", *some, "--merge")] for some in (logs, logs[::-1])]
        assert orders[0] == orders[1]
        assert sorted(orders[0]) == ["/0", "/1", "/2", "/3"]

    def test_of_a_refused_log_nothing_is_there_and_an_empty_one_is_no_mistake(self, crm: "Crm") -> None:
        empty, bad = crm.log("empty.log", end=""), crm.log("bad.log", crm.line(), "no", "log")
        assert crm.rows("logs", "parse", empty, "--merge") == []
        result = crm("logs", "parse", bad, crm.log("a.log", crm.line(7)), "--merge", "-f", "ndjson", code=4)
        assert result.stdout.count("\n") == 1


def test_days_ago_are_counted_from_now(crm: "Crm") -> None:
    now = datetime.now(UTC)
    seconds = (now - crm.START).total_seconds()
    crm("logs", "mine", crm.log("a.log", crm.line(seconds - 8 * DAY, "/old"), crm.line(seconds - 6 * DAY, "/new")))
    assert [row["page"] for row in crm.rows("logs", "top", "page", "--since", "7d")] == ["/new"]
    assert [row["page"] for row in crm.rows("logs", "top", "page", "--until", "7d")] == ["/old"]
    day = (now - timedelta(days=6)).date().isoformat()
    assert [row["page"] for row in crm.rows("paths", "pages", "--since", day)] == ["/new"]
    assert pl.Series([day]).str.to_date().item() == (now - timedelta(days=6)).date()


def test_views_of_robots_by_behaviour_are_left_out_of_every_part_of_the_traffic(crm: "Crm") -> None:
    robot = [crm.line(30 * HOUR + 600 * n, page, who=9) for n, page in enumerate(("/robots.txt", "/a", "/b"))]
    people = [crm.line(30 * HOUR + n, page, who=1) for n, page in enumerate(("/a", "/c"))]
    crm("logs", "mine", crm.log("a.log", *robot, *people))

    def views(*options: str) -> list[tuple[int, int]]:
        return [(row["hits"], row["views"]) for row in crm.rows("logs", "traffic", *options)]

    assert views() == [(5, 2)]
    assert views("--with-robots") == [(5, 4)]
    assert views("--where", "page = '/a'") == [(2, 1)]
    assert views("--where", "page = '/a'", "--with-robots") == [(2, 2)]
    assert views("--since", "2026-03-03T06:00:01") == [(3, 1)]
    assert [row["page"] for row in crm.rows("paths", "pages", "--since", "2026-03-03T01:00")] == ["/a", "/c"]
    assert len(crm.rows("paths", "transitions", "--since", "2026-03-03T01:00", "--where", "exit = '/c'")) == 3
    assert len(crm.rows("paths", "top", "--where", "views >= 2")) == 1
    assert len(crm.rows("paths", "top", "--where", "views >= 2", "--with-robots")) == 2
