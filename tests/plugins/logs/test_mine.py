"""`crm logs mine`: what it stores, what it says, how it ends."""

import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from logparse.robots import list_version
from plugins.logs import progress
from plugins.logs.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugins.conftest import Crm

SAMPLES = Path(__file__).parents[3] / "sample_logs"
HOUR = 3600


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / "shop.truth.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def shop(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    crm = new_crm(tmp_path_factory.mktemp("shop"))
    crm.configure("logs: {visitors: {addresses: full}}")
    crm("logs", "mine", SAMPLES / "shop.log", "--json-summary", crm.folder / "summary.json")
    return crm


@pytest.fixture(scope="module")
def summary(shop: "Crm") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shop.folder / "summary.json").read_bytes())
    return found


class TestSample:
    """The sample log, whose truth is known from its making."""

    def test_every_line_is_where_the_truth_says(self, summary: dict[str, Any], truth: dict[str, Any]) -> None:
        assert (summary["lines"], summary["hits"]) == (truth["lines"], truth["hits"])
        assert (summary["blank"], summary["filtered"]) == (len(truth["blank"]), {})
        assert sum(summary["rejected"].values()) == len(truth["rejected"])

    def test_rejected_lines_are_named_by_their_numbers(self, truth: dict[str, Any], crm: "Crm") -> None:
        said = crm("logs", "mine", SAMPLES / "shop.log").stdout
        for number in truth["rejected"]:
            assert f"  line {number} rejected: does not fit the format at %" in said

    def test_no_stored_hit_is_from_a_rejected_or_blank_line(self, shop: "Crm", truth: dict[str, Any]) -> None:
        stored = shop.open().scan("hits").select("line").collect()["line"].sort().to_list()
        missing = sorted({*truth["rejected"], *truth["blank"]})
        assert stored == [n for n in range(1, truth["lines"] + 1) if n not in missing]

    @pytest.mark.parametrize(
        ("column", "fact"), [("status", "hits_by_status"), ("kind", "hits_by_kind"), ("bot", "robot_hits")]
    )
    def test_hits_are_counted_as_the_truth_has_them(
        self, shop: "Crm", truth: dict[str, Any], column: str, fact: str
    ) -> None:
        counted = shop.table("hits").drop_nulls(column).group_by(pl.col(column).cast(pl.String)).len()
        assert dict(counted.iter_rows()) == truth[fact]

    def test_sessions_are_those_of_the_truth(self, shop: "Crm", truth: dict[str, Any]) -> None:
        workspace = shop.open()
        hits = workspace.scan("hits").select("visitor", "address", "agent").unique().collect()
        who = {visitor: (address, agent) for visitor, address, agent in hits.iter_rows()}
        assert len(who) == hits.height
        found = [
            {
                "address": who[row["visitor"]][0],
                "agent": who[row["visitor"]][1] or "-",
                "start": row["start"].isoformat(),
                "end": row["end"].isoformat(),
                **{name: row[name] for name in ("customer", "hits", "views", "path")},
                "bot": row["bot"],
            }
            for row in workspace.scan("sessions").collect().to_dicts()
        ]
        found.sort(key=lambda row: (row["start"], row["address"], row["agent"]))
        people = [{**row, "bot": None} for row in truth["sessions"]]
        robots = [{**row, "bot": row["kind"]} for row in truth["robot_sessions"]]
        wanted = [{name: row[name] for name in found[0]} for row in people + robots]
        wanted.sort(key=lambda row: (row["start"], row["address"], row["agent"]))
        assert found == wanted

    def test_pages_and_transitions_add_up_to_the_truths_paths(self, shop: "Crm", truth: dict[str, Any]) -> None:
        paths = [row["path"] for row in truth["sessions"]]
        pages, steps = shop.table("pages"), shop.table("transitions")
        assert pages["views"].sum() == truth["views"]
        assert pages["entries"].sum() == pages["exits"].sum() == len(paths)
        assert pages["bounces"].sum() == sum(len(path) == 1 for path in paths)
        assert steps["count"].sum() == truth["views"] - len(paths)
        cart = steps.filter(pl.col("page") == "/help/shipping", pl.col("next") == "/cart")
        pairs = [pair for path in paths for pair in pairwise(path)]
        assert cart["count"].sum() == pairs.count(("/help/shipping", "/cart"))

    def test_the_sessions_of_the_log_alone_are_the_same(self, shop: "Crm") -> None:
        alone = shop.rows("logs", "sessions", SAMPLES / "shop.log", "--with-robots")
        mined = shop.rows("query", "select * from sessions order by start, visitor, session")
        assert alone == mined
        people = shop.rows("logs", "sessions", SAMPLES / "shop.log")
        assert people == [row for row in mined if row["bot"] is None]

    def test_both_counts_of_sessions_and_the_list_of_robots_are_told(
        self, summary: dict[str, Any], truth: dict[str, Any], crm: "Crm"
    ) -> None:
        people, robots = truth["sessions"], truth["robot_sessions"]
        reasons = Counter(row["kind"] for row in robots)
        assert summary["sessions"]["sessions"] == len(people)
        assert summary["sessions"]["views"] == truth["views"] == sum(row["views"] for row in people)
        assert summary["sessions_by_robots"] == reasons
        assert summary["sessions_with_robots"] == len(people) + len(robots)
        assert summary["robots"]["list"] == list_version()
        said = crm("logs", "mine", SAMPLES / "shop.log").stdout
        assert f"  {len(people):,} sessions by " in said
        assert (
            f"\n  {len(robots)} more sessions by robots, {len(people) + len(robots)} with them: 3 robots.txt, " in said
        )
        assert f"\n  robots: by name {list_version()}; by behaviour who asks for /robots.txt or has 30 views" in said


class TestSummary:
    def test_one_log_is_told_with_its_source_format_and_account(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), crm.line(60, "/a"), "# comment", "broken")
        said = crm("logs", "mine", log).stdout
        assert f"{log}: source 1, format combined, which fits 67% of its first lines\n" in said
        assert "  line 4 rejected: does not fit the format at %" in said
        assert said.count("4 lines = 2 hits + 0 filtered + 1 rejected + 1 blank") == 1
        assert "1 session by 1 visitor, 1 still open" in said
        assert "rule: a session ends after 30m without a hit, a different login begins a new one" in said

    def test_of_several_logs_each_is_accounted_for_and_all_together(self, crm: "Crm") -> None:
        one, two = crm.log("1.log", crm.line()), crm.log("2.log", crm.line(1), "", "broken", crm.line(2))
        said = crm("logs", "mine", one, two).stdout
        assert f"{one}: source 1," in said
        assert "  1 line = 1 hit + 0 filtered + 0 rejected + 0 blank\n" in said
        assert "  4 lines = 2 hits + 0 filtered + 1 rejected + 1 blank\n" in said
        assert "\n5 lines = 3 hits + 0 filtered + 1 rejected + 1 blank, in " in said

    def test_of_many_logs_those_without_anything_new_are_one_line(self, crm: "Crm") -> None:
        logs = [crm.log(f"{n:02}.log", crm.line(n), crm.line(n, "/a")) for n in range(30)]
        said = crm("logs", "mine", *logs).stdout
        assert said.count(": source ") == 10
        assert "and 20 more: 40 lines = 40 hits + 0 filtered + 0 rejected + 0 blank\n" in said
        crm.grow(logs[3], crm.line(100))
        result = crm("logs", "mine", *logs, crm.log("none.log", end=""), "nowhere.log", code=4)
        said = result.stdout
        assert said.count(".log") == 2
        assert f"{logs[3]}: source 4 from line 3, format combined\n" in said
        assert "29 more unchanged\n1 more empty\nnowhere.log: refused\n" in result.stdout
        assert result.stderr.count("No such file or directory") == 1

    def test_where_nothing_is_new_it_says_so(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        crm("logs", "mine", log)
        said = crm("logs", "mine", log).stdout.splitlines()
        assert said[0] == f"{log}: unchanged"
        assert said[1].startswith("no new lines, in ")
        assert said[2:] == ["no session has changed"]

    def test_names_and_pages_cannot_write_to_the_terminal(self, crm: "Crm") -> None:
        log = crm.log("a\x1b[2J.log", crm.line(page="/\x1b[31m"), crm.line(1, "/" + "x" * 500))
        said = crm("logs", "mine", log).stdout
        assert "\x1b" not in said
        assert "x" * 200 not in said

    def test_quiet_prints_nothing(self, crm: "Crm") -> None:
        result = crm("-q", "logs", "mine", crm.log("access.log", crm.line()))
        assert result.output == ""
        assert crm.table("hits").height == 1

    def test_an_open_session_is_one_that_the_newest_hit_may_still_belong_to(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(who=1), crm.line(1800, who=2), crm.line(1801, "/x.png", who=3))
        assert "2 sessions by 2 visitors, 1 still open" in crm("logs", "mine", log).stdout

    def test_the_json_summary_has_the_same_in_all_and_by_source(self, crm: "Crm") -> None:
        crm.configure("logs: {drop: [{name: health, path: [/health]}]}")
        log = crm.log("access.log", crm.line(), crm.line(1, "/health"), "", "broken", crm.line(2))
        file = crm.folder / "summary.json"
        crm("logs", "mine", log, "none.log", "--json-summary", file, code=4)
        found = json.loads(file.read_bytes())
        account = {
            "lines": 5,
            "hits": 2,
            "blank": 1,
            "filtered": {"health": 1},
            "rejected": {"does not fit the format": 1},
        }
        assert account.items() <= found.items()
        read, refused = found["sources"]
        assert account.items() <= read.items()
        assert (read["name"], read["state"], read["source"]) == (str(log), "read", 1)
        assert (refused["name"], refused["state"], refused["lines"]) == ("none.log", "refused", 0)
        assert (found["sessions"]["sessions"], found["failed_miners"]) == (1, {})

    def test_a_summary_file_that_cannot_be_made_is_found_out_before_the_run(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        assert "there is no folder" in crm("logs", "mine", log, "--json-summary", "/no/where", code=2).stderr
        assert crm.rows("logs", "status") == []


class TestRefusal:
    def test_one_log_that_cannot_be_used_does_not_stop_the_others(self, crm: "Crm") -> None:
        good, bad = crm.log("good.log", crm.line()), crm.log("bad.log", *["nonsense"] * 5)
        result = crm("logs", "mine", bad, "no-such.log", good, code=4)
        assert "crm: 2 of 3 logs could not be used, and nothing of them was stored: " in result.stderr
        assert "no-such.log: No such file or directory" in result.stderr
        assert "fit none of the 19 formats of `crm logs formats`; name" in result.stderr
        assert crm.table("hits").height == 1

    def test_where_no_log_is_there_no_workspace_is_made(self, crm: "Crm") -> None:
        words = ("-w", crm.folder / "other", "logs", "mine", "no.log")
        assert crm(*words, code=4).output == "crm: no.log: No such file or directory\n"
        told = crm(*words, "none.log", code=4).stderr
        assert told == "crm: no.log: No such file or directory; none.log: No such file or directory\n"
        assert not (crm.folder / "other").exists()

    def test_a_folder_or_a_glob_without_a_log_is_wrong_usage(self, crm: "Crm") -> None:
        (crm.folder / "empty").mkdir()
        assert "holds no files" in crm("logs", "mine", crm.folder / "empty", code=2).stderr
        assert "nothing matches" in crm("logs", "mine", f"{crm.folder}/*.gz", code=2).stderr

    def test_a_folder_means_all_its_files_but_hidden_ones(self, crm: "Crm") -> None:
        (crm.folder / "logs").mkdir()
        for number, name in enumerate(("logs/b.log", "logs/a.log", "logs/.hidden.log")):
            crm.log(name, crm.line(number))
        crm("logs", "mine", crm.folder / "logs")
        assert [Path(row["name"]).name for row in crm.rows("logs", "status")] == ["a.log", "b.log"]


class TestFormats:
    def test_an_unknown_name_is_answered_with_the_nearest(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        said = crm("logs", "mine", log, "--log-format", "combind", code=2).stderr
        assert "no log format `combind` (did you mean `combined`?)" in said

    def test_a_pattern_that_cannot_be_compiled_is_wrong_usage(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        said = crm("logs", "mine", log, "--log-format", "%h %>s", code=2).stderr
        assert "has no time" in said
        crm.configure("logs: {format: '%h %>s'}")
        assert "logs.format: " in crm("logs", "mine", log, code=4).stderr

    def test_a_pattern_reads_what_it_says(self, crm: "Crm") -> None:
        log = crm.log("access.log", "1772409600.250|192.0.2.1|GET /a?x=1 HTTP/1.1")
        crm("logs", "mine", log, "--log-format", "$msec|$remote_addr|$request")
        (row,) = crm.rows("query", "select ts, path, query from hits")
        assert row == {"ts": "2026-03-02T00:00:00.250+00:00", "path": "/a", "query": "x=1"}

    def test_a_plugins_pattern_that_cannot_be_compiled_is_left_out_of_auto(self, crm: "Crm") -> None:
        crm.plugin("bad", "@hookimpl\ndef log_formats(): return [LogFormat('mine', 'apache', '%h')]")
        result = crm("logs", "mine", crm.log("access.log", crm.line()))
        assert "its log format 'mine' is left out: " in result.stderr
        assert "format combined, which fits 100%" in result.stdout


MINER = """
from datetime import date
import polars as pl
TABLE = Table("days", "Days.", (Column("date", "date", "day"), Column("n", "int64", "sessions")), owner="t")

@hookimpl
def tables(): return [TABLE]

def mine(sessions, changed):
    {body}
    return {{"days": sessions.group_by("date").agg(pl.len().alias("n"))}}

@hookimpl
def miners(): return [Miner("days", ("days",), mine)]
"""


class TestMiners:
    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("return {}", "KeyError: 'days'"),
            ("return {'days': pl.LazyFrame({'date': [date(2020, 1, 1)], 'n': [1]})}", "was not given"),
            ("return {'days': sessions.select('date', n=pl.lit('many'))}", "conversion from"),
        ],
    )
    def test_one_that_does_not_work_is_named_and_the_run_goes_on(self, crm: "Crm", body: str, error: str) -> None:
        crm.plugin("days", MINER.format(body=body))
        result = crm("logs", "mine", crm.log("access.log", crm.line(), crm.line(60, "/a")), code=1)
        assert result.stderr.count("its miner 'days' does not work: ") == 1
        assert "plugin 'crm_plugin_days' of " in result.stderr
        assert result.stderr.count(error) == 1
        assert "crm: 1 miner did not work (days): its tables are as they were, and all else" in result.stderr
        assert crm.table("transitions").height == 1
        assert crm.rows("query", "select * from days") == []

    def test_one_that_works_again_makes_good_what_it_has_missed(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line())
        crm.plugin("days", MINER.format(body="1 / 0"))
        crm("logs", "mine", log, code=1)
        crm.grow(log, crm.line(30 * HOUR))
        crm("logs", "mine", log, code=1)
        crm.plugin("days", MINER.format(body=""))
        crm("logs", "mine", log)
        days = crm.rows("query", "select date, n from days order by date")
        assert days == [{"date": "2026-03-02", "n": 1}, {"date": "2026-03-03", "n": 1}]

    def test_one_that_is_new_is_given_all_sessions_and_later_only_the_dates_that_changed(self, crm: "Crm") -> None:
        seen = crm.folder / "seen"
        log = crm.log("access.log", crm.line(), crm.line(30 * HOUR))
        crm("logs", "mine", log)
        note = "print(sorted(map(str, changed)), end=' ', file=out)"
        crm.plugin("days", MINER.format(body=f"with open({str(seen)!r}, 'a') as out: {note}"))
        crm("logs", "mine", log)
        assert seen.read_text() == "['2026-03-02', '2026-03-03'] "
        crm.grow(log, crm.line(60 * HOUR))
        crm("logs", "mine", log)
        assert seen.read_text().endswith("['2026-03-04'] ")
        crm.grow(log, crm.line(90 * HOUR, agent=crm.GOOGLEBOT))
        seen.unlink()
        crm("logs", "mine", log)
        assert not seen.exists()
        assert crm.rows("query", "select count(*) as days from days") == [{"days": 3}]


class TestRules:
    def test_options_that_cut_sessions_hold_for_the_whole_workspace_until_the_next_run(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), crm.line(600, "/a"), crm.line(1200, "/b"))
        crm("logs", "mine", log)
        other = crm("logs", "mine", log, "--idle", "5m")
        assert "all sessions are made anew by other rules: a session ends after 5m without" in other.stderr
        assert "3 sessions by 1 visitor, " in other.stdout
        assert crm.table("sessions").height == 3
        back = crm("logs", "mine", log)
        assert "a session ends after 30m without a hit, a different login begins a new one (before: " in back.stderr
        assert crm.table("sessions").height == 1
        assert crm("logs", "mine", log).stderr == ""

    def test_options_and_configuration_cut_alike(self, crm: "Crm") -> None:
        log = crm.log("access.log", *(crm.line(60 * n, f"/{n}") for n in range(5)))
        crm("logs", "mine", log, "--max-hits", "2", "--max-length", "1h")
        by_option = crm.table("sessions")
        crm.configure("logs: {sessions: {max_hits: 2, max_length: 1h}}")
        assert crm("logs", "mine", log).stderr == ""
        assert crm.table("sessions").equals(by_option)
        assert by_option["hits"].sort().to_list() == [1, 2, 2]

    def test_changed_page_and_robot_rules_make_hits_and_sessions_anew(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(page="/item/17"), crm.line(9, "/item/18", agent="shopbot-x"))
        crm("logs", "mine", log)
        crm.configure("logs: {pages: {numeric_ids: true}, robots: {agents: ['shopbot*']}}")
        crm.grow(log, crm.line(20, "/item/19"))
        assert "the rules of pages, robots have changed" in crm("logs", "mine", log).stderr
        hits = crm.table("hits")
        assert hits["page"].unique().to_list() == ["/item/*"]
        assert hits["bot"].is_not_null().to_list() == [False, True, False]
        assert crm.table("sessions")["path"].to_list() == [["/item/*", "/item/*"]]

    def test_a_newer_list_of_robots_makes_hits_anew(self, crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
        log = crm.log("access.log", crm.line())
        crm("logs", "mine", log)
        monkeypatch.setattr("plugins.logs.mining.list_version", lambda: "a newer one")
        assert "the rules of robots have changed: all hits" in crm("logs", "mine", log).stderr
        assert crm("logs", "mine", log).stderr == ""

    def test_changed_visitor_rules_stop_the_run_until_all_is_dropped(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(page="/?id=7"))
        crm("logs", "mine", log)
        crm.configure("logs: {visitors: {query_key: id}}")
        for command in (["mine", log], ["rebuild"], ["drop", "1", "--yes"]):
            assert "the rules of visitors (logs.visitors) have changed" in crm("logs", *command, code=4).stderr
        crm("logs", "drop", "--all", "--yes")
        crm("logs", "mine", log)
        assert crm.table("hits").height == 1


class TestProgress:
    @pytest.mark.parametrize(("terminal", "shown"), [("xterm", True), ("dumb", False)])
    def test_it_is_shown_where_a_line_can_be_taken_back(
        self, monkeypatch: pytest.MonkeyPatch, terminal: str, shown: bool
    ) -> None:
        screen = io.StringIO()
        screen.isatty = lambda: True  # type: ignore[method-assign]  # a terminal
        monkeypatch.setenv("TERM", terminal)
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=screen))
        monkeypatch.setattr(progress, "INTERVAL_S", 0.0)
        with Progress(quiet=False) as found:
            found.advance(5, 0)
        assert ("5 lines read" in screen.getvalue()) == shown
        assert bool(screen.getvalue()) == shown
