"""Requests become pages and kinds by rules, and rules drop hits by name."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.rules import DropRule, PageRules, VisitorRules

Line = Callable[..., str]
HOSTED = '$host [$time_local] "$request"'


def hit(engine: Any, target: str, method: str = "GET", host: str = "Shop.Example.com", **rules: Any) -> dict[str, Any]:
    """The hit of a request for a target."""
    line = f'{host} [17/May/2015:10:05:03 +0000] "{method} {target} HTTP/1.1"'
    return engine.hit(HOSTED, line, pages=PageRules(**rules))  # type: ignore[no-any-return]


def page(engine: Any, target: str, **rules: Any) -> str | None:
    return hit(engine, target, **rules)["page"]  # type: ignore[no-any-return]


ORDINARY = {
    "/": "/",
    "//": "/",
    "/a": "/a",
    "/a/": "/a",
    "/a//b///c": "/a/b/c",
    "/a/b/?x=1": "/a/b",
    "/index.html": "/",
    "/a/index.php": "/a",
    "/a/INDEX.Html?x": "/a",
    "/a/default.aspx": "/a",
    "/myindex.html": "/myindex.html",
    "/index_html": "/index_html",
    "/index.html/a": "/index.html/a",
    "/A/b": "/A/b",
    "/item/17": "/item/17",
    "/%7Eli/%E5%AE%A2%E6%88%B7": "/~li/客户",
    "/%e5%ae%a2%e6%88%b7/": "/客户",
    "/a%2Fb": "/a%2Fb",
    "/a%2fb": "/a%2Fb",
    "/a%3Fb?c": "/a%3Fb",
    "/a%00": "/a%00",
    "/a%20b": "/a%20b",
    "/a+b": "/a+b",
    "/caf%E9": "/caf%E9",
    "/a;jsessionid=1": "/a;jsessionid=1",
}


@pytest.mark.parametrize("target", ORDINARY)
def test_page_by_the_rules_that_hold_if_none_are_given(engine: Any, target: str) -> None:
    assert page(engine, target) == ORDINARY[target]


def test_targets_that_are_one_page_written_differently(engine: Any) -> None:
    targets = [
        "/%E5%AE%A2/",
        "/客",
        "//%e5%ae%a2?x=1",
        "/%E5%AE%A2/index.html#top",
        "http://shop.example.com/客/",
    ]
    assert {page(engine, target) for target in targets} == {"/客"}


def test_trailing_slash_stays_if_the_rules_say_so(engine: Any) -> None:
    targets = {"/a/": "/a/", "/a": "/a", "/": "/", "/a/index.html": "/a/", "/a//": "/a/"}
    assert {target: page(engine, target, trailing_slash=True) for target in targets} == targets


def test_lower_case(engine: Any) -> None:
    targets = {"/A/b": "/a/b", "/ÄÖ": "/äö", "/INDEX.HTML": "/", "/a?B=C": "/a"}
    assert {target: page(engine, target, lower_case=True) for target in targets} == targets
    assert page(engine, "/A?B=C", lower_case=True, query_keep=("*",)) == "/a?B=C"


def test_numeric_ids(engine: Any) -> None:
    targets = {
        "/item/17": "/item/*",
        "/17": "/*",
        "/1/2/3/4/5": "/*/*/*/*/*",
        "/item/17/": "/item/*",
        "/item/17a/b18": "/item/17a/b18",
        "/2015/05/17/news": "/*/*/*/news",
        "/item/17.html": "/item/17.html",
        "/-1": "/-1",
    }
    assert {target: page(engine, target, numeric_ids=True) for target in targets} == targets


def test_index_pages_by_rule(engine: Any) -> None:
    rules = {"index": ("start.htm", "a+b.html")}
    targets = {"/x/start.htm": "/x", "/x/START.HTM": "/x", "/x/startxhtm": "/x/startxhtm", "/a+b.html": "/"}
    assert {target: page(engine, target, **rules) for target in targets} == targets
    assert page(engine, "/x/index.html", **rules) == "/x/index.html"
    assert page(engine, "/x/index.html", index=()) == "/x/index.html"


def test_keys_of_the_query_that_stay(engine: Any) -> None:
    targets = {
        "/a?id=1&b=2": "/a?id=1",
        "/a?b=2&id=1": "/a?id=1",
        "/a?b=2": "/a",
        "/a": "/a",
        "/a?": "/a",
        "/a?ID=1": "/a",
        "/a?id": "/a?id",
        "/a?id=": "/a?id=",
        "/a?id=x=y": "/a?id=x=y",
        "/a?id=2&id=1": "/a?id=1&id=2",
        "/a?xid=1": "/a",
        "/a/index.html?id=1": "/a?id=1",
        "/a?cat=%E5%AE%A2&id=%26": "/a?cat=客&id=%26",
    }
    assert {target: page(engine, target, query_keep=("id", "cat")) for target in targets} == targets


def test_keys_of_the_query_that_go_whatever_stays(engine: Any) -> None:
    rules = {"query_keep": ("*",), "query_drop": ("utm_source", "sid")}
    targets = {"/a?b=1&utm_source=x&sid=9&a=2": "/a?a=2&b=1", "/a?sid=1": "/a", "/a?&&b=1&": "/a?b=1"}
    assert {target: page(engine, target, **rules) for target in targets} == targets
    assert page(engine, "/a?id=1&b=2", query_keep=("id", "b"), query_drop=("id",)) == "/a?b=2"
    assert page(engine, "/a?b=1", query_drop=("x",)) == "/a"


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=5),
    order=st.randoms(use_true_random=False),
)
def test_order_of_the_query_does_not_matter(engine: Any, pairs: list[tuple[str, str]], order: Any) -> None:
    rules = {"query_keep": ("a", "b", "c"), "query_drop": ("c",)}
    kept = sorted(f"{key}={value}" for key, value in pairs if key in "ab")
    shuffled = [f"{key}={value}" for key, value in pairs]
    order.shuffle(shuffled)
    assert page(engine, "/p?" + "&".join(shuffled), **rules) == ("/p?" + "&".join(kept) if kept else "/p")


def test_host_before_the_path(engine: Any) -> None:
    assert page(engine, "/a/", with_host=True) == "shop.example.com/a"
    assert page(engine, "/a?id=1", with_host=True, query_keep=("id",)) == "shop.example.com/a?id=1"
    assert page(engine, "/a", host="-", with_host=True) == "/a"


def test_host_before_what_is_no_page(engine: Any) -> None:
    line = r'shop.example.com [17/May/2015:10:05:03 +0000] "\x16\x03"'
    assert engine.hit(HOSTED, line, pages=PageRules(with_host=True))["page"] is None


def test_path_and_query_of_the_hit_are_not_touched_by_page_rules(engine: Any) -> None:
    rules = {"lower_case": True, "numeric_ids": True, "query_keep": ("b",), "with_host": True}
    found = hit(engine, "//A/17/index.html?c=1&b=2", **rules)
    assert (found["path"], found["query"], found["host"]) == (
        "//A/17/index.html",
        "c=1&b=2",
        "Shop.Example.com",
    )


KINDS = {
    "GET /": "page",
    "GET /a.html": "page",
    "GET /a.php?f=x.css": "page",
    "POST /a": "page",
    "GET /v1.2": "page",
    "GET /a.css/": "page",
    "GET /api": "page",
    "GET /a/api/b": "page",
    "GET /a.b.c": "page",
    "GET /.css.": "page",
    "GET /a.css": "asset",
    "GET /a.min.JS?v=3": "asset",
    "HEAD /a.png": "asset",
    "GET /favicon.ico": "asset",
    "GET /api/a.css": "asset",
    "GET /robots.txt": "other",
    "GET /feed.XML": "other",
    "GET /api/": "other",
    "GET /api/a/b": "other",
    "GET /.well-known/acme": "other",
    "HEAD /": "other",
    "PUT /a": "other",
    "OPTIONS *": "other",
    "get /": "other",
}


@pytest.mark.parametrize("request_line", KINDS)
def test_kind_of_a_hit(engine: Any, request_line: str) -> None:
    method, target = request_line.split(" ")
    assert hit(engine, target, method)["kind"] == KINDS[request_line]


def test_kinds_by_rule(engine: Any) -> None:
    rules = {
        "assets": ("pic",),
        "others": ("css",),
        "other_paths": ("/x/*.do", "/[a]"),
        "methods": ("REPORT",),
    }
    expected = {
        "/a.PIC": "asset",
        "/a.css": "other",
        "/x/a.do": "other",
        "/x/a.doc": "page",
        "/[a]": "other",
        "/a": "page",
    }
    assert {target: hit(engine, target, "REPORT", **rules)["kind"] for target in expected} == expected
    assert hit(engine, "/a", **rules)["kind"] == "other"


def dropped(engine: Any, combined: Line, *rules: DropRule) -> tuple[list[int], dict[str, int]]:
    """The lines that are kept of a fixed log, and the account of the others."""
    lines = [
        combined(),
        combined(request="GET /health HTTP/1.1", agent="Probe/1.0"),
        combined(request="POST /login HTTP/1.1", status="302", address="10.0.0.5"),
        combined(request="GET /health/deep?x=1 HTTP/1.1", status="500", agent="-"),
        combined(request="-", status="408", agent="-"),
        combined(address="2001:db8::7", login="li"),
    ]
    parsed = engine.parse("combined", "\n".join(lines).encode(), drop=rules)
    assert parsed.rejects.is_empty()
    assert parsed.account.lines == 6 == parsed.hits.height + sum(parsed.account.filtered.values())
    return parsed.hits["line"].to_list(), dict(parsed.account.filtered)


DROPS = {
    "path": (DropRule(name="x", path=("/health",)), [1, 3, 4, 5, 6]),
    "path glob": (DropRule(name="x", path=("/health*", "/log*")), [1, 5, 6]),
    "path without query": (DropRule(name="x", path=("*x=1*",)), [1, 2, 3, 4, 5, 6]),
    "status": (DropRule(name="x", status=(408, 500)), [1, 2, 3, 6]),
    "method": (DropRule(name="x", method=("POST", "PUT")), [1, 2, 4, 5, 6]),
    "agent": (DropRule(name="x", agent=("Probe*",)), [1, 3, 4, 5, 6]),
    "agent that is any": (DropRule(name="x", agent=("*",)), [4, 5]),
    "address": (DropRule(name="x", address=("10.*",)), [1, 2, 4, 5, 6]),
    "ipv6": (DropRule(name="x", address=("2001:db8:*",)), [1, 2, 3, 4, 5]),
    "all conditions": (DropRule(name="x", path=("/health*",), status=(500,)), [1, 2, 3, 5, 6]),
    "no hit fits": (DropRule(name="x", path=("/health*",), method=("POST",)), [1, 2, 3, 4, 5, 6]),
    "no condition": (DropRule(name="x"), [1, 2, 3, 4, 5, 6]),
    "host that is not logged": (DropRule(name="x", host=("*",)), [1, 2, 3, 4, 5, 6]),
}


@pytest.mark.parametrize("case", DROPS)
def test_drop_rule(engine: Any, combined: Line, case: str) -> None:
    rule, kept = DROPS[case]
    assert dropped(engine, combined, rule) == (kept, {"x": 6 - len(kept)} if len(kept) < 6 else {})


def test_first_rule_that_fits_counts_the_hit(engine: Any, combined: Line) -> None:
    health, errors = DropRule(name="health", path=("/health*",)), DropRule(name="errors", status=(500, 408))
    assert dropped(engine, combined, health, errors) == ([1, 3, 6], {"health": 2, "errors": 1})
    assert dropped(engine, combined, errors, health) == ([1, 3, 6], {"errors": 2, "health": 1})


def test_rules_of_one_name_count_together(engine: Any, combined: Line) -> None:
    rules = (DropRule(name="noise", path=("/health*",)), DropRule(name="noise", status=(408,)))
    assert dropped(engine, combined, *rules) == ([1, 3, 6], {"noise": 3})


def test_drop_rule_for_a_host(engine: Any) -> None:
    lines = [
        f'{host} [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"' for host in ("a.example.com", "b.example.com", "-")
    ]
    rule = DropRule(name="b", host=("b.*",))
    hits = engine.hits(HOSTED, *lines, drop=(rule,))
    assert [hit["host"] for hit in hits] == ["a.example.com", None]


def test_drop_rule_sees_the_whole_address_however_it_is_stored(engine: Any, combined: Line) -> None:
    rule = DropRule(name="office", address=("203.0.113.9",))
    data = f"{combined()}\n{combined(address='203.0.113.8')}\n".encode()
    parsed = engine.parse("combined", data, drop=(rule,), visitors=VisitorRules(addresses="none"))
    assert parsed.account.filtered == {"office": 1}


def test_filtered_is_not_rejected(engine: Any, combined: Line) -> None:
    data = f"{combined()}\nbroken\n\n{combined(time='-')}\n".encode()
    parsed = engine.parse("combined", data, drop=(DropRule(name="all", agent=("*",)),))
    assert parsed.hits.is_empty()
    assert parsed.account.filtered == {"all": 1}
    assert parsed.account.rejected == {"does not fit the format": 1, "no valid time": 1}
    assert parsed.account.blank == 1
