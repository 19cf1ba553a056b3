"""`crm paths pages`, `transitions` and `top`."""

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.paths import mining
from plugins.paths.corpus import Corpus

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
    third = pytest.approx(1 / 3)
    assert found == [
        ("(entry)", "/", 2, 2, pytest.approx(2 / 3)),
        ("/", "/a", 2, 2, pytest.approx(2 / 3)),
        ("/a", "(exit)", 2, 2, pytest.approx(2 / 3)),
        ("(entry)", "/a", 1, 1, third),
        ("/", "/b", 1, 1, third),
        ("/a", "/", 1, 1, third),
        ("/b", "(exit)", 1, 1, 1),
    ]


def test_what_follows_a_state_adds_up_to_one(site: "Crm") -> None:
    rows = site.rows("paths", "transitions")
    states = {row["page"] for row in rows}
    assert states == {"(entry)", "/", "/a", "/b"}
    for state in states:
        assert sum(row["probability"] for row in rows if row["page"] == state) == pytest.approx(1)


SOME = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), min_size=1, max_size=6)


@settings(max_examples=60)
@given(sessions=SOME)
def test_pages_and_transitions_are_those_of_a_loop(sessions: list[list[str]], corpus_of: Any) -> None:
    """Of a file, without times; the workspace's are compared with these in `test_inputs.py`."""
    corpus = corpus_of(sessions)
    viewed = mining.corpus_views(corpus)
    name = pl.lit(corpus.names)
    pages = mining.pages(viewed).with_columns(name.gather("page").alias("page"))
    steps = mining.transitions(viewed).with_columns(name.gather(each).alias(each) for each in ("page", "next"))
    states = [["(entry)", *path, "(exit)"] for path in sessions]
    count = Counter(step for path in states for step in pairwise(path))
    total = Counter(page for path in states for page in path[:-1])
    found = mining.transition_report(steps, pages).collect()
    assert {(row["page"], row["next"]): (row["count"], row["probability"]) for row in found.to_dicts()} == {
        step: (number, pytest.approx(number / total[step[0]])) for step, number in count.items()
    }
    report = mining.page_report(pages).collect()
    assert {row["page"]: (row["views"], row["sessions"], row["dwell_s"]) for row in report.to_dicts()} == {
        page: (total[page], sum(page in path for path in sessions), None) for page in set(total) - {"(entry)"}
    }


def test_completed_views_count_and_have_no_time_on_page(crm: "Crm") -> None:
    own = "https://shop.example"
    pages = [("/list", "-"), ("/item/1", f"{own}/list"), ("/item/2", f"{own}/list"), ("/cart", f"{own}/item/2")]
    crm.configure("logs: {sessions: {sites: [shop.example]}}\n")
    lines = [crm.line(60 * n, page, referrer=referrer) for n, (page, referrer) in enumerate(pages)]
    crm("logs", "mine", crm.log("a.log", *lines))
    rows = {row["page"]: (row["views"], row["dwell_s"]) for row in crm.rows("paths", "pages", "--complete")}
    assert rows == {"/list": (2, 60), "/item/1": (1, 60), "/item/2": (1, 60), "/cart": (1, None)}
    steps = {(row["page"], row["next"]) for row in crm.rows("paths", "transitions", "--complete")}
    assert {("/item/1", "/list"), ("/list", "/item/2")} <= steps
    assert ("/item/1", "/item/2") not in steps


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


def test_flows_go_from_the_first_page_of_sessions_to_the_last(site: "Crm") -> None:
    assert site.rows("paths", "flows") == [
        {"entry": "/", "exit": "/a", "sessions": 1, "share": pytest.approx(1 / 3)},
        {"entry": "/", "exit": "/b", "sessions": 1, "share": pytest.approx(1 / 3)},
        {"entry": "/a", "exit": "/a", "sessions": 1, "share": pytest.approx(1 / 3)},
    ]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), max_size=12))
def test_flows_count_every_session_once(paths: list[list[str]]) -> None:
    found = mining.flows(Corpus.of(pl.Series(paths, dtype=pl.List(pl.String))))
    wanted = Counter((path[0], path[-1]) for path in paths)
    assert {(entry, exit_): count for entry, exit_, count, _ in found.iter_rows()} == wanted
