"""`crm paths next` and `crm paths evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SHOP = Path(__file__).parents[3] / "sample_logs" / "shop.log"


def baskets_of(crm: "Crm", *paths: str) -> Path:
    """A file of sessions, each written as its pages, with a view a second; later ones begin later."""
    rows = [
        f"{number},{page},2026-03-02T{number:02}:00:{at:02}Z"
        for number, path in enumerate(paths)
        for at, page in enumerate(path.split())
    ]
    return crm.log("sessions.csv", "session,page,ts", *rows)


@pytest.fixture
def three(crm: "Crm") -> tuple["Crm", Path]:
    return crm, baskets_of(crm, "/ /a", "/ /a", "/ /b")


def test_next_gives_smoothed_probabilities(three: tuple["Crm", Path]) -> None:
    crm, file = three
    # Bigrams count 3, 2 and 1, so the discount is 1 / (1 + 2 * 1); every page follows one other; 2 kinds follow /.
    rest = (1 / 3 * 2) / 3 / 3
    assert crm.rows("paths", "next", "/", "--order", 1, "--input", file) == [
        {"rank": 1, "page": "/a", "probability": pytest.approx(5 / 9 + rest), "count": 2, "context": "/"},
        {"rank": 2, "page": "/b", "probability": pytest.approx(2 / 9 + rest), "count": 1, "context": "/"},
        {"rank": 3, "page": "/", "probability": pytest.approx(rest), "count": 3, "context": None},
    ]
    assert "/: seen 3 times, 0 of them at the end" in crm("paths", "next", "/", "--input", file).stderr


def test_next_looks_back_as_far_as_order_says(crm: "Crm") -> None:
    file = baskets_of(crm, "/x / /a", "/x / /a", "/y / /b", "/y / /b", "/z / /b")
    call = ("paths", "next", "/x", "/", "--input", file)
    assert [row["page"] for row in crm.rows(*call, "-n", 1)] == ["/a"]
    assert [row["page"] for row in crm.rows(*call, "-n", 1, "--order", 1)] == ["/b"]
    assert crm.rows(*call, "-n", 1)[0]["context"] == "/x > /"


def test_next_can_know_that_the_session_has_just_begun(crm: "Crm") -> None:
    file = baskets_of(crm, "/ /a", "/ /a", "/ /a", "/x / /b", "/x / /b", "/y / /b", "/z / /b", "/z / /b")
    call = ("paths", "next", "/", "--input", file, "-n", 1)
    assert [(row["page"], row["context"]) for row in crm.rows(*call)] == [("/b", "/")]
    assert [(row["page"], row["context"]) for row in crm.rows(*call, "--from-start")] == [("/a", "(start) > /")]


def test_next_backs_off_from_what_nobody_did_and_says_so(three: tuple["Crm", Path]) -> None:
    crm, file = three
    found = crm("paths", "next", "/b", "/", "--input", file, "-n", 1, "--columns", "page,context")
    assert found.stdout.split() == ["page", "context", *["-" * 6, "-" * 9], "/a", "/"]
    assert "no session goes on from /b > /; predicted from /\n" in found.stderr
    exits = crm("paths", "next", "/b", "--input", file)
    assert "no session goes on from /b; predicted from how many different pages each page follows\n" in exits.stderr


def test_next_names_the_page_that_an_unknown_one_looks_like(three: tuple["Crm", Path]) -> None:
    crm, file = three
    found = crm("paths", "next", "/", "/aa", "--input", file, code=6)
    assert "no session has the page `/aa` (did you mean `/a`?)" in found.stderr


def test_next_lists_ten_pages_unless_told_otherwise(crm: "Crm") -> None:
    file = baskets_of(crm, " ".join(f"/{number}" for number in range(12)))
    assert len(crm.rows("paths", "next", "/3", "--input", file)) == 10
    assert "the first 10 of 12 pages" in crm("paths", "next", "/3", "--input", file).stderr
    for limit in (3, 11, 12):
        found = crm("paths", "next", "/3", "--input", file, "-n", limit, "-f", "csv")
        assert len(found.stdout.splitlines()) == 1 + limit
        assert "the first" not in found.stderr


def test_next_and_evaluate_look_at_the_workspace_and_its_filters(crm: "Crm") -> None:
    log = [crm.line(10 * at + 86_400 * day, page, who=day + 1) for day in range(5) for at, page in enumerate("ab")]
    lines = [line.replace("GET ", "GET /") for line in log]
    crm("logs", "mine", crm.log("access.log", *lines))
    assert crm.rows("paths", "next", "/a", "-n", 1)[0]["count"] == 5
    assert crm.rows("paths", "next", "/a", "-n", 1, "--since", "2026-03-05")[0]["count"] == 2
    assert [row["steps"] for row in crm.rows("paths", "evaluate")] == [1, 1, 1]
    assert [row["steps"] for row in crm.rows("paths", "evaluate", "--where", "views > 2")] == []


@pytest.mark.parametrize("paths", [(), ("/",), ("/ /a",)])
@pytest.mark.parametrize("call", [("next", "/"), ("evaluate",)])
def test_hardly_any_session_is_no_mistake(crm: "Crm", paths: tuple[str, ...], call: tuple[str, ...]) -> None:
    found = crm("paths", *call, "--input", baskets_of(crm, *paths))
    assert ("no rows" in found.stderr) == (call == ("evaluate",) or not paths)


def test_evaluate_tests_at_every_step_of_the_newest_sessions(crm: "Crm") -> None:
    # Views: / 4, /a 3, /b 2, /c 1, /d 1. Behind /: /a 2, /b 2, and after /x > /, which is not seen, the same.
    old = ["/ /a", "/ /a", "/ /b", "/ /b /a /c /d"]
    newest = "/ /c /new"
    found = crm("paths", "evaluate", "--input", baskets_of(crm, *old, newest), "-f", "csv")
    header, *rows = found.stdout.splitlines()
    assert header == "model,steps,hit_rate_1,hit_rate_5,hit_rate_10,mrr"
    assert rows[1:] == ["first order,2,0.0,0.5,0.5,0.125", "popularity,2,0.0,0.5,0.5,0.125"]
    assert rows[0].startswith("kneser-ney,2,")
    assert "learned from 4 sessions, tested with the 1 session after them" in found.stderr
    assert "pages that no older session has came at 1 of 2 steps" in found.stderr


def test_evaluate_takes_the_newest_sessions_wherever_they_stand_in_the_file(crm: "Crm") -> None:
    file = baskets_of(crm, "/ /a", "/ /a", "/ /a", "/ /a", "/ /b")
    header, *rows = file.read_text().splitlines()
    crm.log(file.name, header, *rows[::-1])
    first = crm.rows("paths", "evaluate", "--input", file)[1]
    assert (first["steps"], first["hit_rate_10"]) == (1, 0)
    half = crm.rows("paths", "evaluate", "--input", file, "--test-share", 0.6)[1]
    assert (half["steps"], half["hit_rate_1"]) == (3, pytest.approx(2 / 3))


@pytest.mark.parametrize("share", ["0", "1", "x"])
def test_a_test_share_that_leaves_nothing_is_a_mistake(crm: "Crm", share: str) -> None:
    assert "--test-share" in crm("paths", "evaluate", "--test-share", share, code=2).stderr


def test_the_order_of_evaluate_is_that_of_kneser_ney(crm: "Crm") -> None:
    file = baskets_of(crm, "/x / /a", "/x / /a", "/y / /b", "/y / /b", "/z / /b", "/x / /a")
    far, near = (crm.rows("paths", "evaluate", "--input", file, "--order", order) for order in (2, 1))
    assert [row["hit_rate_1"] for row in far] == [1, 0.5, 0.5]
    assert [row["hit_rate_1"] for row in near] == [0.5, 0.5, 0.5]


def better(crm: "Crm", *args: object) -> None:
    ours, first, popular = crm.rows("paths", "evaluate", *args)
    assert [row["model"] for row in (ours, first, popular)] == ["kneser-ney", "first order", "popularity"]
    for rate in ("hit_rate_1", "hit_rate_5", "hit_rate_10", "mrr"):
        assert ours[rate] > first[rate] > popular[rate]


def test_kneser_ney_is_better_than_first_order_and_popularity_on_the_sample_shop(crm: "Crm") -> None:
    crm("logs", "mine", SHOP)
    better(crm)


@pytest.mark.reference
def test_kneser_ney_is_better_than_first_order_and_popularity_on_msnbc(crm: "Crm", reference_data: Path) -> None:
    better(crm, "--input", reference_data / "sequences" / "MSNBC.spmf.gz")
