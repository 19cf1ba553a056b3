"""`crm paths clusters`."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from plugins.paths.clusters import Clusters, of_pages, of_people
from plugins.paths.corpus import Corpus
from plugins.paths.partition import clustered, counts, idf, weighted

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SAMPLE = Path(__file__).parents[3] / "sample_logs"
PATHS = st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=14)


def corpus_of(paths: list[list[str]]) -> Corpus:
    return Corpus.of(pl.Series("path", paths, dtype=pl.List(pl.String)))


def numbered(count: int, name: str = "session") -> pl.Series:
    return pl.Series(name, range(count), dtype=pl.Int64)


def planted(kinds: int, sessions: int, seed: int = 0) -> tuple[Corpus, list[int]]:
    """Sessions of several kinds, each with six pages of its own and one page in common; and their kinds."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, kinds, sessions)
    paths = [["home", *(f"{one}/{page}" for page in rng.integers(0, 6, 5))] for one in kind]
    return corpus_of(paths), kind.tolist()


def vectors(rows: list[Counter[str]]) -> list[dict[str, float]]:
    """TF-IDF, row by row."""
    having = Counter(feature for row in rows for feature in row)
    found = []
    for row in rows:
        idf = {feature: 1 + math.log((1 + len(rows)) / (1 + having[feature])) for feature in row}
        raw = {feature: (1 + math.log(count)) * idf[feature] for feature, count in row.items()}
        length = math.sqrt(sum(value**2 for value in raw.values()))
        found.append({feature: value / length for feature, value in raw.items()})
    return found


def cosines(rows: list[dict[str, float]], labels: list[int]) -> list[float]:
    """The cosine of each row and the mean of its cluster."""
    found = []
    for row, label in zip(rows, labels, strict=True):
        middle: Counter[str] = Counter()
        for other, its in zip(rows, labels, strict=True):
            middle.update(other if its == label else {})
        length = math.sqrt(sum(value**2 for value in middle.values()))
        found.append(sum(value * middle[feature] for feature, value in row.items()) / length)
    return found


def described(paths: list[list[str]], labels: list[int]) -> list[dict[str, Any]]:
    """The table of clusters of sessions, cluster by cluster."""
    likeness = cosines(vectors([Counter(path) for path in paths]), labels)
    rows = []
    for label in sorted(set(labels)):
        inside = [path for path, its in zip(paths, labels, strict=True) if its == label]
        others = [path for path, its in zip(paths, labels, strict=True) if its != label]
        surplus = {
            page: sum(page in path for path in inside) / len(inside)
            - sum(page in path for path in others) / max(1, len(others))
            for page in sorted({page for path in inside for page in path})
        }
        near = [round(value, 9) for value, its in zip(likeness, labels, strict=True) if its == label]
        nearest = Counter(tuple(path) for path, value in zip(inside, near, strict=True) if value >= max(near) - 2e-9)
        best = sorted(page for page in surplus if surplus[page] > 1e-9)
        rows.append(
            {
                "cluster": label + 1,
                "size": len(inside),
                "share": pytest.approx(len(inside) / len(paths)),
                "views": pytest.approx(sum(map(len, inside)) / len(inside)),
                "coherence": pytest.approx(sum(near) / len(near)),
                "distinguishing": sorted(best, key=lambda page: -round(surplus[page], 9))[:5],
                "typical": list(min(nearest, key=lambda path: (-nearest[path], path))),
            }
        )
    return rows


@given(PATHS, st.integers(1, 4))
def test_clusters_are_described_as_a_slow_count_describes_them(paths: list[list[str]], number: int) -> None:
    found = of_people(corpus_of(paths), numbered(len(paths)), [number])
    used = [path for path in paths if path]
    assert found.left_out == len(paths) - len(used)
    assert found.table.to_dicts() == described(used, found.found.labels.tolist())
    sizes = found.table["size"].to_list()
    assert sizes == sorted(sizes, reverse=True)


@given(PATHS.filter(any))
def test_rows_are_weighted_by_tf_idf(paths: list[list[str]]) -> None:
    corpus = corpus_of([path for path in paths if path])
    seen = counts(corpus.session_of, corpus.codes, (corpus.sessions, corpus.pages))
    wanted = vectors([Counter(path) for path in paths if path])
    found = weighted(seen, idf(seen)).toarray()
    assert [dict(zip(corpus.names, row, strict=True)) for row in found.tolist()] == [
        {page: pytest.approx(row.get(page, 0)) for page in corpus.names} for row in wanted
    ]


@pytest.mark.parametrize("kinds", [2, 3, 5, 8])
def test_the_silhouette_finds_how_many_kinds_there_are(kinds: int) -> None:
    corpus, truth = planted(kinds, 400)
    found = of_people(corpus, numbered(400), range(2, 11))
    assert found.found.count == kinds
    assert adjusted_rand_score(truth, found.found.labels) == 1
    assert list(found.found.silhouettes) == list(range(2, 11))


def test_rows_that_were_not_looked_at_join_the_nearest_cluster() -> None:
    corpus, truth = planted(4, 2_000)
    seen = counts(corpus.session_of, corpus.codes, (corpus.sessions, corpus.pages))
    found = clustered(weighted(seen, idf(seen)), range(2, 8), fitted=100)
    assert (found.fitted, found.count) == (100, 4)
    assert adjusted_rand_score(truth, found.labels) > 0.99


def test_the_same_input_gives_the_same_clusters_on_any_number_of_processors() -> None:
    corpus, _ = planted(3, 300)
    tables = []
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            found = of_people(corpus, numbered(300), range(2, 7), seed=5)
        tables.append((found.rows(), found.table, found.found.silhouettes))
    assert all(rows.equals(tables[0][0]) and table.equals(tables[0][1]) for rows, table, _ in tables)
    assert tables[0][2] == tables[1][2] == tables[2][2]


@settings(max_examples=30)
@given(st.lists(st.sampled_from((["a"], ["b", "c"], ["d"])), max_size=9), st.integers(1, 9))
def test_what_is_equal_is_never_parted(paths: list[list[str]], number: int) -> None:
    found = of_people(corpus_of(paths), numbered(len(paths)), [number])
    labels = found.found.labels.tolist()
    together = {(tuple(path), label) for path, label in zip(paths, labels, strict=True)}
    different = {tuple(path) for path in paths}
    assert len(together) == len(different)
    assert found.found.count == min(number, len(different))


def test_clusters_of_one_size_go_by_their_first_distinguishing_page() -> None:
    found = of_people(corpus_of([["z", "y"], ["b", "c"], ["z", "y"], ["b", "c"]]), numbered(4), [2])
    assert found.table["distinguishing"].to_list() == [["b", "c"], ["y", "z"]]
    assert found.rows()["session"].to_list() == [1, 3, 0, 2]


def test_of_paths_as_near_the_most_frequent_is_typical() -> None:
    paths = [["a", "b"], ["b", "a"], ["b", "a"], ["c", "d"], ["d", "c"]]
    assert of_people(corpus_of(paths), numbered(5), [2]).table["typical"].to_list() == [["b", "a"], ["c", "d"]]


def test_a_visitor_is_all_of_its_sessions() -> None:
    paths = [["a"], ["x"], ["b"], ["y"], ["a", "b"], ["x", "y"], ["c"]]
    who = pl.Series("visitor", ["one", "two", "one", "two", "three", "four", None])
    found = of_people(corpus_of(paths), who, [2])
    assert found.rows().select("cluster", "visitor").rows() == [(1, "one"), (1, "three"), (2, "four"), (2, "two")]
    assert found.table["views"].to_list() == [2, 2]
    assert found.left_out == 1
    # One session of a visitor is what it is, not all of the visitor's together.
    assert found.table["typical"].to_list() == [["a", "b"], ["x", "y"]]


def pages() -> Clusters:
    sessions = [["a", "b"], ["b", "a", "a"], ["x", "y", "z"], ["y", "x"], ["z", "x"], ["y", "once"]]
    return of_pages(corpus_of(sessions), [2])


def test_pages_that_the_same_sessions_view_are_together() -> None:
    assert pages().table.drop("coherence").to_dicts() == [
        {"cluster": 1, "size": 3, "share": 0.6, "sessions": 4, "pages": ["x", "y", "z"]},
        {"cluster": 2, "size": 2, "share": 0.4, "sessions": 2, "pages": ["a", "b"]},
    ]
    assert pages().left_out == 1
    assert pages().rows().filter(cluster=2).rows() == [(2, "a", 1.0), (2, "b", 1.0)]


def mined(crm: "Crm") -> dict[int, str]:
    """Mine the sample log; the kind of each of its sessions."""
    crm("logs", "mine", SAMPLE / "shop.log")
    truth = json.loads((SAMPLE / "shop.truth.json").read_text())["sessions"]
    sessions = crm.open().scan("sessions").filter(pl.col("bot").is_null()).sort("start", "session").collect()
    kinds = {(each["start"], tuple(each["path"])): each["kind"] for each in truth}
    return {
        session: kinds[start.isoformat(), tuple(path)]
        for session, start, path in sessions.select("session", "start", "path").iter_rows()
    }


def test_the_kinds_of_sessions_of_the_sample_shop_are_found_again(crm: "Crm") -> None:
    kinds = mined(crm)
    found = crm.rows("paths", "clusters", "--members")
    assert adjusted_rand_score([kinds[row["session"]] for row in found], [row["cluster"] for row in found]) > 0.8
    rows = crm.rows("paths", "clusters")
    assert [row["distinguishing"].split(", ")[0] for row in rows] == ["/c/food", "/cart", "/search"]
    assert sum(row["size"] for row in rows) == len(found) == 285
    said = crm("paths", "clusters").stderr
    assert said.startswith("285 sessions, 3 clusters; mean silhouette of 2: 0.7")


def shop(crm: "Crm") -> None:
    """Eight visitors: five look at /a and /b, three at /x and /y."""
    lines = [crm.line(60 * n, page, who=who) for who in range(1, 6) for n, page in enumerate(("/a", "/b"))]
    lines += [crm.line(60 * n, page, who=who) for who in range(6, 9) for n, page in enumerate(("/x", "/y"))]
    crm("logs", "mine", crm.log("access.log", *lines))


def test_saved_clusters_are_segments(crm: "Crm") -> None:
    shop(crm)
    said = crm("paths", "clusters", "--of", "visitors", "--clusters", 2, "--save", "taste").stderr
    assert "saved 2 segments, taste-1 to taste-2" in said
    sizes = [sum(row["size"] for row in crm.rows("paths", "clusters", "--segment", f"taste-{n}")) for n in (1, 2)]
    assert sizes == [5, 3]
    members = crm.open().scan("segment_members").collect()
    visitors = crm.rows("paths", "clusters", "--of", "visitors", "--clusters", 2, "--members")
    assert set(members.rows()) == {(f"taste-{row['cluster']}", f"visitor:{row['visitor']}") for row in visitors}


def test_saving_anew_leaves_no_segment_of_before(crm: "Crm") -> None:
    shop(crm)
    for name, number in (("taste", 2), ("taste-1", 2), ("taste", 1)):
        crm("paths", "clusters", "--of", "visitors", "--clusters", number, "--save", name)
    counted = Counter(crm.open().scan("segment_members").collect()["segment"])
    assert counted == {"taste-1": 8, "taste-1-1": 5, "taste-1-2": 3}


def test_nothing_found_leaves_segments_as_they_were(crm: "Crm") -> None:
    shop(crm)
    save = ("paths", "clusters", "--of", "visitors", "--save", "taste")
    crm(*save)
    assert "segments stay as they were" in crm(*save, "--where", "views > 100").stderr
    assert len(crm.open().scan("segment_members").collect()) == 8


def test_saving_waits_for_nobody(crm: "Crm") -> None:
    shop(crm)
    with crm.open().lock():
        crm("paths", "clusters", "--of", "visitors", "--save", "taste", code=5)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--save", "taste"), "add --of visitors"),
        (("--save", "taste", "--of", "pages"), "add --of visitors"),
        (("--save", "a b", "--of", "visitors"), "`a b` is no name"),
        (("--save", "", "--of", "visitors"), "is no name"),
        (("--save", "taste", "--of", "visitors", "--input", __file__), "--input names a file"),
        (("--clusters", "3", "--max-clusters", "5"), "--max-clusters is about choosing"),
        (("--clusters", "0"), "--clusters"),
        (("--max-clusters", "1"), "--max-clusters"),
    ],
)
def test_calls_that_make_no_sense_are_refused(crm: "Crm", words: tuple[str, ...], reason: str) -> None:
    assert reason in crm("paths", "clusters", *words, code=2).stderr


def test_too_few_different_rows_give_fewer_clusters(crm: "Crm") -> None:
    file = crm.log("few.baskets", "a,b", "a,b", "c", "c")
    result = crm("paths", "clusters", "--input", file, "--clusters", 5)
    assert "fewer clusters than 5: too few sessions are different" in result.stderr
    assert len(crm.rows("paths", "clusters", "--input", file, "--clusters", 5)) == 2
    same = crm.log("same.baskets", "a,b", "a,b", "a,b")
    assert [row["coherence"] for row in crm.rows("paths", "clusters", "--input", same)] == [1]
    assert "too few sessions are different" in crm("paths", "clusters", "--input", same).stderr


@pytest.mark.parametrize("of", ["sessions", "visitors", "pages"])
def test_no_session_gives_no_rows(crm: "Crm", of: str) -> None:
    shop(crm)
    assert "no rows" in crm("paths", "clusters", "--of", of, "--where", "views > 100").stderr


def test_one_session_is_one_cluster(crm: "Crm") -> None:
    (row,) = crm.rows("paths", "clusters", "--input", crm.log("one.spmf", "1 -1 2 -1 -2"))
    assert (row["size"], row["typical"]) == (1, ["1", "2"])


def test_pages_may_count_as_their_categories(crm: "Crm") -> None:
    crm.configure("site:\n  categories:\n  - {page: '/item/*', category: items}\n  - {page: '/c/*', category: lists}\n")
    lines = [crm.line(0, f"/item/{who}", who=who) for who in (1, 2, 3)] + [crm.line(0, "/c/1", who=4)]
    crm("logs", "mine", crm.log("access.log", *lines, crm.line(0, "/", who=5)))
    rows = crm.rows("paths", "clusters", "--by", "category")
    assert [(row["size"], row["distinguishing"]) for row in rows] == [(3, "items"), (1, "lists")]
    assert "1 left out: sessions without a view" in crm("paths", "clusters", "--by", "category").stderr
