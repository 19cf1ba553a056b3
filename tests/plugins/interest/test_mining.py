"""What is mined of visits agrees with a loop over sessions and hits, however the log is parted into runs."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.interest.contracts import BEHAVIOUR
from crm.schema import polars_schema
from crm.site import CartRule, ItemRule, SearchRule, SiteConfig
from plugins.interest.mining import behaviour
from plugins.interest.queries import term, terms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.plugins.conftest import Crm

START = datetime(2026, 3, 2, 22, tzinfo=UTC)
SITE = SiteConfig(
    items=(ItemRule(page="/item/*", item="$1"),),
    searches=(SearchRule(page="/search*", parameter="q"), SearchRule(page="/search*", parameter="wd")),
    carts=(CartRule(path="/api/cart*"),),
)
YAML = """\
site:
  items: [{page: /item/*, item: $1}]
  searches: [{page: /search*, parameter: q}]
  carts: [{path: /api/cart*, method: POST}]
logs:
  pages: {other_paths: [/api/*]}
"""
HIT = {"method": "GET", "status": 200, "query": None, "kind": "page"}
hits = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 200),
        st.sampled_from(["/", "/item/1", "/item/2", "/search", "/api/cart"]),
        st.sampled_from(["GET", "POST"]),
        st.sampled_from([200, 304, 404]),
        st.sampled_from([None, "q=a", "x=1&q=B+b", "wd=c&q=", "q=%20"]),
    ),
    max_size=25,
)


def sessions_and_hits(rows: list[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Hits, and the sessions that they make with an idle limit of 30 minutes."""
    made = [
        {
            "visitor": who,
            "ts": START + timedelta(minutes=at),
            "page": page,
            "path": page,
            "method": method,
            "status": status,
            "query": query,
            "kind": "other" if page.startswith("/api/") else "page",
        }
        for who, at, page, method, status, query in sorted(rows, key=lambda row: row[1])
    ]
    sessions: list[dict[str, Any]] = []
    for hit in made:
        hit["date"] = hit["ts"].date()
        last = next((each for each in reversed(sessions) if each["visitor"] == hit["visitor"]), None)
        if last is None or hit["ts"] - last["end"] > timedelta(minutes=30):
            last = {"visitor": hit["visitor"], "customer": None, "start": hit["ts"], "path": [], "times": []}
            sessions.append(last)
        last["end"], last["date"] = hit["ts"], last["start"].date()
        if hit["kind"] == "page" and hit["status"] != 404:
            last["path"].append(hit["page"])
            last["times"].append(hit["ts"])
    return [each for each in sessions if each["path"]], made


def oracle(sessions: list[dict[str, Any]], made: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, float]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    dwell: Counter[tuple[Any, ...]] = Counter()
    for each in sessions:
        of = (each["date"], each["visitor"])
        for at, page in enumerate(each["path"]):
            counts[*of, "view", page] += 1
            if at + 1 < len(each["path"]):
                stay = (each["times"][at + 1] - each["times"][at]).total_seconds()
                dwell[*of, "view", page] += min(stay, 600)
        for hit in made:
            if hit["visitor"] != each["visitor"] or not each["start"] <= hit["ts"] <= each["end"]:
                continue
            said = {"q=a": "a", "x=1&q=B+b": "b b", "wd=c&q=": "c"}.get(hit["query"])
            if hit["page"] == "/search" and hit["method"] == "GET" and hit["status"] != 404 and said:
                counts[*of, "search", said] += 1
            shown = [p for p, t in zip(each["path"], each["times"], strict=True) if t <= hit["ts"] and "/item/" in p]
            if hit["page"] == "/api/cart" and hit["method"] == "POST" and hit["status"] != 404 and shown:
                counts[*of, "cart", shown[-1]] += 1
    return {key: (number, dwell[key]) for key, number in counts.items()}


@given(rows=hits)
def test_it_is_what_a_loop_finds(rows: list[Any]) -> None:
    sessions, made = sessions_and_hits(rows)
    time = pl.Datetime("us", "UTC")
    kinds: dict[str, Any] = {"date": pl.Date, "visitor": pl.Int64, "customer": pl.String, "start": time, "end": time}
    kinds |= {"path": pl.List(pl.String), "times": pl.List(time)}
    texts = dict.fromkeys(("page", "path", "method", "query", "kind"), pl.String)
    logged: dict[str, Any] = {"date": pl.Date, "visitor": pl.Int64, "ts": time, "status": pl.Int16, **texts}
    found = behaviour(pl.LazyFrame(sessions, kinds), pl.LazyFrame(made, logged), SITE)
    assert found.columns == list(polars_schema(BEHAVIOUR))
    rows = found.select("date", "visitor", "kind", "what", "count", "dwell_s").rows()
    assert {row[:4]: row[4:] for row in rows} == oracle(sessions, made)


def lines(crm: "Crm", steps: list[tuple[int, int, str]]) -> list[str]:
    said = []
    for who, at, what in sorted(steps, key=lambda step: step[1]):
        method = "POST" if what.startswith("/api") else "GET"
        login = "li.si" if who == 3 else "-"
        said.append(crm.line(80_000 + 300 * at, what, who, method=method, login=login))
    return said


steps = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 40),
        st.sampled_from(["/", "/item/1", "/item/2", "/search?q=a", "/search?q=%E5%A4%A7", "/api/cart"]),
    ),
    min_size=2,
    max_size=25,
    unique_by=lambda step: step[1],
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, data=st.data())
def test_any_way_to_part_the_log_gives_the_same(
    steps: list[tuple[int, int, str]],
    data: st.DataObject,
    new_crm: "Callable[[Path], Crm]",
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    once, often = (new_crm(tmp_path_factory.mktemp("part")) for _ in range(2))
    said = lines(once, steps)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(said) - 1), max_size=2)))
    parts = [said[first:end] for first, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    for crm in (once, often):
        crm.configure(YAML)
    once("logs", "mine", once.log("whole.log", *said))
    for at, part in enumerate(data.draw(st.permutations(parts))):
        often("logs", "mine", often.log(f"part{at}.log", *part))
    assert_frame_equal(often.table("behaviour"), once.table("behaviour"))


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("%E5%A4%A7%E7%B1%B3", "大米"),
        ("大米", "大米"),
        ("%B4%F3%C3%D7", "大米"),  # GB 2312
        ("%EF%BC%A1+%EF%BC%A2%09c", "a b c"),
        ("+%20", ""),
        ("%FF%FF", ""),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_query_is_read_in_the_charset_that_it_is_in(raw: str, wanted: str) -> None:
    assert term(raw) == wanted


def test_chinese_terms_come_whole_through_the_log_in_both_charsets(crm: "Crm") -> None:
    crm.configure(YAML)
    asked = [quote("花生油 a&b", encoding=charset) for charset in ("utf-8", "gb18030")]
    log = crm.log("a.log", *(crm.line(60 * at, f"/search?from=x&q={each}&p=1") for at, each in enumerate(asked)))
    crm("logs", "mine", log)
    found = crm.table("behaviour").filter(kind="search")
    assert found.select("what", "count").rows() == [("花生油 a&b", 2)]


def test_without_rules_there_are_no_terms() -> None:
    asked = pl.DataFrame({"page": ["/search"], "query": ["q=a"]})
    assert terms(asked, ()).to_list() == [None]


def test_a_session_over_midnight_counts_for_the_day_on_which_it_began(crm: "Crm") -> None:
    crm.configure(YAML)
    first = [crm.line(86_000, "/item/1"), crm.line(86_300, "/")]
    second = [crm.line(86_500, "/search?q=a"), crm.line(86_600, "/api/cart", method="POST")]
    crm("logs", "mine", crm.log("a.log", *first))
    crm("logs", "mine", crm.log("b.log", *second))
    found = crm.table("behaviour").select("date", "kind", "what", "dwell_s").rows()
    day = datetime(2026, 3, 2, tzinfo=UTC).date()
    assert found == [
        (day, "cart", "/item/1", 0.0),
        (day, "search", "a", 0.0),
        (day, "view", "/", 200.0),
        (day, "view", "/item/1", 300.0),
        (day, "view", "/search", 0.0),
    ]
