"""Sequential patterns against an oracle that tries every one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.paths import growth, inputs, projection
from plugins.paths.corpus import Corpus
from plugins.paths.patterns import Wanted, mine

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SESSIONS = st.lists(st.lists(st.sampled_from("abcd"), max_size=7), max_size=6)
KINDS = ("frequent", "closed", "maximal")
GAPS = st.sampled_from([None, None, 0, 1, 2])


@settings(max_examples=250)
@given(
    sessions=SESSIONS,
    minimum=st.integers(1, 3),
    gap=GAPS,
    kind=st.sampled_from(KINDS),
    few=st.sampled_from([0, 1_000_000]),
    batch=st.sampled_from([1, 7, growth.BATCH]),
)
def test_patterns_are_those_of_the_oracle(
    oracle: Any,
    corpus_of: Any,
    as_dict: Any,
    sessions: list[list[str]],
    minimum: int,
    gap: int | None,
    kind: Any,
    few: int,
    batch: int,
) -> None:
    """Closed and maximal ones are told from all frequent ones (`few`), or judged while they grow."""
    corpus = corpus_of(sessions)
    with patch("plugins.paths.patterns.FEW", few), patch("plugins.paths.growth.BATCH", batch):
        found = as_dict(mine(corpus, Wanted(minimum, kind, max_gap=gap)), corpus)
    every = oracle.frequent(sessions, minimum, gap)
    assert found == (every if kind == "frequent" else getattr(oracle, kind)(every, gap))


@settings(max_examples=100)
@given(
    sessions=SESSIONS,
    lengths=st.tuples(st.integers(1, 3), st.integers(0, 3)),
    gap=GAPS,
)
def test_lengths_choose_among_the_frequent_ones(
    oracle: Any, corpus_of: Any, as_dict: Any, sessions: list[list[str]], lengths: tuple[int, int], gap: int | None
) -> None:
    least, most = lengths[0], lengths[0] + lengths[1]
    corpus = corpus_of(sessions)
    found = mine(corpus, Wanted(1, min_length=least, max_length=most, max_gap=gap))
    every = oracle.frequent(sessions, 1, gap)
    assert as_dict(found, corpus) == {p: count for p, count in every.items() if least <= len(p) <= most}


@settings(max_examples=100)
@given(
    sessions=SESSIONS,
    most=st.integers(1, 4),
    kind=st.sampled_from(("closed", "maximal")),
    few=st.sampled_from([0, 1_000_000]),
)
def test_a_pattern_as_long_as_allowed_may_be_contained_in_a_longer_one(
    oracle: Any, corpus_of: Any, as_dict: Any, sessions: list[list[str]], most: int, kind: Any, few: int
) -> None:
    corpus = corpus_of(sessions)
    with patch("plugins.paths.patterns.FEW", few):
        found = as_dict(mine(corpus, Wanted(1, kind, max_length=most)), corpus)
    wanted = getattr(oracle, kind)(oracle.frequent(sessions, 1))
    assert found == {pattern: count for pattern, count in wanted.items() if len(pattern) <= most}


@settings(max_examples=150)
@given(
    sessions=SESSIONS,
    top=st.integers(1, 8),
    gap=GAPS,
    kind=st.sampled_from(KINDS),
    length=st.integers(1, 3),
    few=st.sampled_from([0, 1_000_000]),
)
def test_the_top_ones_are_the_most_frequent_then_by_name(
    oracle: Any, corpus_of: Any, sessions: list[list[str]], top: int, gap: int | None, kind: Any, length: int, few: int
) -> None:
    corpus = corpus_of(sessions)
    with patch("plugins.paths.patterns.FEW", few):
        found = mine(corpus, Wanted(1, kind, max_gap=gap, min_length=length, top=top))
    every = oracle.frequent(sessions, 1, gap)
    wanted = every if kind == "frequent" else getattr(oracle, kind)(every, gap)
    rows = sorted(((-count, " > ".join(p)) for p, count in wanted.items() if len(p) >= length))[:top]
    frame = found.frame(corpus.names, corpus.sessions).head(top)
    assert list(zip(frame["support"], frame["pattern"], strict=True)) == [(-count, text) for count, text in rows]


@settings(max_examples=150)
@given(sessions=SESSIONS, most=st.integers(1, 12), gap=GAPS, kind=st.sampled_from(KINDS))
def test_of_too_many_all_of_a_higher_support_are_left(
    oracle: Any, corpus_of: Any, as_dict: Any, sessions: list[list[str]], most: int, gap: int | None, kind: Any
) -> None:
    corpus = corpus_of(sessions)
    found = mine(corpus, Wanted(1, kind, max_gap=gap, most=most))
    every = oracle.frequent(sessions, found.minimum, gap)
    wanted = every if kind == "frequent" else getattr(oracle, kind)(every, gap)
    assert as_dict(found, corpus) == wanted
    assert found.count <= most
    if kind == "frequent" and found.minimum > 1:  # one less would have been too many
        assert len(oracle.frequent(sessions, found.minimum - 1, gap)) > most


@pytest.fixture(scope="module")
def views() -> Corpus:
    """Sessions like those of a site: few pages are frequent, and there are more patterns than a batch holds."""
    dice = np.random.default_rng(3)
    lengths = dice.geometric(1 / 5, 800)
    pages = np.minimum(dice.zipf(1.4, int(lengths.sum())), 40)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    names = pl.Series([f"/{number:02}" for number in range(41)])
    return Corpus(names, pages.astype(np.int32), offsets)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("top", [1, 10, 60, 300])
def test_the_top_ones_are_the_first_of_all_while_the_minimum_rises(views: Corpus, kind: Any, top: int) -> None:
    """Batches that are worked on at the same time raise it for each other."""
    every = mine(views, Wanted(5, kind)).frame(views.names, views.sessions)
    for batch in (50, growth.BATCH):
        with patch("plugins.paths.growth.BATCH", batch):
            found = mine(views, Wanted(5, kind, top=top)).frame(views.names, views.sessions)
        assert found.head(top).equals(every.head(top))


@pytest.mark.parametrize("kind", KINDS)
def test_of_too_many_none_is_counted_wrongly_while_the_minimum_rises(views: Corpus, kind: Any) -> None:
    for batch in (50, growth.BATCH):
        with patch("plugins.paths.growth.BATCH", batch), patch("plugins.paths.patterns.FEW", 0):
            found = mine(views, Wanted(3, kind, most=100))
        every = mine(views, Wanted(found.minimum, kind))
        assert found.frame(views.names, views.sessions).equals(every.frame(views.names, views.sessions))
        assert 0 < found.count <= 100


def test_long_sessions_that_repeat_each_other_have_few_closed_patterns(corpus_of: Any, as_dict: Any) -> None:
    """Of 40 pages in two like sessions, 2^40 patterns are frequent, and one is closed."""
    path = [f"/{number:02}" for number in range(40)]
    corpus = corpus_of([path, path, ["/00", "/39"]])
    with patch("plugins.paths.patterns.FEW", 1000):
        closed = as_dict(mine(corpus, Wanted(2, "closed")), corpus)
        maximal = as_dict(mine(corpus, Wanted(2, "maximal")), corpus)
    assert closed == {tuple(path): 2, ("/00", "/39"): 3}
    assert maximal == {tuple(path): 2}


def test_sessions_that_hardly_differ_end_at_the_limit(corpus_of: Any, as_dict: Any) -> None:
    """Each of 20 swapped neighbours doubles the closed patterns, all of which lie at the end of long candidates."""
    path = [f"/{number:02}" for number in range(40)]
    swapped = [path[number ^ 1] for number in range(40)]
    corpus = corpus_of([path, swapped, ["/00", "/39"]])
    for kind in ("closed", "maximal"):
        found = mine(corpus, Wanted(2, kind, most=20_000))
        assert (found.minimum, as_dict(found, corpus)) == (3, {("/00", "/39"): 3})
    assert as_dict(mine(corpus_of([path, swapped] * 2), Wanted(3, "closed", max_length=1)), corpus) == {}


def test_frequent_patterns_of_such_sessions_end_at_the_limit(corpus_of: Any, as_dict: Any) -> None:
    path = [f"/{number:02}" for number in range(40)]
    corpus = corpus_of([path, path, ["/00", "/39"]])
    found = mine(corpus, Wanted(1, most=5000))
    assert found.minimum == 3
    assert as_dict(found, corpus) == {("/00",): 3, ("/39",): 3, ("/00", "/39"): 3}


def test_the_newest_sessions_that_fit_are_taken(corpus_of: Any) -> None:
    corpus = corpus_of(["abcd", "aaaa", "ab", "abc"])  # 6, 3, 1 and 3 followers
    with patch("plugins.paths.projection.MOST_OF_ONE", 1):
        left = [projection.fitting(corpus, most).sessions for most in (16, 13, 12, 9, 7, 6, 4, 3)]
    assert left == [4, 4, 3, 3, 3, 3, 4, 3]  # the last ones of sessions cut at three views, then at two


def test_one_long_session_leaves_room_for_others(corpus_of: Any) -> None:
    corpus = corpus_of(["ab"] * 5 + [[f"/{number}" for number in range(1000)]])
    found = projection.fitting(corpus, 20_000)
    assert (found.sessions, found.lengths.max()) == (6, 20)
    assert projection.fitting(corpus, 1_000_000) is corpus


def test_ten_thousand_pages_need_no_room_for_all_pairs_of_pages(corpus_of: Any, as_dict: Any) -> None:
    sessions = [[f"/{number:05}", f"/{number + 1:05}", "/end"] for number in range(10_000)]
    corpus = corpus_of(sessions + sessions[:5])
    found = as_dict(mine(corpus, Wanted(4)), corpus)
    often = [f"/{number:05}" for number in range(1, 5)]
    assert found == {("/end",): 10_005} | {(page,): 4 for page in often} | {(page, "/end"): 4 for page in often}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("file", "support", "count"), [("MSNBC.spmf.gz", 0.1, 338), ("SIGN.spmf", 0.5, 173), ("SIGN.spmf", 0.4, 518)]
)
def test_published_numbers_of_patterns_are_found(
    reference_data: Path, crm: "Crm", file: str, support: float, count: int
) -> None:
    data = reference_data / "sequences" / file
    options = ("--input", data, "--input-format", "spmf", "--min-support", support)
    rows = crm.rows("paths", "patterns", *options)
    assert len(rows) == count
    assert len(crm.rows("paths", "patterns", *options, "--closed")) <= count


@pytest.mark.reference
def test_a_tenth_of_the_support_gives_the_published_number_in_either_way(reference_data: Path) -> None:
    data = (reference_data / "sequences" / "MSNBC.spmf.gz").read_bytes()
    corpus = Corpus.of(inputs.read(data, "spmf", "MSNBC").sessions["path"])
    assert mine(corpus, Wanted(318)).count == 45_279


class TestCommand:
    @pytest.fixture
    def site(self, crm: "Crm") -> "Crm":
        """Three sessions: a b c, a x b c, b a."""
        paths = {1: ("/a", "/b", "/c"), 2: ("/a", "/x", "/b", "/c"), 3: ("/b", "/a")}
        lines = [crm.line(60 * n, page, who=who) for who, pages in paths.items() for n, page in enumerate(pages)]
        crm("logs", "mine", crm.log("a.log", *lines))
        return crm

    def patterns(self, site: "Crm", *options: object) -> list[tuple[str, int]]:
        return [(row["pattern"], row["support"]) for row in site.rows("paths", "patterns", *options)]

    def test_prints_pattern_length_support_and_share(self, site: "Crm") -> None:
        rows = site.rows("paths", "patterns", "--min-support", "2", "--min-length", "2")
        assert rows == [
            {"pattern": text, "length": len(text.split(" > ")), "support": 2, "share": pytest.approx(2 / 3)}
            for text in ("/a > /b", "/a > /b > /c", "/a > /c", "/b > /c")
        ]

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (("--min-support", "100%"), [("/a", 3), ("/b", 3)]),
            (("--min-support", "0.67", "--max-length", "1"), [("/a", 3), ("/b", 3)]),
            (("--min-support", "2", "--closed"), [("/a", 3), ("/b", 3), ("/a > /b > /c", 2)]),
            (("--min-support", "2", "--maximal"), [("/a > /b > /c", 2)]),
            (("--contiguous", "--min-support", "2", "--min-length", "2"), [("/b > /c", 2)]),
            (("--max-gap", "1", "--min-support", "2", "--maximal"), [("/a > /b > /c", 2)]),
            (("--top", "3"), [("/a", 3), ("/b", 3), ("/a > /b", 2)]),
            (("--where", "entry = '/b'", "--min-length", "2"), [("/b > /a", 1)]),
            (("--max-views", "2", "--min-support", "2"), [("/a", 3), ("/b", 2)]),
        ],
    )
    def test_options_choose(self, site: "Crm", options: tuple[str, ...], found: list[tuple[str, int]]) -> None:
        assert self.patterns(site, *options) == found

    def test_it_says_how_many_sessions_and_that_long_ones_are_cut(self, site: "Crm") -> None:
        said = site("paths", "patterns", "--max-views", "3").stderr
        assert "1 session has more than 3 views, of which only the first 3 count (--max-views)" in said
        assert "3 sessions with 8 views" in said

    def test_what_does_not_fit_in_memory_is_a_warning(self, site: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("plugins.paths.projection.fitting.__defaults__", (6,))
        monkeypatch.setattr("plugins.paths.projection.MOST_OF_ONE", 1)
        done = site("paths", "patterns", "--min-support", "1", "--max-length", "1", "-f", "csv")
        assert done.stdout.splitlines()[1] == "/a,1,2,1.0"
        assert (
            "warning: more do not fit in memory than the newest 2 of 3 sessions, of each 3 views at most" in done.stderr
        )
        done = site("paths", "patterns", "--contiguous", "--min-support", "3", "-f", "csv")
        assert done.stdout.splitlines()[1:] == ["/a,1,3,1.0", "/b,1,3,1.0"]

    def test_too_many_candidates_are_a_warning(self, site: "Crm") -> None:
        site.configure("paths: {max_candidates: 4}")
        done = site("paths", "patterns", "--min-support", "1", "-f", "csv")
        assert done.stdout.splitlines()[1:] == ["/a,1,3,1.0", "/b,1,3,1.0"]
        assert (
            "warning: there are more than 4 patterns (paths.max_candidates): all that are in 3 sessions" in done.stderr
        )

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--min-support", "0"), "support must be more than 0"),
            (("--min-support", "0.0"), "support must be more than 0"),
            (("--min-support", "1.5"), "`1.5` is a share of more than all sessions"),
            (("--min-support", "150%"), "`150%` is a share of more than all sessions"),
            (("--min-support", "few"), "`few` is neither a share of the sessions such as 0.01 or 1% nor a number"),
            (("--closed", "--maximal"), "--closed and --maximal exclude each other"),
            (("--contiguous", "--max-gap", "2"), "--contiguous means --max-gap 0"),
            (("--min-length", "5", "--max-length", "2"), "--min-length 5 is more than --max-length 2"),
            (("--where", ""), "write one such as: views > 3 and entry like '/c/%'"),
            (("--input-format", "spmf"), "--input-format is about a file"),
            (("--segment", "nobody"), "no segment `nobody`"),
            (("--where", "pages > 1"), "there is no column `pages`"),
        ],
    )
    def test_mistakes_are_told(self, site: "Crm", options: tuple[str, ...], said: str) -> None:
        assert said in site("paths", "patterns", *options, code=2).stderr

    def test_more_support_than_sessions_and_no_session_give_no_rows(self, site: "Crm") -> None:
        done = site("paths", "patterns", "--min-support", "50", "-f", "csv")
        assert (done.stdout, done.stderr) == ("pattern,length,support,share\n", "3 sessions with 9 views\nno rows\n")
        done = site("paths", "patterns", "--since", "2030-01-01", "-f", "csv")
        assert (done.stdout, done.stderr) == ("pattern,length,support,share\n", "0 sessions with 0 views\nno rows\n")
