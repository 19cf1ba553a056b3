"""Runs are judged robots' by behaviour as a slow and obvious loop over their hits judges them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.behaviour import TEXTS, reasons, signs
from logparse.pages import with_pages
from logparse.rules import BehaviourRules, PageRules, SessionRules
from logparse.sessions import INPUT, run_starts, sessions

START = datetime(2026, 3, 2, 23, 50, tzinfo=UTC)
IDLE = timedelta(minutes=30)
NONE = BehaviourRules(robots_txt=False, no_assets=None, rate_views=None)
Hit = dict[str, Any]


def hit(second: float = 0, kind: str = "view", visitor: int = 1, **fields: Any) -> Hit:
    """A view, an asset, a request for robots.txt, or something else."""
    when = START + timedelta(seconds=second)
    other = {"login": None, "referrer": None, "host": None, "bot": None, "page": "/a"}
    sign = {"asset": 1, "robots.txt": 2}.get(kind, 0)
    return {"visitor": visitor, "ts": when, "view": kind == "view", "signs": sign, **other, **fields}


def found(hits: list[Hit], rules: BehaviourRules) -> list[str | None]:
    """The reason of each run."""
    frame = pl.DataFrame(hits, schema=INPUT)
    return reasons(frame, run_starts(frame["visitor"], frame["ts"], IDLE), rules).to_list()


def runs(hits: list[Hit]) -> list[list[Hit]]:
    """The hits of each run."""
    out = [hits[:1]]
    for before, one in pairwise(hits):
        if one["visitor"] != before["visitor"] or one["ts"] - before["ts"] > IDLE:
            out.append([])
        out[-1].append(one)
    return out


def slow(run: list[Hit], rules: BehaviourRules) -> str | None:
    """Why a run is a robot's, by the words of the rules."""
    views = [one["ts"] for one in run if one["view"]]
    why = []
    if rules.robots_txt and any(one["signs"] == 2 for one in run):
        why.append("robots.txt")
    if rules.no_assets is not None and len(views) >= rules.no_assets and all(one["signs"] != 1 for one in run):
        why.append("no assets")
    if rules.rate_views is not None:
        for first in views:
            near = [ts for ts in views if first <= ts <= first + rules.rate_window]
            if len(near) >= rules.rate_views:
                why.append("inhuman rate")
                break
    return " + ".join(why) or None


any_hits = st.lists(
    st.builds(
        hit,
        second=st.sampled_from([0, 1, 2, 9, 10, 11, 60, 1800, 1811, 1812, 3700, 3701, 90_000]) | st.integers(0, 4000),
        kind=st.sampled_from(["view", "view", "view", "view", "asset", "robots.txt", "other"]),
        visitor=st.integers(1, 3),
    ),
    min_size=1,
    max_size=40,
).map(lambda hits: sorted(hits, key=lambda one: (one["visitor"], one["ts"])))
any_rules = st.builds(
    BehaviourRules,
    robots_txt=st.booleans(),
    no_assets=st.none() | st.integers(1, 6),
    rate_views=st.none() | st.integers(2, 6),
    rate_window=st.sampled_from([0, 1, 10, 60]).map(lambda seconds: timedelta(seconds=seconds)),
)


@settings(max_examples=400)
@given(any_hits, any_rules)
def test_each_run_is_judged_as_the_slow_loop_judges_it(hits: list[Hit], rules: BehaviourRules) -> None:
    assert found(hits, rules) == [slow(run, rules) for run in runs(hits)]


@settings(max_examples=100)
@given(any_hits, any_rules)
def test_a_run_is_judged_alone_as_among_others(hits: list[Hit], rules: BehaviourRules) -> None:
    assert found(hits, rules) == [reason for run in runs(hits) for reason in found(run, rules)]


@settings(max_examples=100)
@given(any_hits, any_rules, st.integers(1, 4))
def test_every_session_of_a_run_has_the_reason_of_the_whole_run(
    hits: list[Hit], rules: BehaviourRules, most: int
) -> None:
    rows = sessions(pl.DataFrame(hits, schema=INPUT), SessionRules(max_hits=most, robots=rules)).to_dicts()
    spans = [(run[0]["visitor"], run[0]["ts"], run[-1]["ts"], slow(run, rules)) for run in runs(hits)]
    for row in rows:
        (why,) = [s[3] for s in spans if s[0] == row["visitor"] and s[1] <= row["start"] <= s[2]]
        assert row["bot"] == why


@settings(max_examples=100)
@given(any_hits, any_rules)
def test_judging_changes_nothing_else_of_a_session(hits: list[Hit], rules: BehaviourRules) -> None:
    frame = pl.DataFrame(hits, schema=INPUT)
    judged, plain = (sessions(frame, SessionRules(robots=robots)) for robots in (rules, None))
    assert judged.drop("bot").equals(plain.drop("bot"))
    assert plain["bot"].null_count() == plain.height


def test_what_is_switched_off_judges_nobody() -> None:
    robot = [hit(0, "robots.txt"), *(hit(0) for _ in range(500))]
    assert found(robot, NONE) == [None]
    assert found(robot, BehaviourRules()) == ["robots.txt + no assets + inhuman rate"]


@pytest.mark.parametrize(("views", "reason"), [(29, None), (30, "no assets")])
def test_as_many_views_as_the_limit_without_an_asset_are_a_robot_s(views: int, reason: str | None) -> None:
    assert found([hit(20 * n) for n in range(views)], BehaviourRules()) == [reason]
    assert found([*(hit(20 * n) for n in range(views)), hit(9999, "asset")], BehaviourRules()) == [reason, None]
    assert found([*(hit(20 * n) for n in range(views)), hit(600, "asset")], BehaviourRules()) == [None]


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ([*range(59), 60], "inhuman rate"),
        ([*range(59), 60.000001], None),
        (range(59), None),
        (range(0, 300, 3), None),
        ([*range(0, 400, 4), *range(400, 460)], "inhuman rate"),
    ],
)
def test_as_many_views_as_the_limit_within_the_window_are_a_robot_s(times: Any, reason: str | None) -> None:
    assert found([hit(0, "asset"), *map(hit, times)], BehaviourRules()) == [reason]


def test_views_of_several_runs_are_not_added_up() -> None:
    two = [hit(n / 10, visitor=who) for who in (1, 2) for n in range(29)]
    assert found(two, BehaviourRules(rate_views=30)) == [None, None]


def test_robot_named_by_its_agent_keeps_its_name() -> None:
    (row,) = sessions(
        pl.DataFrame([hit(0, "robots.txt", bot="curl"), hit(1, bot="curl")], schema=INPUT),
        SessionRules(robots=BehaviourRules()),
    ).to_dicts()
    assert row["bot"] == "curl"


PATHS = {
    "/robots.txt": 2,
    "/robots.txt?x=1": 2,
    "//robots.txt": 2,
    "/robots.txt.bak": 0,
    "/docs/robots.txt": 0,
    "/robots_txt": 0,
    "/a.css": 1,
    "/logo.PNG": 1,
    "/a": 0,
    None: 0,
}


@pytest.mark.parametrize(
    "rules", [PageRules(), PageRules(query_keep=("*",)), PageRules(with_host=True), PageRules(others=())]
)
def test_requests_for_robots_txt_and_assets_are_seen_by_any_page_rules(rules: PageRules) -> None:
    parts = [(path or "").partition("?") for path in PATHS]
    frame = pl.DataFrame(
        {
            "method": ["GET" if path else None for path in PATHS],
            "path": [path or None for path, _, _ in parts],
            "query": [query or None for _, _, query in parts],
            "host": ["Shop.example"] * len(PATHS),
        },
        schema_overrides={"query": pl.String},
    )
    seen = with_pages(frame, rules).select(signs())["signs"].to_list()
    assert dict(zip(PATHS, seen, strict=True)) == PATHS


def test_every_set_of_reasons_has_a_text_of_its_own() -> None:
    assert len(set(TEXTS)) == len(TEXTS) == 8
