"""Robots by behaviour: stored with the reason, left out unless asked for, judged anew with their runs and rules."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    New = Callable[[Path], Crm]
    Same = Callable[..., None]

RULES = "logs: {robots: {no_assets: 4, rate_views: 3, rate_window: 5s}}"
HOUR = 3600


@pytest.fixture
def log(crm: "Crm") -> Path:
    """Of 5 sessions that begin in one hour, two are people's (visitors 1 and 5)."""
    return crm.log(
        "access.log",
        *(crm.line(60 * n, f"/{n}", who=1) for n in range(3)),
        crm.line(0, "/robots.txt", who=2, status=404),
        crm.line(9, "/a", who=2),
        *(crm.line(60 * n, f"/{n}", who=3) for n in range(4)),
        *(crm.line(100 + n, "/fast", who=4) for n in range(3)),
        crm.line(200, "/a.css", who=4),
        *(crm.line(60 * n, f"/{n}", who=5) for n in range(4)),
        crm.line(240, "/a.css", who=5),
    )


REASONS = {"robots.txt": 1, "no assets": 1, "inhuman rate": 1}


def reasons(crm: "Crm") -> Counter[str | None]:
    return Counter(crm.table("sessions")["bot"].to_list())


class TestMine:
    def test_sessions_of_robots_are_stored_with_the_reason_and_kept_from_miners(self, crm: "Crm", log: Path) -> None:
        crm.configure(RULES)
        said = crm("logs", "mine", log, "--json-summary", crm.folder / "s.json").stdout
        assert reasons(crm) == {None: 2, **REASONS}
        assert crm.table("pages")["views"].sum() == 7
        assert "/fast" not in crm.table("pages")["page"].to_list()
        assert "\n  2 sessions by 2 visitors" in said
        assert "\n  7 views, 3.50 a session" in said
        assert "\n  3 more sessions by robots, 5 with them: 1 inhuman rate, 1 no assets, 1 robots.txt\n" in said
        words = "who asks for /robots.txt or has 4 views and no asset or has 3 views within 5s"
        assert f"; by behaviour {words}\n" in said
        found = json.loads((crm.folder / "s.json").read_bytes())
        assert (found["sessions_with_robots"], found["sessions_by_robots"]) == (5, REASONS)
        assert found["robots"]["behaviour"] == words

    def test_a_plugins_miner_is_given_people_alone(self, crm: "Crm", log: Path) -> None:
        crm.plugin(
            "bots",
            'TABLE = Table("bots", "B.", (Column("date", "date", "d"), Column("bot", "string", "b")), owner="t")\n'
            "@hookimpl\ndef tables(): return [TABLE]\n"
            "def mine(sessions, changed): return {'bots': sessions.select('date', 'bot')}\n"
            "@hookimpl\ndef miners(): return [Miner('bots', ('bots',), mine)]",
        )
        crm.configure(f"plugins: {{folder: plugins}}\n{RULES}")
        crm("logs", "mine", log)
        assert crm.rows("query", "select bot from bots") == [{"bot": None}] * 2

    def test_of_a_log_of_robots_alone_no_session_is_a_visit(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(0, "/robots.txt"), crm.line(1))
        said = crm("logs", "mine", log, "--json-summary", crm.folder / "s.json").stdout
        assert "\n  no sessions\n  1 more session by robots, 1 with them: 1 robots.txt\n" in said
        found = json.loads((crm.folder / "s.json").read_bytes())
        assert (found["sessions"], found["sessions_with_robots"]) == (None, 1)

    def test_a_run_that_goes_on_is_judged_anew(self, crm: "Crm") -> None:
        crm.configure(RULES)
        log = crm.log("access.log", *(crm.line(600 * n) for n in range(3)), crm.line(20 * HOUR))
        crm("logs", "mine", log)
        assert reasons(crm) == {None: 2}
        crm.grow(log, crm.line(1800))
        crm("logs", "mine", log)
        assert reasons(crm) == {None: 1, "no assets": 1}
        crm.grow(log, crm.line(900, "/a.css"))
        crm("logs", "mine", log)
        assert reasons(crm) == {None: 2}
        assert crm.table("pages")["views"].sum() == 5

    def test_all_sessions_of_a_run_have_its_reason(self, crm: "Crm") -> None:
        log = crm.log("access.log", *(crm.line(n, login="li" if n < 3 else "wang") for n in range(1, 5)))
        crm.grow(log, crm.line(9, "/robots.txt"))
        crm("logs", "mine", log)
        assert crm.table("sessions")["customer"].to_list() == ["li", "wang"]
        assert reasons(crm) == {"robots.txt": 2}


class TestRules:
    def test_changed_rules_of_behaviour_make_sessions_anew_and_leave_hits_alone(self, crm: "Crm", log: Path) -> None:
        crm("logs", "mine", log)
        assert reasons(crm) == {None: 4, "robots.txt": 1}
        files = crm.open().lake.files("hits")["path"].to_list()
        crm.configure(RULES)
        said = crm("logs", "mine", log).stderr
        assert said == (
            "all sessions are made anew by other rules: robots by behaviour: who asks for /robots.txt or has 4 views "
            "and no asset or has 3 views within 5s (before: who asks for /robots.txt or has 30 views and no asset or "
            "has 60 views within 1m)\n"
        )
        assert crm.open().lake.files("hits")["path"].to_list() == files
        assert reasons(crm) == {None: 2, **REASONS}
        assert crm.table("pages")["views"].sum() == 7
        assert crm("logs", "mine", log).stderr == ""

    def test_each_rule_can_be_switched_off(self, crm: "Crm", log: Path) -> None:
        crm.configure("logs: {robots: {robots_txt: false, no_assets: null, rate_views: null}}")
        said = crm("logs", "mine", log).stdout
        assert reasons(crm) == {None: 5}
        assert "\n  5 sessions by 5 visitors" in said
        assert "more sessions by robots" not in said
        assert "; by behaviour nobody\n" in said

    @pytest.mark.parametrize(
        ("setting", "place"),
        [("no_assets: 0", "no_assets"), ("rate_views: 1", "rate_views"), ("rate_window: fast", "rate_window")],
    )
    def test_a_limit_that_makes_no_sense_is_named(self, crm: "Crm", log: Path, setting: str, place: str) -> None:
        crm.configure(f"logs: {{robots: {{{setting}}}}}")
        assert f"logs.robots.{place}" in crm("logs", "mine", log, code=4).stderr

    def test_rules_of_names_make_hits_anew(self, crm: "Crm", log: Path) -> None:
        crm("logs", "mine", log)
        crm.configure("logs: {robots: {agents: ['Mozilla*']}}")
        assert "the rules of robots have changed: all hits and sessions" in crm("logs", "mine", log).stderr
        assert reasons(crm) == {}


class TestCommands:
    def test_sessions_of_robots_are_printed_where_asked_for(self, crm: "Crm", log: Path) -> None:
        crm.configure(RULES)
        people = crm("logs", "sessions", log, "-f", "json", "--columns", "bot")
        assert json.loads(people.stdout) == [{"bot": None}] * 2
        counts = "2 sessions of people, 5 with robots by behaviour: 1 inhuman rate, 1 no assets, 1 robots.txt\n"
        assert people.stderr.endswith(counts)
        every = crm("logs", "sessions", log, "--with-robots", "-f", "json", "--columns", "bot")
        assert Counter(row["bot"] for row in json.loads(every.stdout)) == {None: 2, **REASONS}
        assert every.stderr.endswith(counts)

    def test_raw_judges_nobody(self, crm: "Crm", log: Path) -> None:
        crm.configure(RULES)
        raw = crm("logs", "sessions", log, "--raw", "-f", "json", "--columns", "bot,views")
        assert Counter(row["bot"] for row in json.loads(raw.stdout)) == {None: 5}
        assert "robots by behaviour" not in raw.stderr

    def test_paths_and_traffic_leave_robots_out_unless_asked(self, crm: "Crm", log: Path) -> None:
        crm.configure(RULES)
        crm("logs", "mine", log)
        paths = [row["path"] for row in crm.rows("paths", "top")]
        assert sorted(paths) == [["/0", "/1", "/2"], ["/0", "/1", "/2", "/3"]]
        every = crm.rows("paths", "top", "--with-robots")
        assert sum(row["sessions"] for row in every) == 5
        assert ["/fast"] * 3 in [row["path"] for row in every]
        (hour,) = crm.rows("logs", "traffic", "--by", "hour")
        assert (hour["hits"], hour["views"], hour["sessions"]) == (18, 7, 2)
        (hour,) = crm.rows("logs", "traffic", "--by", "hour", "--with-robots")
        assert (hour["hits"], hour["views"], hour["sessions"]) == (18, 15, 5)

    def test_views_are_left_out_in_the_hour_in_which_they_were_made(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(0, "/robots.txt"), *(crm.line(1500 * n) for n in range(1, 5)))
        crm.grow(log, crm.line(3700, who=2))
        crm("logs", "mine", log)
        assert [row["views"] for row in crm.rows("logs", "traffic", "--by", "hour")] == [0, 1]
        assert [row["views"] for row in crm.rows("logs", "traffic", "--by", "hour", "--with-robots")] == [2, 3]


HIT = st.fixed_dictionaries(
    {
        "page": st.sampled_from(["/", "/a", "/a", "/b", "/a.png", "/robots.txt"]),
        "who": st.sampled_from([1, 1, 2]),
        "status": st.sampled_from([200, 200, 200, 404]),
        "login": st.sampled_from(["-", "-", "-", "li", "wang"]),
    }
)
INSTANTS = st.sampled_from([0, 1, 2, 4, 60, 1800, 3600, 3601, 24 * HOUR - 1, 24 * HOUR, 24 * HOUR + 1799])
LOG = st.dictionaries(INSTANTS, st.lists(HIT, min_size=1, max_size=4), min_size=2, max_size=7)


@settings(max_examples=4)
@given(log=LOG, data=st.data())
def test_pieces_in_any_order_of_arrival_are_judged_as_one_pass_judges_them(
    new_crm: "New", same: "Same", log: dict[int, list[dict[str, Any]]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(log)))
    with TemporaryDirectory() as folder:
        whole, parts = new_crm(Path(folder, "whole")), new_crm(Path(folder, "parts"))
        for crm in (whole, parts):
            crm.configure("logs: {format: combined, robots: {no_assets: 3, rate_views: 3, rate_window: 4s}}")
        lines = {at: [whole.line(at, **hit) for hit in hits] for at, hits in log.items()}
        whole("logs", "mine", whole.log("access.log", *(line for at in sorted(lines) for line in lines[at])))
        for at in order:
            parts("logs", "mine", parts.log(f"{at}.log", *lines[at]))
        same(parts.tables(), whole.tables())
        people = whole.table("sessions").filter(pl.col("bot").is_null())
        assert whole.table("pages")["views"].sum() == people["views"].sum()
