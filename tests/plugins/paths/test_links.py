"""`crm paths suggest-links`."""

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.paths import links
from plugins.paths.corpus import BACK, LOGGED, Corpus

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

Session = list[tuple[str, int]]
SESSIONS = st.lists(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from((LOGGED, LOGGED, BACK))), max_size=9))


def corpus_of(sessions: list[Session]) -> Corpus:
    found = Corpus.of(pl.Series("path", [[page for page, _ in each] for each in sessions], dtype=pl.List(pl.String)))
    marks = np.array([mark for each in sessions for _, mark in each], dtype=np.uint8)
    return Corpus(found.names, found.codes, found.offsets, None, marks)


def slow_steps(sessions: list[Session]) -> Counter[tuple[str, str]]:
    pairs = [(one[0], other[0]) for each in sessions for one, other in pairwise(each)]
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def slow(sessions: list[Session], max_clicks: int, min_sessions: int, *, known: bool) -> list[dict[str, Any]]:
    """Every pair of every session, one after the other."""
    lengths: dict[tuple[str, str], list[int]] = {}
    between: dict[tuple[str, str], Counter[str]] = {}
    for each in sessions:
        shortest: dict[tuple[str, str], tuple[int, int]] = {}
        for start, (page, _) in enumerate(each):
            for end in range(start + 1, len(each)):
                target, mark = each[end]
                if page != target and mark == LOGGED and end - start <= max_clicks:
                    way = (end - start, start)
                    shortest[page, target] = min(way, shortest.get((page, target), way))
        for pair, (clicks, start) in shortest.items():
            if clicks > 1:
                lengths.setdefault(pair, []).append(clicks)
                pages = {page for page, _ in each[start + 1 : start + clicks]}
                between.setdefault(pair, Counter()).update(pages)
    direct = slow_steps(sessions)
    rows = [
        {
            "page": page,
            "target": target,
            "sessions": len(clicks),
            "clicks": pytest.approx(sum(clicks) / len(clicks)),
            "saved": sum(clicks) - len(clicks),
            "direct": direct[page, target],
            "via": sorted(between[page, target], key=lambda via: (-between[page, target][via], via))[:3],
        }
        for (page, target), clicks in lengths.items()
        if len(clicks) >= min_sessions and (known or not direct[page, target])
    ]
    return sorted(rows, key=lambda row: (-row["saved"], -row["sessions"], row["page"], row["target"]))


@given(SESSIONS, st.integers(2, 8), st.integers(1, 2), st.booleans(), st.integers(1, 40))
def test_suggestions_are_those_of_a_slow_count(
    sessions: list[Session], max_clicks: int, min_sessions: int, known: bool, pairs: int
) -> None:
    corpus = corpus_of(sessions)
    with patch.object(links, "PAIRS", pairs):  # however few fit into memory
        found = links.suggestions(corpus, links.steps(corpus), max_clicks, min_sessions, known=known)
    assert found.to_dicts() == slow(sessions, max_clicks, min_sessions, known=known)


@given(SESSIONS, st.data())
def test_a_step_goes_from_the_page_of_the_referrer_else_from_the_view_before(
    sessions: list[Session], data: st.DataObject
) -> None:
    corpus = corpus_of(sessions)
    origins = data.draw(st.lists(st.integers(-1, corpus.pages - 1), min_size=corpus.views, max_size=corpus.views))
    wanted: Counter[tuple[str, str]] = Counter()
    at = 0
    for each in sessions:
        for nth, (page, _) in enumerate(each):
            before = each[nth - 1][0] if nth else None
            came = corpus.names[origins[at]] if origins[at] >= 0 else before
            wanted.update([(came, page)] if came is not None and came != page else [])
            at += 1
    found = links.steps(corpus, np.array(origins, dtype=np.int32))
    assert dict(zip(found.select("page", "target").rows(), found["direct"], strict=True)) == wanted


def test_steps_between_pages_of_one_name_are_none() -> None:
    corpus = corpus_of([[(page, LOGGED) for page in "abc"]])
    found = links.steps(corpus, names=pl.Series("category", ["x", "x", "y"]))
    assert found.rows() == [("x", "y", 1)]
    assert not links.steps(corpus, names=pl.Series("category", ["x", None, "y"])).height


def session(crm: "Crm", who: int, *path: str, at: int = 0) -> list[str]:
    """Views a minute apart; `/b</a` is one of /b that comes from /a."""
    views = [(*view.split("<"), "") for view in path]
    return [
        crm.line(at + 60 * n, page, who=who, referrer=f"https://shop.example{came}" if came else "-")
        for n, (page, came, *_) in enumerate(views)
    ]


@pytest.fixture
def shop(crm: "Crm") -> "Crm":
    """Two sessions reach /deal from / by /list, one by /list and /new; /new is a step from /list."""
    paths = [("/", "/list", "/deal"), ("/", "/list", "/deal"), ("/", "/list", "/new", "/deal")]
    lines = [line for who, path in enumerate(paths, 1) for line in session(crm, who, *path, at=7200 * who)]
    crm("logs", "mine", crm.log("access.log", *lines))
    return crm


def test_a_detour_that_several_sessions_take_asks_for_a_link(shop: "Crm") -> None:
    (row,) = shop.rows("paths", "suggest-links")
    assert row == {
        "page": "/",
        "target": "/deal",
        "sessions": 3,
        "clicks": pytest.approx(7 / 3),
        "saved": 4,
        "direct": 0,
        "via": "/list, /new",
    }


def test_the_longest_detour_and_the_fewest_sessions_can_be_chosen(shop: "Crm") -> None:
    assert [row["sessions"] for row in shop.rows("paths", "suggest-links", "--max-clicks", 2)] == [2]
    assert shop.rows("paths", "suggest-links", "--min-sessions", 4) == []
    once = shop.rows("paths", "suggest-links", "--min-sessions", 1)
    assert [(row["page"], row["target"]) for row in once] == [("/", "/deal"), ("/", "/new")]


def test_links_that_are_there_are_listed_only_if_wanted(shop: "Crm") -> None:
    pairs = [
        (row["page"], row["target"], row["direct"])
        for row in shop.rows("paths", "suggest-links", "--min-sessions", 1, "--all")
    ]
    assert pairs == [("/", "/deal", 0), ("/", "/new", 0), ("/list", "/deal", 2)]


def test_a_session_that_also_goes_there_directly_does_not_count(crm: "Crm") -> None:
    lines = [line for who in (1, 2) for line in session(crm, who, "/", "/list", "/deal", "/", "/deal", at=7200 * who)]
    crm("logs", "mine", crm.log("access.log", *lines))
    assert ("/", "/deal") not in {
        (row["page"], row["target"]) for row in crm.rows("paths", "suggest-links", "--all", "--min-sessions", 1)
    }


def test_referrers_say_which_links_are_there(crm: "Crm") -> None:
    # /b is left by the back button: /a > /c is a link, though /b lies between, and /b > /c is none, though adjacent.
    path = ("/a", "/b</a", "/c</a", "/d</c", "/c</d")
    lines = [line for who in (1, 2) for line in session(crm, who, *path, at=7200 * who)]
    crm("logs", "mine", crm.log("access.log", *lines))
    every = crm.rows("paths", "suggest-links", "--all", "--max-clicks", 2)
    assert {(row["page"], row["target"]): row["direct"] for row in every} == {("/a", "/c"): 2, ("/b", "/d"): 0}
    completed = crm.rows("paths", "suggest-links", "--complete", "--max-clicks", 2)
    assert {(row["page"], row["target"]): row["via"] for row in completed} == {
        ("/a", "/d"): "/c",
        ("/b", "/c"): "/a",
    }


def test_categories_are_linked_as_pages_are(shop: "Crm") -> None:
    shop.configure("site:\n  categories:\n  - {page: '*', category: all}\n")
    assert shop.rows("paths", "suggest-links", "--by", "category", "--all", "--min-sessions", 1) == []
    shop.configure("site:\n  categories:\n  - {page: /list, category: lists}\n  - {page: '*', category: '$1'}\n")
    rows = shop.rows("paths", "suggest-links", "--by", "category", "--all", "--min-sessions", 1)
    assert [(row["page"], row["target"], row["direct"], row["via"].split(", ")[0]) for row in rows] == [
        ("/", "/deal", 0, "lists"),
        ("/", "/new", 0, "lists"),
        ("lists", "/deal", 2, "/new"),
    ]


def test_files_without_referrers_go_by_the_view_before(crm: "Crm") -> None:
    file = crm.log("paths.spmf", "1 -1 2 -1 3 -1 -2", "1 -1 2 -1 3 -1 -2")
    (row,) = crm.rows("paths", "suggest-links", "--input", file)
    assert (row["page"], row["target"], row["sessions"], row["direct"]) == ("1", "3", 2, 0)


def test_nothing_to_suggest_is_no_mistake(crm: "Crm") -> None:
    assert "no rows" in crm("paths", "suggest-links", "--input", crm.log("one.spmf", "1 -1 -2")).stderr


def test_a_detour_has_two_clicks_at_least(crm: "Crm") -> None:
    assert "--max-clicks" in crm("paths", "suggest-links", "--max-clicks", 1, code=2).stderr
