"""`crm logs top` and `crm logs traffic`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

HOUR = 3600


@pytest.fixture(scope="module")
def site(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    crm = new_crm(tmp_path_factory.mktemp("site"))
    other = "https://Other.example/x?y"
    log = crm.log(
        "access.log",
        crm.line(0, "/a", who=1, size=100),
        crm.line(1, "/a", who=2, size=10, referrer="https://shop.example/"),
        crm.line(2, "/a/", who=1, size=1, referrer=other),
        crm.line(3, "/b?q=1", who=1, size=9000, login="wang"),
        crm.line(4, "/gone", who=1, status=404, size=5),
        crm.line(5, "/gone", who=3, status=404, size=5, agent=crm.GOOGLEBOT, referrer=other),
        crm.line(6, "/lost", who=3, status=404, size="-", agent=crm.GOOGLEBOT),
    )
    crm("logs", "mine", log)
    return crm


def counted(crm: "Crm", *args: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in crm.rows("logs", "top", *args)]


class TestTop:
    def test_counts_hits_their_share_visitors_and_bytes(self, site: "Crm") -> None:
        rows = site.rows("logs", "top", "status")
        assert list(rows[0]) == ["status", "hits", "share", "visitors", "bytes"]
        assert [tuple(row.values()) for row in rows] == [
            (200, 4, pytest.approx(4 / 7), 2, 9111),
            (404, 3, pytest.approx(3 / 7), 2, 10),
        ]

    @pytest.mark.parametrize(
        ("field", "wanted"),
        [
            ("page", [("/a", 3), ("/gone", 2), ("/b", 1), ("/lost", 1)]),
            ("path", [("/a", 2), ("/gone", 2), ("/a/", 1), ("/b", 1), ("/lost", 1)]),
            ("404", [("/gone", 2), ("/lost", 1)]),
            ("referrer-site", [("other.example", 2), ("shop.example", 1)]),
            ("method", [("GET", 7)]),
            ("kind", [("page", 7)]),
            ("bot", [("Googlebot", 2)]),
            ("query", [("q=1", 1)]),
            ("login", [("w***", 1)]),
            ("host", []),
        ],
    )
    def test_each_field_is_sorted_by_hits_and_then_by_value(
        self, site: "Crm", field: str, wanted: list[tuple[str, int]]
    ) -> None:
        assert [row[:2] for row in counted(site, field)] == wanted

    def test_bytes_lists_paths_by_what_was_sent(self, site: "Crm") -> None:
        rows = counted(site, "bytes")
        assert [row[0] for row in rows] == ["/b", "/a", "/gone", "/a/", "/lost"]
        assert rows[0] == ("/b", 1, pytest.approx(9000 / 9121), 1, 9000)

    @pytest.mark.parametrize(("which", "hits"), [("include", 3), ("exclude", 1), ("only", 2)])
    def test_robots_count_as_asked(self, site: "Crm", which: str, hits: int) -> None:
        assert sum(row[1] for row in counted(site, "404", "--robots", which)) == hits

    def test_hits_without_a_value_are_told_and_keep_their_share(self, site: "Crm") -> None:
        result = site("logs", "top", "referrer")
        assert result.stderr == "4 hits (57.1%) without referrer are not listed\n"
        assert sum(row[2] for row in counted(site, "referrer")) == pytest.approx(3 / 7)

    def test_addresses_are_masked(self, site: "Crm") -> None:
        assert {row[0] for row in counted(site, "address")} == {"192.0.*.*"}

    def test_a_misspelt_field_is_answered_with_the_nearest(self, site: "Crm") -> None:
        assert "no `statsu` (did you mean `status`?)" in site("logs", "top", "statsu", code=2).stderr
        assert "no `no`" in site("logs", "top", "status", "--robots", "no", code=2).stderr

    def test_a_workspace_without_hits_has_no_rows(self, crm: "Crm") -> None:
        assert crm.rows("logs", "top", "bytes") == []


class TestTraffic:
    @pytest.fixture
    def busy(self, crm: "Crm") -> "Crm":
        crm(
            "logs",
            "mine",
            crm.log(
                "access.log",
                crm.line(-1, "/late", who=1, size=1),
                crm.line(0, "/a", who=1, size=10),
                crm.line(5, "/a.png", who=1, size=100),
                crm.line(9, "/a", who=2, size=1000, agent=crm.GOOGLEBOT),
                crm.line(27 * HOUR, "/b", who=2, size=10000),
                crm.line(8 * 24 * HOUR, "/b", who=1, size="-"),
            ),
        )
        return crm

    def test_days_without_a_hit_are_there(self, busy: "Crm") -> None:
        rows = busy.rows("logs", "traffic", "--by", "day")
        assert [row["start"] for row in rows] == [f"2026-03-{day:02}" for day in range(1, 11)]
        assert [tuple(row.values())[1:] for row in rows] == [
            (1, 1, 0, 1, 1, 1),
            (3, 1, 1, 1110, 1, 0),
            (1, 1, 0, 10000, 1, 1),
            *[(0, 0, 0, 0, 0, 0)] * 6,
            (1, 1, 0, 0, 1, 1),
        ]
        assert list(rows[0]) == ["start", "hits", "views", "robots", "bytes", "visitors", "sessions"]

    def test_weeks_begin_on_monday(self, busy: "Crm") -> None:
        rows = busy.rows("logs", "traffic", "--by", "week")
        assert [(row["start"], row["hits"], row["visitors"]) for row in rows] == [
            ("2026-02-23", 1, 1),
            ("2026-03-02", 4, 2),
            ("2026-03-09", 1, 1),
        ]

    def test_the_time_zone_of_the_output_decides_where_days_begin(self, busy: "Crm") -> None:
        rows = busy.rows("logs", "traffic", "--tz", "Asia/Shanghai")
        assert [(row["start"], row["hits"]) for row in rows[:2]] == [("2026-03-02", 4), ("2026-03-03", 1)]
        busy.configure("output: {tz: Asia/Shanghai}")
        assert busy.rows("logs", "traffic") == rows

    def test_hours_are_times_in_the_zone(self, busy: "Crm") -> None:
        rows = busy.rows("logs", "traffic", "--by", "hour", "--tz", "Asia/Kolkata", "-n", "2")
        assert [(row["start"], row["hits"]) for row in rows] == [
            ("2026-03-02T05:00:00+05:30", 4),
            ("2026-03-02T06:00:00+05:30", 0),
        ]

    @pytest.mark.parametrize(
        ("zone", "at", "starts"),
        [
            # Clocks go from 2:00 to 3:00 on 29 March and from 3:00 to 2:00 on 25 October 2026.
            ("Europe/Berlin", 27 * 24 * HOUR, ["01:00:00+01:00", "03:00:00+02:00", "04:00:00+02:00"]),
            ("Europe/Berlin", 237 * 24 * HOUR, ["02:00:00+02:00", "02:00:00+01:00", "03:00:00+01:00"]),
            # By half an hour: from 2:00 to 1:30 on 5 April 2026.
            ("Australia/Lord_Howe", 33 * 24 * HOUR + 14 * HOUR, ["01:00:00+11:00", "02:00:00+10:30"]),
        ],
    )
    def test_an_hour_that_comes_twice_or_never_is_counted_right(
        self, crm: "Crm", zone: str, at: int, starts: list[str]
    ) -> None:
        log = crm.log("access.log", *(crm.line(at + 1800 * n, f"/{n}") for n in range(6)))
        crm("logs", "mine", log)
        rows = crm.rows("logs", "traffic", "--by", "hour", "--tz", zone)
        shown = [row["start"].partition("T")[2] for row in rows]
        assert [start for start in starts if start not in shown] == []
        assert sum(row["hits"] for row in rows) == 6
        assert all(row["hits"] <= 2 for row in rows)

    def test_a_day_whose_midnight_the_clocks_skip_is_a_day(self, crm: "Crm") -> None:
        # In Cairo, clocks go from 0:00 to 1:00 on 24 April 2026.
        log = crm.log("access.log", *(crm.line(52 * 24 * HOUR + HOUR * n, f"/{n}") for n in range(0, 48, 6)))
        crm("logs", "mine", log)
        rows = crm.rows("logs", "traffic", "--tz", "Africa/Cairo")
        assert [(row["start"], row["hits"]) for row in rows] == [
            ("2026-04-23", 4),
            ("2026-04-24", 4),
        ]

    def test_a_workspace_without_hits_has_no_rows(self, crm: "Crm") -> None:
        for step in ("hour", "day", "week"):
            assert crm.rows("logs", "traffic", "--by", step) == []
