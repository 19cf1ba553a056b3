"""`crm paths pages`, `transitions` and `top`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


@pytest.fixture
def site(crm: "Crm") -> "Crm":
    """Three sessions: / > /a > / > /b, / > /a, and /a alone, besides a robot and an error."""
    crm(
        "logs",
        "mine",
        crm.log(
            "access.log",
            crm.line(0, "/", who=1),
            crm.line(10, "/a", who=1),
            crm.line(11, "/a.png", who=1),
            crm.line(40, "/", who=1),
            crm.line(41, "/none", who=1, status=404),
            crm.line(100, "/b", who=1),
            crm.line(7200, "/", who=1),
            crm.line(7220, "/a", who=1),
            crm.line(90000, "/a", who=2),
            crm.line(90001, "/a", who=3, agent=crm.GOOGLEBOT),
        ),
    )
    return crm


def test_pages_have_views_sessions_entries_exits_rates_and_time(site: "Crm") -> None:
    assert site.rows("paths", "pages") == [
        {
            "page": "/",
            "views": 3,
            "sessions": 2,
            "entries": 2,
            "exits": 0,
            "exit_rate": 0,
            "bounce_rate": 0,
            "dwell_s": pytest.approx((10 + 60 + 20) / 3),
        },
        {
            "page": "/a",
            "views": 3,
            "sessions": 3,
            "entries": 1,
            "exits": 2,
            "exit_rate": pytest.approx(2 / 3),
            "bounce_rate": 1,
            "dwell_s": 30,
        },
        {
            "page": "/b",
            "views": 1,
            "sessions": 1,
            "entries": 0,
            "exits": 1,
            "exit_rate": 1,
            "bounce_rate": None,
            "dwell_s": None,
        },
    ]


def test_transitions_have_the_share_of_the_views_that_they_follow(site: "Crm") -> None:
    found = [tuple(row.values()) for row in site.rows("paths", "transitions")]
    assert found == [
        ("/", "/a", 2, 2, pytest.approx(2 / 3)),
        ("/", "/b", 1, 1, pytest.approx(1 / 3)),
        ("/a", "/", 1, 1, pytest.approx(1 / 3)),
    ]


def test_what_leaves_the_site_is_missing_to_one(site: "Crm") -> None:
    pages = {row["page"]: row["exits"] / row["views"] for row in site.rows("paths", "pages")}
    for page, exits in pages.items():
        steps = [row["probability"] for row in site.rows("paths", "transitions") if row["page"] == page]
        assert sum(steps) + exits == pytest.approx(1)


def test_top_lists_whole_paths_by_frequency_and_then_by_name(site: "Crm") -> None:
    third = pytest.approx(1 / 3)
    assert [tuple(row.values()) for row in site.rows("paths", "top")] == [
        (["/", "/a"], 2, 1, third),
        (["/", "/a", "/", "/b"], 4, 1, third),
        (["/a"], 1, 1, third),
    ]
    site("logs", "mine", site.log("more.log", site.line(99000, "/a", who=5)))
    first = site.rows("paths", "top", "-n", "1")
    assert first == [{"path": ["/a"], "length": 1, "sessions": 2, "share": 0.5}]


@pytest.mark.parametrize("command", ["pages", "transitions", "top"])
def test_without_a_session_there_are_no_rows_and_without_a_workspace_a_hint(crm: "Crm", command: str) -> None:
    assert crm.rows("paths", command) == []
    assert "`crm logs mine FILE` makes one" in crm("-w", crm.folder / "none", "paths", command, code=4).stderr
