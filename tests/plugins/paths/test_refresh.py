"""What `crm logs mine` keeps of paths, and what it says of it."""

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SMALL = "paths: {max_views: 9, mined: {min_sessions: 1, min_support: 0.5, min_confidence: 0.9}}\n"


def visits(crm: "Crm", count: int, *pages: str, day: int = 0) -> list[str]:
    """Lines of so many visitors who view the same pages, each an hour after the one before."""
    start = 86_400 * day
    return [
        crm.line(start + 3600 * who + 60 * n, page, who=who + 1) for who in range(count) for n, page in enumerate(pages)
    ]


def table(crm: "Crm", name: str, *columns: str) -> list[Any]:
    return crm.open().scan(name).select(columns).collect().rows()


class TestTables:
    def test_patterns_and_rules_are_those_of_the_commands(self, crm: "Crm") -> None:
        crm.configure(SMALL)
        crm("logs", "mine", crm.log("a.log", *visits(crm, 6, "/a", "/b", "/c"), *visits(crm, 3, "/b", "/x", day=1)))
        for name, options in {"patterns": ("--min-length", "2"), "rules": ("--min-confidence", "0.9")}.items():
            stored = json.loads(crm("query", f"select * from {name}", "-f", "json").stdout)
            assert stored == crm.rows("paths", name, "--min-support", "0.5", *options) != []

    def test_they_follow_the_sessions(self, crm: "Crm") -> None:
        crm.configure(SMALL)
        crm("logs", "mine", crm.log("a.log", *visits(crm, 3, "/a", "/b")))
        assert table(crm, "patterns", "pattern", "support") == [("/a > /b", 3)]
        crm("logs", "mine", crm.log("b.log", *visits(crm, 5, "/c", "/d", day=3)))
        assert table(crm, "patterns", "pattern", "support") == [("/c > /d", 5)]
        crm("logs", "drop", "--yes", "2")
        assert table(crm, "patterns", "pattern", "support") == [("/a > /b", 3)]
        crm("logs", "rebuild")
        assert table(crm, "patterns", "pattern", "support") == [("/a > /b", 3)]

    def test_top_paths_are_kept_by_date(self, crm: "Crm") -> None:
        crm.configure("paths: {mined: {top_paths: 1}}\n")
        log = crm.log("a.log", *visits(crm, 2, "/a", "/b"), *visits(crm, 3, "/c", day=1), *visits(crm, 1, "/d", day=2))
        crm("logs", "mine", log)
        rows = [
            (str(day), path, *rest)
            for day, path, *rest in table(crm, "top_paths", "date", "path", "length", "sessions")
        ]
        assert rows == [
            ("2026-03-02", ["/a", "/b"], 2, 2),
            ("2026-03-03", ["/c"], 1, 3),
            ("2026-03-04", ["/d"], 1, 1),
        ]

    def test_of_like_paths_the_first_by_name_are_kept(self, crm: "Crm") -> None:
        crm.configure("paths: {mined: {top_paths: 2}}\n")
        lines = [crm.line(60 * n, page, who=n + 1) for n, page in enumerate(("/d", "/b", "/c", "/a"))]
        crm("logs", "mine", crm.log("a.log", *lines))
        assert table(crm, "top_paths", "path") == [(["/a"],), (["/b"],)]

    @pytest.mark.parametrize("pieces", [2, 5])
    def test_pieces_of_a_log_give_the_same_as_one_pass(self, crm: "Crm", new_crm: Any, pieces: int) -> None:
        lines = visits(crm, 9, "/a", "/b", "/c") + visits(crm, 9, "/d", "/e", "/b", day=1)
        whole, parts = new_crm(crm.folder / "whole"), new_crm(crm.folder / "parts")
        for each in (whole, parts):
            each.configure(SMALL.replace("{min_s", "{sessions: 16, min_s").replace("0.5", "0.4"))
        whole("logs", "mine", whole.log("a.log", *lines))
        size = -(-len(lines) // pieces)
        for at in reversed(range(0, len(lines), size)):
            parts("logs", "mine", parts.log(f"{at}.log", *lines[at : at + size]))
        for name in ("patterns", "rules", "top_paths"):
            assert parts.table(name).equals(whole.table(name)), name
            assert whole.table(name).height

    def test_none_are_made_of_no_sessions(self, crm: "Crm") -> None:
        crm.configure("paths: {mined: {sessions: 0}}\n")
        done = crm("logs", "mine", crm.log("a.log", *visits(crm, 12, "/a", "/b")))
        assert (table(crm, "patterns", "pattern"), table(crm, "rules", "antecedent")) == ([], [])
        assert "newest" not in done.stdout


class TestWords:
    def test_the_summary_lists_paths_patterns_and_rules(self, crm: "Crm") -> None:
        crm.configure(SMALL)
        said = crm("logs", "mine", crm.log("a.log", *visits(crm, 6, "/a", "/b"), *visits(crm, 6, "/c", day=1))).stdout
        for title, row in {
            "whole paths": "6  /a > /b",
            "patterns, other views between or not": "6  /a > /b",
            "rules": "100%  /a => /b",
        }.items():
            assert f"\n\n{title}\n  {row}\n" in said

    def test_what_is_left_out_is_told_with_the_command_to_run(self, crm: "Crm") -> None:
        crm.configure(SMALL.replace("{min_s", "{sessions: 5, max_candidates: 2, min_s").replace("views: 9", "views: 2"))
        log = crm.log("a.log", *visits(crm, 9, "/a", "/b", "/c"))
        summary = crm.folder / "run.json"
        said = crm("logs", "mine", log, "--json-summary", summary).stdout
        patterns = "crm paths patterns --min-support 0.5 --min-length 2"
        rules = "crm paths rules --min-support 0.5 --min-confidence 0.9"
        notes = [
            f"patterns, rules: of the newest 5 sessions; of all: {patterns} | {rules}",
            "patterns, rules: 5 long sessions count with their first 2 views (paths.max_views)",
            *(
                f"{table}: more than 2 candidates (paths.mined.max_candidates), so only those in 6 sessions or more, "
                f"not 3; all: {command}"
                for table, command in (("patterns", patterns), ("rules", rules))
            ),
        ]
        assert json.loads(summary.read_text())["notes"] == notes
        assert "\n".join(notes) in said

    def test_so_is_what_does_not_fit_in_memory(self, crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("plugins.paths.projection.fitting.__defaults__", (4,))
        crm.configure(SMALL)
        said = crm("logs", "mine", crm.log("a.log", *visits(crm, 9, "/a", "/b", "/c"))).stdout
        assert "patterns, rules: more do not fit in memory than the newest 4 of 9 sessions, of each 2 views" in said

    def test_rebuild_drop_and_prune_tell_it_too(self, crm: "Crm") -> None:
        crm.configure(SMALL.replace("{min_s", "{sessions: 5, min_s"))
        crm("logs", "mine", crm.log("a.log", *visits(crm, 9, "/a"), *visits(crm, 9, "/b", day=2)))
        crm("logs", "mine", crm.log("b.log", crm.line(9 * 86_400)))
        note = "patterns, rules: of the newest 5 sessions; of all: "
        assert note in crm("logs", "rebuild").stderr
        assert note in crm("logs", "drop", "--yes", "2").stderr
        assert note in crm("logs", "prune", "--yes", "--before", "2026-03-03").stderr

    def test_the_command_has_the_support_that_counts(self, crm: "Crm") -> None:
        crm.configure("paths: {mined: {sessions: 20, min_support: 0.05, min_sessions: 3}}\n")
        said = crm("logs", "mine", crm.log("a.log", *visits(crm, 21, "/a"))).stdout
        assert "crm paths patterns --min-support 3 --min-length 2 | crm paths rules --min-support 3 " in said


MINER = """
import polars as pl
from crm import Mined

@hookimpl
def tables():
    return [Table("last", "The last sessions.", (Column("start", "timestamp", "start"),), "test", by_date={by_date})]

@hookimpl
def miners():
    def mine(sessions, dates):
        return Mined({{"last": sessions.select("start")}}, (f"seen: {{len(dates)}} dates",))
    return [Miner("last", ("last",), mine, newest=3, more="crm logs sessions")]
"""


class TestMinersOfOthers:
    def test_one_of_the_newest_sessions_is_given_them_in_order(self, crm: "Crm") -> None:
        crm.plugin("last", MINER.format(by_date=False))
        said = crm("logs", "mine", crm.log("a.log", *visits(crm, 4, "/a"), *visits(crm, 2, "/a", day=1))).stdout
        hours = [start.hour + 24 * (start.day - 2) for (start,) in table(crm, "last", "start")]
        assert hours == [3, 24, 25]
        assert "last: of the newest 3 sessions; of all: crm logs sessions\nseen: 2 dates\n" in said

    def test_its_tables_are_not_by_date(self, crm: "Crm") -> None:
        body = MINER.format(by_date=True).replace('Column("start"', 'Column("date", "date", "d"), Column("start"')
        crm.plugin("last", body)
        said = crm("logs", "mine", crm.log("a.log", *visits(crm, 4, "/a")), code=1).stderr
        assert "its table 'last' is by date, and it mines the newest sessions of all dates" in said


def test_sessions_of_robots_are_not_among_the_newest(crm: "Crm") -> None:
    crm.configure(SMALL + "logs: {robots: {no_assets: 3}}\n")
    people = [crm.line(60 * n, page, who=1) for n, page in enumerate(("/a", "/a.png", "/b"))]
    robot = [crm.line(7200 + 60 * n, page, who=2) for n, page in enumerate(("/x", "/y", "/z"))]
    crm("logs", "mine", crm.log("a.log", *people, *robot))
    assert table(crm, "patterns", "pattern") == [("/a > /b",)]
    assert pl.Series(crm.open().scan("sessions").collect()["bot"]).null_count() == 1
