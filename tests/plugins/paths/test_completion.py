"""Path completion: the views that referrers show (`--complete`), and `crm paths views`."""

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logparse.sessions import chronological, is_view
from plugins.paths.completion import complete, inferred
from plugins.paths.corpus import MARKS, Corpus

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

ROOT = Path(__file__).parents[3]
SHOP = "https://shop.example"
PAGES = "abcd"

View = tuple[str, str | None]
"""A page, and the page that it came from."""


def oracle(views: list[View]) -> list[tuple[str, str | None]]:
    """One session with the views that its referrers show, by a plain stack: page and mark."""
    shown: list[tuple[str, str | None]] = []
    history: list[str] = []
    for page, referrer in views:
        if history and page == history[-1] and referrer != page:
            shown.append((page, None))  # loaded anew
            continue
        if history and referrer is not None and referrer != history[-1]:
            if referrer in history:
                while history[-1] != referrer:
                    history.pop()
                    shown.append((history[-1], "back"))
            else:
                history.append(referrer)
                shown.append((referrer, "cached"))
        history.append(page)
        shown.append((page, None))
    return shown


def corpus_of(sessions: list[list[View]]) -> tuple[Corpus, "np.ndarray[tuple[int], np.dtype[np.int32]]"]:
    """Sessions as a corpus whose times count the views, and the codes of their referrers."""
    paths = pl.Series([[page for page, _ in views] for views in sessions], dtype=pl.List(pl.String))
    corpus = Corpus.of(paths)
    codes = [-1 if (code := corpus.code(came or "")) is None else code for views in sessions for _, came in views]
    corpus = Corpus(corpus.names, corpus.codes, corpus.offsets, np.arange(corpus.views))
    return corpus, np.array(codes, dtype=np.int32)


def marked(corpus: Corpus) -> list[list[tuple[str, str | None]]]:
    marks = [None] * corpus.views if corpus.marks is None else [MARKS.get(mark) for mark in corpus.marks.tolist()]
    pages = corpus.names.gather(pl.Series(corpus.codes)).to_list()
    rows = list(zip(pages, marks, strict=True))
    return [rows[start:end] for start, end in pairwise(corpus.offsets.tolist())]


each_session = st.lists(st.tuples(st.sampled_from(PAGES), st.sampled_from([None, *PAGES, "never viewed"])), max_size=14)


@given(st.lists(each_session, max_size=6))
def test_it_is_what_a_stack_of_pages_shows(sessions: list[list[View]]) -> None:
    corpus, referrers = corpus_of(sessions)
    known = [[(page, came if corpus.code(came or "") is not None else None) for page, came in s] for s in sessions]
    assert marked(complete(corpus, referrers)) == [oracle(views) for views in known]


@given(st.lists(each_session, max_size=6))
def test_without_the_added_views_it_is_what_was_logged(sessions: list[list[View]]) -> None:
    corpus, referrers = corpus_of(sessions)
    full = complete(corpus, referrers)
    back, cached = inferred(full)
    assert full.views == corpus.views + back + cached <= 4 * corpus.views
    logged = full if full.marks is None else full.keep(full.marks == 0)
    assert logged.codes.tolist() == corpus.codes.tolist()
    assert logged.offsets.tolist() == corpus.offsets.tolist()
    assert logged.times is not None
    assert logged.times.tolist() == list(range(corpus.views))


@given(st.lists(each_session, max_size=6))
def test_an_added_view_has_the_time_of_the_view_that_shows_it(sessions: list[list[View]]) -> None:
    full = complete(*corpus_of(sessions))
    assert full.times is not None
    marks = np.zeros(full.views, dtype=np.uint8) if full.marks is None else full.marks
    following = [full.times[n + 1] for n in np.flatnonzero(marks)]
    assert full.times[np.flatnonzero(marks)].tolist() == following


@pytest.fixture(scope="module")
def mine(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    crm = new_crm(tmp_path_factory.mktemp("shop"))
    crm("logs", "mine", ROOT / "sample_logs" / "shop.log")
    return crm


def test_items_of_the_sample_shop_are_opened_from_the_list_that_the_cache_shows(mine: "Crm") -> None:
    truth = json.loads((ROOT / "sample_logs" / "shop.truth.json").read_text(encoding="utf-8"))
    wanted = []
    for session in truth["sessions"]:
        shown, listing = session["path"][:1], None
        for before, page in pairwise(session["path"]):
            listing = listing if before.startswith("/item/") else before
            from_list = page.startswith("/item/") and page != before  # the same item once more is it loaded anew
            if listing and before.startswith("/item/") and from_list:
                shown.append(f"{listing} back")
            shown.append(page)
        wanted.append(shown)
    found: dict[int, list[str]] = {}
    result = mine("paths", "views", "--complete", "-f", "json")
    for row in json.loads(result.stdout):
        found.setdefault(row["session"], []).append(" ".join(filter(None, (row["page"], row["inferred"]))))
    assert sorted(found.values()) == sorted(wanted)
    assert f"{sum(page.endswith(' back') for path in wanted for page in path)} by going back, 0 out of" in result.stderr


def test_the_views_can_be_read_again(mine: "Crm", tmp_path: Path) -> None:
    columns = ("--columns", "session,n,page,ts")
    wanted = mine.rows("paths", "views", "--complete", *columns)
    for name in ("views.csv", "views.parquet"):
        mine("paths", "views", "--complete", "-o", tmp_path / name)
        found = mine.rows("paths", "views", "--input", tmp_path / name, *columns)
        assert [{**row, "session": int(row["session"])} for row in found] == wanted


def test_all_views_are_logged_without_complete(mine: "Crm") -> None:
    rows = mine.rows("paths", "views")
    assert len(rows) == 2493
    assert [row["n"] for row in rows[:6]] == [1, 2, 3, 4, 5, 1]
    assert {row["inferred"] for row in rows} == {None}


def log_of(crm: "Crm", *views: tuple[str, str]) -> "Crm":
    """One session, a view a minute, each with its page and referrer."""
    lines = [crm.line(60 * n, page, referrer=came) for n, (page, came) in enumerate(views)]
    crm("logs", "mine", crm.log("access.log", *lines))
    return crm


def shown(crm: "Crm", *options: str) -> list[str]:
    rows = crm.rows("paths", "views", "--complete", *options)
    return [f"{row['page']} {row['inferred']}" if row["inferred"] else row["page"] for row in rows]


def test_going_back_and_another_tab_show_pages_once_more(crm: "Crm") -> None:
    log_of(
        crm,
        *(("/", "-"), ("/a", f"{SHOP}/"), ("/b", f"{SHOP}/a"), ("/c", f"{SHOP}/"), ("/d", f"{SHOP}/b?from=mail")),
    )
    assert shown(crm) == ["/", "/a", "/b", "/a back", "/ back", "/c", "/b cached", "/d"]


def test_a_reload_and_a_page_that_links_to_itself_show_nothing(crm: "Crm") -> None:
    log_of(crm, ("/", "-"), ("/a", f"{SHOP}/"), ("/b", f"{SHOP}/a"), ("/b", f"{SHOP}/a"), ("/b", f"{SHOP}/b"))
    assert shown(crm) == ["/", "/a", "/b", "/b", "/b"]


def test_search_engines_are_no_pages_of_the_site(crm: "Crm") -> None:
    log_of(
        crm,
        *(("/search", "https://cn.bing.com/search?q=wok"), ("/a", f"{SHOP}/search"), ("/b", f"{SHOP}/a")),
        *(("/c", "https://cn.bing.com/search?q=wok"), ("/", f"{SHOP}/c"), ("/a", f"{SHOP}/"), ("/d", f"{SHOP}/a")),
        *(("/e", "https://www.google.com/"), ("/d", f"{SHOP}/e"), ("/b", "https://cn.bing.com/")),
    )
    assert [page for page in shown(crm) if " " in page] == []


def test_the_configured_sites_are_taken_as_they_are(crm: "Crm") -> None:
    crm.configure("logs: {sessions: {sites: [SHOP.example]}}")
    views = (
        ("/", "-"),
        ("/a", "https://m.example/"),
        ("/b", "https://m.example/a"),
        ("/c", "http://www.shop.example:80/"),
    )
    log_of(crm, *views)
    assert shown(crm) == ["/", "/a", "/b", "/a back", "/ back", "/c"]


def test_logged_hosts_are_the_sites_own(crm: "Crm") -> None:
    lines = [
        f"shop.example:443 {crm.line(60 * n, page, referrer=came)}"
        for n, (page, came) in enumerate((("/", "-"), ("/a", "https://blog.example/"), ("/b", f"{SHOP}/")))
    ]
    crm("logs", "mine", crm.log("access.log", *lines))
    assert shown(crm) == ["/", "/a", "/ back", "/b"]


def test_addresses_become_pages_by_the_rules_of_the_workspace(crm: "Crm") -> None:
    crm.configure("logs: {pages: {query_keep: [id], numeric_ids: true}}")
    log_of(
        crm,
        *(("/list?id=2", "-"), ("/item/7", f"{SHOP}/list?id=2"), ("/cart", f"{SHOP}/item/7")),
        ("/pay", f"{SHOP}/list/?utm=x&id=2"),
    )
    assert shown(crm) == ["/list?id=2", "/item/*", "/cart", "/item/* back", "/list?id=2 back", "/pay"]


def test_equal_views_of_one_second_keep_their_referrers(crm: "Crm") -> None:
    lines = [
        crm.line(at, page, referrer=came)
        for at, page, came in (
            *((0, "/", "-"), (1, "/a", f"{SHOP}/"), (2, "/b", f"{SHOP}/a"), (3, "/c", f"{SHOP}/a")),
            *((3, "/c", f"{SHOP}/c"), (4, "/d", f"{SHOP}/c")),
        )
    ]
    crm("logs", "mine", crm.log("access.log", *lines))
    assert shown(crm) == ["/", "/a", "/b", "/a back", "/c", "/c", "/d"]


def test_a_file_may_name_pages_as_referrers(crm: "Crm", tmp_path: Path) -> None:
    file = tmp_path / "views.csv"
    file.write_text("session,page,referrer\n1,home,\n1,list,home\n1,item,list\n1,cart,home\n1,pay,/unknown\n")
    assert shown(crm, "--input", str(file)) == ["home", "list", "item", "list back", "home back", "cart", "pay"]


def test_a_file_without_referrers_cannot_be_completed(crm: "Crm", tmp_path: Path) -> None:
    file = tmp_path / "views.csv"
    file.write_text("session,page\n1,home\n")
    result = crm("paths", "views", "--complete", "--input", file, code=2)
    assert "has no referrers (a column `referrer`)" in result.stderr


def test_a_workspace_without_sessions_has_no_rows(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("access.log", crm.line(0, "/", status=404)))
    assert "no rows" in crm("paths", "views", "--complete").stderr
    assert crm.rows("paths", "views", "--complete") == []


@pytest.mark.reference
def test_the_pages_of_a_real_site_are_completed_as_a_stack_would(crm: "Crm", reference_data: Path) -> None:
    crm("logs", "mine", reference_data / "elastic_apache_logs" / "apache_logs.gz")
    workspace = crm.open()
    sessions = chronological(workspace.scan("sessions").filter(pl.col("bot").is_null()).collect())
    known = set(sessions["path"].explode())
    hits: dict[tuple[object, ...], list[str | None]] = {}
    for row in workspace.scan("hits").filter(is_view()).sort("line").collect().iter_rows(named=True):
        hits.setdefault((row["visitor"], row["ts"], row["page"]), []).append(row["referrer"])

    def page(referrer: str | None) -> str | None:
        parts = urlsplit(referrer or "")
        path = re.sub("/index.html$", "/", parts.path) or "/"
        name = path if path == "/" else path.removesuffix("/")
        return name if (parts.hostname or "").endswith("semicomplete.com") and name in known else None

    wanted = []
    for row in sessions.iter_rows(named=True):
        views = zip(row["path"], row["times"], strict=True)
        wanted += oracle([(name, page(hits[row["visitor"], ts, name].pop(0))) for name, ts in views])
    rows = crm.rows("paths", "views", "--complete")
    assert [(row["page"], row["inferred"]) for row in rows] == wanted
    assert Counter(mark for _, mark in wanted if mark) == {"back": 67, "cached": 124}
