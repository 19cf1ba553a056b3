"""`crm paths funnel`: how many sessions go how far along some steps."""

import json
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.paths.corpus import Corpus
from plugins.paths.funnel import fitting, funnel, reached

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
FUNNEL = ("/cart", "/checkout", "/checkout/pay", "/order/done")

Session = list[tuple[str, int]]
"""Pages, and seconds since the view before."""


def ends(session: Session, steps: str, within: int | None, strict: bool) -> list[int]:
    """Where the steps, one after the other, can end in a session: every way to choose views is tried."""
    times = [sum(gap for _, gap in session[: n + 1]) for n in range(len(session))]
    found = set()
    for views in combinations(range(len(session)), len(steps)):
        fits = all(session[view][0] == step for view, step in zip(views, steps, strict=True))
        near = within is None or times[views[-1]] - times[views[0]] <= within
        if fits and near and (not strict or views[-1] - views[0] == len(steps) - 1):
            found.add(views[-1])
    return sorted(found)


def oracle(sessions: list[Session], steps: str, within: int | None, strict: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    reach = [[ends(session, steps[:n], within, strict) for session in sessions] for n in range(1, len(steps) + 1)]
    for n, here in enumerate(reach):
        row: dict[str, Any] = {"step": n + 1, "sessions": sum(map(bool, here)), "median_s": None, "lost": None}
        row["visitors"] = len({number % 2 for number, views in enumerate(here) if views})
        if n:
            taken = []
            for session, before, views in zip(sessions, reach[n - 1], here, strict=True):
                if views:
                    gaps = [sum(gap for _, gap in session[start + 1 : views[0] + 1]) for start in before]
                    fits = [s for s, u in zip(gaps, before, strict=True) if u < views[0] and s <= (within or s)]
                    taken.append(fits[0])
            row["median_s"] = median(taken) if taken else None
        row["lost_to"] = None
        if n + 1 < len(steps):
            both = zip(sessions, here, reach[n + 1], strict=True)
            lost = [(session, views[-1]) for session, views, more in both if views and not more]
            to = Counter(session[view + 1][0] if view + 1 < len(session) else "(exit)" for session, view in lost)
            most = sorted(to.items(), key=lambda item: (-item[1], item[0]))[:3]
            row["lost"], row["lost_to"] = len(lost), ", ".join(f"{page} {count}" for page, count in most)
        rows.append(row)
    return rows


each_session = st.lists(st.tuples(st.sampled_from("aabbc"), st.integers(0, 3)), max_size=7)


@settings(max_examples=300)
@given(
    st.lists(each_session, min_size=1, max_size=5),
    st.sampled_from(["a", "ab", "aab", "aba", "abc", "cab", "bx", "ax", "axb"]),
    st.sampled_from([None, 1, 3]),
    st.booleans(),
)
def test_it_is_what_trying_every_choice_of_views_finds(
    sessions: list[Session], steps: str, within: int | None, strict: bool
) -> None:
    paths = pl.Series([[page for page, _ in session] for session in sessions], dtype=pl.List(pl.String))
    times = [[1_000_000 * sum(gap for _, gap in s[: n + 1]) for n in range(len(s))] for s in sessions]
    moments = pl.Series(times, dtype=pl.List(pl.Int64)).cast(pl.List(pl.Datetime("us", "UTC")))
    corpus = Corpus.of(paths, moments)
    limit = None if within is None else within * 1_000_000
    where = reached(corpus, [fitting(step, corpus.names) for step in steps], within=limit, strict=strict)
    visitors = pl.Series([number % 2 for number in range(len(sessions))])
    found = funnel(corpus, visitors, list(steps), where, within=limit).to_dicts()
    wanted = oracle(sessions, steps, within, strict)
    assert [{name: row[name] for name in wanted[0]} for row in found] == wanted


@pytest.fixture(scope="module")
def shop(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    crm = new_crm(tmp_path_factory.mktemp("shop"))
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    return crm


def test_it_finds_the_funnel_of_the_sample_shop(shop: "Crm") -> None:
    truth = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))["funnel"]
    rows = shop.rows("paths", "funnel", *FUNNEL)
    assert {row["name"]: row["sessions"] for row in rows} == truth
    assert [row["conversion"] for row in rows] == [pytest.approx(count / 90) for count in truth.values()]
    assert [row["step_conversion"] for row in rows] == [None, *(pytest.approx(r) for r in (66 / 90, 48 / 66, 36 / 48))]
    assert [row["lost"] for row in rows] == [24, 18, 12, None]
    assert [row["lost_to"] for row in rows] == ["(exit) 24", "(exit) 18", "(exit) 12", None]


def test_views_between_count_only_where_it_is_not_strict(shop: "Crm") -> None:
    paths = [row["path"] for row in shop.rows("query", "select path from sessions where bot is null")]
    directly = sum(any(pair == ["/cart", "/checkout"] for pair in zip_pairs(path)) for path in paths)
    rows = shop.rows("paths", "funnel", "/cart", "/checkout", "--strict")
    assert [row["sessions"] for row in rows] == [90, directly]
    assert 0 < directly < 66


def zip_pairs(path: list[str]) -> list[list[str]]:
    return [path[n : n + 2] for n in range(len(path) - 1)]


@pytest.fixture
def walks(crm: "Crm") -> "Crm":
    """Three sessions of two visitors: / > /a (10 s) > /b (100 s); / > /b (5 s) > /x/y; /c/d > / alone."""
    lines = [
        *(crm.line(0, "/"), crm.line(10, "/a"), crm.line(110, "/b")),
        *(crm.line(7200, "/"), crm.line(7205, "/b"), crm.line(7210, "/x/y")),
        *(crm.line(0, "/c/d", who=2), crm.line(5, "/", who=2)),
    ]
    crm("logs", "mine", crm.log("access.log", *lines))
    return crm


def test_a_row_tells_sessions_visitors_times_and_where_the_lost_go(walks: "Crm") -> None:
    assert walks.rows("paths", "funnel", "/", "/b", "/x/*") == [
        {
            "step": 1,
            "name": "/",
            "sessions": 3,
            "visitors": 2,
            "conversion": 1,
            "step_conversion": None,
            "median_s": None,
            "lost": 1,
            "lost_to": "(exit) 1",
        },
        {
            "step": 2,
            "name": "/b",
            "sessions": 2,
            "visitors": 1,
            "conversion": pytest.approx(2 / 3),
            "step_conversion": pytest.approx(2 / 3),
            "median_s": 57.5,
            "lost": 1,
            "lost_to": "(exit) 1",
        },
        {
            "step": 3,
            "name": "/x/*",
            "sessions": 1,
            "visitors": 1,
            "conversion": pytest.approx(1 / 3),
            "step_conversion": 0.5,
            "median_s": 5,
            "lost": None,
            "lost_to": None,
        },
    ]


def sessions(crm: "Crm", *words: object) -> list[int]:
    return [row["sessions"] for row in crm.rows("paths", "funnel", *words)]


def test_only_those_within_the_time_count(walks: "Crm") -> None:
    assert sessions(walks, "/", "/b", "--within", "109s") == [3, 1]
    assert sessions(walks, "/", "/b", "--within", "110s") == [3, 2]


def test_a_step_may_be_one_of_several(walks: "Crm") -> None:
    assert sessions(walks, "/c/*|/a", "/b|/") == [2, 2]


def test_a_step_may_be_a_category(walks: "Crm") -> None:
    walks.configure("site: {categories: [{page: /x/*, category: far/$1}, {page: /c/*, category: near}]}")
    assert sessions(walks, "/", "category:far/*") == [3, 1]
    assert sessions(walks, "category:near", "/") == [1, 1]
    assert sessions(walks, "category:near", "category:far/y", "--by", "category") == [1, 0]
    assert "(did you mean `category:near`?)" in walks("paths", "funnel", "category:nearer").stderr


def test_a_category_needs_the_configuration(walks: "Crm") -> None:
    assert "needs site.categories in the configuration" in walks("paths", "funnel", "category:near", code=4).stderr


def test_a_page_with_a_star_in_its_name_is_that_page(crm: "Crm", tmp_path: Path) -> None:
    file = tmp_path / "views.csv"
    file.write_text("session,page\n1,/item/*\n1,/end\n2,/item/*/more\n2,/end\n")
    assert sessions(crm, "/item/*", "/end", "--input", file) == [1, 1]


def test_a_step_that_no_session_has_is_told_with_the_nearest_page(walks: "Crm") -> None:
    result = walks("paths", "funnel", "/", "/x/z", "-f", "json")
    assert [row["sessions"] for row in json.loads(result.stdout)] == [3, 0]
    assert "no session has a view of step `/x/z` (did you mean `/x/y`?)" in result.stderr


def test_a_limit_of_time_needs_times(crm: "Crm", tmp_path: Path) -> None:
    file = tmp_path / "paths.spmf"
    file.write_text("1 -1 2 -1 -2\n")
    assert [row["median_s"] for row in crm.rows("paths", "funnel", "1", "2", "--input", file)] == [None, None]
    result = crm("paths", "funnel", "1", "2", "--within", "1h", "--input", file, code=2)
    assert "--within needs the times" in result.stderr


def test_without_sessions_nobody_reaches_a_step(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", crm.line(0, "/", status=404)))
    assert sessions(crm, "/", "/b", "--within", "1h") == [0, 0]
