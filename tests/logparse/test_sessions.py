"""Sessions are what a slow and obvious loop by the words of their definition gives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.rules import SessionRules
from logparse.sessions import INPUT, SESSIONS, chronological, is_view, run_starts, sessions

START = datetime(2015, 5, 17, 23, 0, tzinfo=UTC)
IDLE = timedelta(minutes=30)
MICRO = timedelta(microseconds=1)
Hit = dict[str, Any]


def hit(minutes: float = 0, **fields: Any) -> Hit:
    """A view of a page; fields say what is different."""
    when = START + timedelta(minutes=minutes)
    other = {"login": None, "referrer": None, "host": None, "bot": None}
    return {"visitor": 1, "ts": when, "page": "/a", "view": True, **other, **fields}


def cut(hits: list[Hit], **rules: Any) -> list[dict[str, Any]]:
    """The sessions of hits."""
    found = sessions(pl.DataFrame(hits, schema=INPUT), SessionRules(**rules))
    assert dict(found.schema) == SESSIONS
    return found.to_dicts()


@dataclass
class Open:
    """The session that the loop is in, and what it knows of the run."""

    hits: list[Hit] = field(default_factory=list)
    login: str | None = None
    site: str | None = None


def outside(one: Hit, rules: SessionRules) -> str | None:
    """The other site that a view comes from."""
    match = re.match(r"[A-Za-z]+://([^/?#]+)", one["referrer"] or "")
    if not match or not one["view"]:
        return None
    site = match.group(1).lower()
    own = {name.lower() for name in rules.sites} | {(one["host"] or "").lower()}
    return None if site in own else site


def begins(one: Hit, now: Open, rules: SessionRules) -> bool:
    """Whether a hit of the same run begins a new session."""
    if one["login"] and now.login and one["login"] != now.login:
        return True
    site = outside(one, rules)
    if rules.new_referrer and site and site != now.site:
        return True
    if rules.max_hits is not None and len(now.hits) == rules.max_hits:
        return True
    return rules.max_length is not None and one["ts"] - now.hits[0]["ts"] > rules.max_length


def slow(hits: list[Hit], rules: SessionRules) -> Iterator[list[Hit]]:
    """The hits of each session, by the words of the definition."""
    now = Open()
    for one in hits:
        last = now.hits[-1] if now.hits else None
        if last is None or one["visitor"] != last["visitor"] or one["ts"] - last["ts"] > rules.idle:
            yield now.hits
            now = Open()
        elif begins(one, now, rules):
            yield now.hits
            now = Open(login=now.login, site=now.site)
        now.hits.append(one)
        now.login = one["login"] or now.login
        now.site = outside(one, rules) or now.site
    yield now.hits


def summary(hits: list[Hit]) -> dict[str, Any]:
    """What is told of a session with these hits."""
    views = [one for one in hits if one["view"]]
    start, end = hits[0]["ts"], hits[-1]["ts"]
    return {
        "visitor": hits[0]["visitor"],
        "customer": next((one["login"] for one in hits if one["login"]), None),
        "start": start,
        "end": end,
        "duration_s": (end - start).total_seconds(),
        "hits": len(hits),
        "views": len(views),
        "entry": views[0]["page"],
        "exit": views[-1]["page"],
        "bot": hits[0]["bot"],
        "path": [one["page"] for one in views],
        "times": [one["ts"] for one in views],
    }


def expected(hits: list[Hit], **rules: Any) -> list[dict[str, Any]]:
    pieces = slow(hits, SessionRules(**rules))
    return [summary(piece) for piece in pieces if any(one["view"] for one in piece)]


REFERRERS = [
    None,
    None,
    "https://a.example/x",
    "http://B.example?q",
    "https://shop.example/cart",
    "a.example",
    "",
]
any_hits = st.lists(
    st.builds(
        hit,
        minutes=st.sampled_from([0, 1, 10, 29, 30, 31, 45, 60, 61, 90, 1440]) | st.integers(0, 200),
        visitor=st.integers(1, 2),
        page=st.sampled_from(["/a", "/b", None]),
        view=st.booleans(),
        login=st.sampled_from([None, None, None, "li", "wang"]),
        referrer=st.sampled_from(REFERRERS),
        host=st.sampled_from([None, "Shop.example"]),
    ),
    max_size=25,
).map(lambda hits: sorted(hits, key=lambda one: (one["visitor"], one["ts"])))
any_rules = st.fixed_dictionaries(
    {},
    optional={
        "idle": st.sampled_from([timedelta(0), timedelta(minutes=10), timedelta(minutes=29, microseconds=1)]),
        "max_length": st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(hours=1)]),
        "max_hits": st.integers(1, 5),
        "new_referrer": st.booleans(),
        "sites": st.sampled_from([(), ("A.example",), ("shop.example", "b.example")]),
    },
)


@settings(max_examples=400, deadline=None)
@given(any_hits, any_rules)
def test_sessions_are_what_the_slow_loop_gives(hits: list[Hit], rules: dict[str, Any]) -> None:
    found = cut(hits, **rules)
    ids = [one.pop("session") for one in found]
    assert found == expected(hits, **rules)
    assert len(set(ids)) == len(ids)
    assert all(0 <= one < 2**63 for one in ids)


@settings(max_examples=100, deadline=None)
@given(any_hits, any_rules)
def test_a_visitor_s_sessions_do_not_depend_on_other_visitors(hits: list[Hit], rules: dict[str, Any]) -> None:
    together = cut(hits, **rules)
    apart = [one for visitor in (1, 2) for one in cut([hit for hit in hits if hit["visitor"] == visitor], **rules)]
    assert together == apart


@settings(max_examples=100, deadline=None)
@given(any_hits)
def test_a_run_s_sessions_do_not_depend_on_other_runs(hits: list[Hit]) -> None:
    frame = pl.DataFrame(hits, schema=INPUT)
    starts = run_starts(frame["visitor"], frame["ts"], IDLE) if hits else []
    firsts = [*(number for number, begins in enumerate(starts) if begins), len(hits)]
    rules = {"max_hits": 2, "new_referrer": True}
    apart = [one for at, end in pairwise(firsts) for one in cut(hits[at:end], **rules)]
    assert cut(hits, **rules) == apart


def test_no_hits_give_no_sessions() -> None:
    assert cut([]) == []


def test_session_without_a_view_is_none() -> None:
    assert cut([hit(view=False), hit(1, view=False)]) == []


def test_session_of_one_view() -> None:
    (one,) = cut([hit()])
    assert (one["hits"], one["views"], one["duration_s"], one["entry"], one["exit"]) == (
        1,
        1,
        0.0,
        "/a",
        "/a",
    )


def test_gap_of_just_the_idle_limit_does_not_split() -> None:
    assert len(cut([hit(), hit(30)])) == 1
    later = hit()
    later["ts"] += IDLE + MICRO
    assert len(cut([hit(), later])) == 2
    assert len(cut([hit(), hit(30)], idle=IDLE - MICRO)) == 2


def test_idle_time_runs_from_the_last_hit_not_the_first() -> None:
    (one,) = cut([hit(25 * number) for number in range(10)])
    assert one["duration_s"] == 225 * 60


def test_every_hit_keeps_a_session_alive_but_only_views_are_in_its_path() -> None:
    (one,) = cut([hit(0, page="/in"), hit(25, page="/a.css", view=False), hit(50, page="/out")])
    assert (one["path"], one["hits"], one["views"]) == (["/in", "/out"], 3, 2)


def test_hits_before_the_first_view_and_after_the_last_count_in_its_time() -> None:
    (one,) = cut([hit(0, view=False), hit(10, page="/x"), hit(20, view=False)])
    assert (one["start"], one["duration_s"]) == (START, 1200)
    assert one["times"] == [START + timedelta(minutes=10)]
    assert (one["entry"], one["exit"]) == ("/x", "/x")


def test_no_split_at_midnight() -> None:
    (one,) = cut([hit(50), hit(59), hit(61), hit(70)])
    assert one["start"].date() != one["end"].date()


def test_login_names_the_customer_of_the_whole_session() -> None:
    (one,) = cut([hit(0), hit(1, login="li"), hit(2), hit(3, login="li")])
    assert (one["customer"], one["hits"]) == ("li", 4)


def test_second_different_login_begins_a_session() -> None:
    first, second, third = cut([hit(0, login="li"), hit(1), hit(2, login="wang"), hit(3), hit(4, login="li")])
    assert [one["customer"] for one in (first, second, third)] == ["li", "wang", "li"]
    assert [one["hits"] for one in (first, second, third)] == [2, 2, 1]


def test_login_of_an_earlier_run_is_forgotten() -> None:
    first, second = cut([hit(0, login="li"), hit(60), hit(61, login="wang")])
    assert [(one["customer"], one["hits"]) for one in (first, second)] == [("li", 1), ("wang", 2)]


def test_longest_time_is_counted_from_the_first_hit() -> None:
    found = cut([hit(20 * number) for number in range(7)], max_length=timedelta(minutes=40))
    assert [one["hits"] for one in found] == [3, 3, 1]
    assert max(one["duration_s"] for one in found) == 2400


def test_most_hits() -> None:
    assert [one["hits"] for one in cut([hit(number) for number in range(7)], max_hits=3)] == [3, 3, 1]


def test_piece_without_a_view_is_dropped_and_leaves_the_ids_of_others() -> None:
    hits = [hit(0), hit(1), hit(2), hit(3), hit(4)]
    every = cut(hits, max_hits=2)
    hits[2]["view"] = hits[3]["view"] = False
    first, last = cut(hits, max_hits=2)
    assert [first["session"], last["session"]] == [every[0]["session"], every[2]["session"]]


def test_new_external_referrer_begins_a_session_only_if_the_rules_say_so() -> None:
    hits = [hit(0), hit(1, referrer="https://a.example/"), hit(2, referrer="https://b.example/")]
    assert len(cut(hits)) == 1
    assert len(cut(hits, new_referrer=True)) == 3


def test_referrer_that_begins_no_session() -> None:
    same = {"referrer": "https://a.example/x", "host": "shop.example"}
    hits = [
        hit(0, **same),
        hit(1, **{**same, "referrer": "https://SHOP.example/cart"}),
        hit(2, **{**same, "referrer": "http://A.Example/other"}),
        hit(3, referrer="https://b.example/", view=False),
        hit(4, referrer="https://www.shop.example/"),
        hit(5, referrer="android-app://com.example"),
        hit(6, referrer=None),
    ]
    assert len(cut(hits, new_referrer=True, sites=("www.shop.example",))) == 1


def splitmix(value: int) -> int:
    """The mixing function of SplitMix64, in plain integers."""
    value = (value + 0x9E3779B97F4A7C15) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


def test_session_id_is_mixed_from_visitor_start_of_the_run_and_place() -> None:
    hits = [hit(number, visitor=2**63 - 1) for number in range(3)]
    began = (START - datetime(1970, 1, 1, tzinfo=UTC)) // MICRO
    for place, one in enumerate(cut(hits, max_hits=1)):
        assert one["session"] == splitmix((2**63 - 1) ^ splitmix(began ^ splitmix(place))) >> 1


def test_session_keeps_its_id_while_it_grows() -> None:
    assert cut([hit()])[0]["session"] == cut([hit(), hit(5)])[0]["session"]


def test_ids_of_many_sessions_differ() -> None:
    hits = [hit(31 * number, visitor=visitor) for visitor in range(200) for number in range(200)]
    found = [one["session"] for one in cut(hits, max_hits=1)]
    assert len(set(found)) == 40_000


VIEWS = {
    "page": True,
    "asset": False,
    "other": False,
}
STATUSES = {
    200: True,
    204: True,
    299: True,
    304: True,
    199: False,
    300: False,
    301: False,
    302: False,
    404: False,
    None: False,
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", VIEWS)
def test_view_is_a_page_answered_to_no_robot(kind: str, status: int | None) -> None:
    frame = pl.DataFrame(
        {"kind": [kind] * 2, "status": [status] * 2, "bot": [None, "curl"]},
        schema={"kind": pl.String, "status": pl.Int16, "bot": pl.String},
    )
    assert frame.select(is_view())["kind"].to_list() == [VIEWS[kind] and STATUSES[status], False]
    assert frame.with_columns(view=is_view(raw=True))["view"].to_list() == [True, True]


def test_the_order_of_sessions_does_not_hang_on_their_ids() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    paths = [["/b"], ["/a"], ["/a", "/c"], ["/a"], ["/a", "/b"]]
    rows = [
        {
            "session": 7 * (n + 1) % 11,
            "start": start if n < 4 else start - timedelta(minutes=1),
            "end": start + timedelta(minutes=5),
            "views": len(path),
            "hits": 3,
            "path": path,
            "times": [start + timedelta(seconds=n * at) for at in range(len(path))],
        }
        for n, path in enumerate(paths)
    ]
    found = chronological(pl.DataFrame(rows))
    assert found["path"].to_list() == [["/a", "/b"], ["/a"], ["/a"], ["/b"], ["/a", "/c"]]
    others = chronological(pl.DataFrame(rows[::-1]).with_columns(pl.col("session") * -1))
    assert others.drop("session").equals(found.drop("session"))
    assert chronological(found.head(0)).height == 0
