"""`crm logs status`, `drop`, `rebuild` and `formats`."""

import os
import pty
import sys
from typing import TYPE_CHECKING

import pytest

from logparse.robots import list_version

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


class TestStatus:
    def test_shows_what_was_read_of_each_source_in_all_runs(self, crm: "Crm") -> None:
        crm.configure("logs: {drop: [{name: health, path: [/health]}]}")
        log = crm.log("access.log", crm.line(60), "broken", crm.line(1, "/health"), "")
        crm("logs", "mine", log)
        crm.grow(log, crm.line(600), "# end")
        crm("logs", "mine", log, crm.log("other.log", crm.line(5)))
        first, second = crm.rows("logs", "status")
        run = first.pop("last_run")
        assert run[:4].isdigit()
        assert first == {
            "source": 1,
            "name": str(log),
            "format": "combined",
            "charset": "utf-8",
            "tz": None,
            "lines": 6,
            "hits": 2,
            "filtered": 1,
            "rejected": 1,
            "blank": 2,
            "offset": log.stat().st_size,
            "first": "2026-03-02T00:01:00+00:00",
            "last": "2026-03-02T00:10:00+00:00",
        }
        assert (second["source"], second["lines"]) == (2, 1)

    def test_tells_the_sums_by_reason(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", crm.line(), "broken"), crm.log("b.log", crm.line(1)))
        assert crm("logs", "status").stderr == (
            "3 lines = 2 hits + 0 filtered + 1 rejected + 0 blank\n  1 rejected: does not fit the format\n"
            f"robots by name: {list_version()}\n"
        )

    def test_without_a_workspace_it_says_how_to_make_one(self, crm: "Crm") -> None:
        result = crm("-w", crm.folder / "none", "logs", "status", code=4)
        assert "`crm logs mine FILE` makes one" in result.stderr


class TestDrop:
    def test_forgets_hits_and_sessions_of_a_source_so_that_it_can_be_read_again(self, crm: "Crm") -> None:
        one = crm.log("1.log", crm.line(0, "/a"), crm.line(60, "/b"))
        two = crm.log("2.log", crm.line(120, "/c"))
        crm("logs", "mine", one, two)
        before = crm.tables()
        assert "forgot 1 source with 2 hits" in crm("logs", "drop", 1, "--yes").stderr
        assert crm.table("hits")["page"].to_list() == ["/c"]
        assert crm.table("sessions")["path"].to_list() == [["/c"]]
        assert crm.table("pages")["page"].to_list() == ["/c"]
        assert crm.table("transitions").is_empty()
        assert [row["source"] for row in crm.rows("logs", "status")] == [2]
        crm("logs", "mine", one, two)
        assert [row["source"] for row in crm.rows("logs", "status")] == [2, 3]
        assert all(crm.table(name).equals(frame) for name, frame in before.items())

    def test_all_forgets_every_source(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("1.log", crm.line()), crm.log("2.log", crm.line(86400)))
        assert "forgot 2 sources with 2 hits" in crm("logs", "drop", "--all", "--yes").stderr
        assert all(frame.is_empty() for frame in crm.tables().values())
        assert crm("logs", "drop", "--all", "--yes").stderr == "no source is left to forget\n"

    @pytest.mark.parametrize("given", ["1.log", "./1.log", "{folder}/1.log", "{folder}/1*", "1.*", "stdin"])
    def test_a_source_is_named_by_its_path_too(self, crm: "Crm", monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        one, two = crm.log("1.log", crm.line(0, "/a")), crm.log("2.log", crm.line(120, "/c"))
        if given == "stdin":
            crm("logs", "mine", "-", two, stdin=one.read_bytes())
        else:
            crm("logs", "mine", one, two)
        monkeypatch.chdir(crm.folder)
        crm("logs", "drop", given.format(folder=crm.folder), "--yes")
        assert crm.table("hits")["page"].to_list() == ["/c"]

    def test_a_glob_names_several_and_a_number_is_no_path(self, crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
        logs = [crm.log(name, crm.line(60 * n, f"/{n}")) for n, name in enumerate(("2", "b.log", "c.log"))]
        crm("logs", "mine", *logs)
        monkeypatch.chdir(crm.folder)
        assert "forgot 2 sources" in crm("logs", "drop", "*.log", "--yes").stderr
        assert "no source 2" in crm("logs", "drop", "2", "--yes", code=2).stderr
        assert "forgot 1 source" in crm("logs", "drop", "./2", "--yes").stderr

    def test_a_dropped_log_can_be_read_again_in_another_format(self, crm: "Crm") -> None:
        log = crm.log("access.log", *crm.lines(3))
        other = '%h - %u %t "%m %U %H" %>s %b "%{Referer}i" "%{User-Agent}i"'
        crm("logs", "mine", log, "--log-format", "common", code=4)
        crm("logs", "mine", log, "--log-format", other)
        assert crm.rows("logs", "status")[0]["format"] == "custom"
        crm("logs", "drop", log, "--yes")
        crm("logs", "mine", log, "--log-format", "combined")
        assert [row["format"] for row in crm.rows("logs", "status")] == ["combined"]
        assert crm.counts() == (3, 1)

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            ((), "name the sources to forget, or --all"),
            (("1", "--all"), "name the sources to forget, or --all"),
            (("7", "--yes"), "there is no source 7"),
            (("1",), "say --yes where nobody can be asked"),
            (("one",), "there is no source one"),
            (("/var/log/*",), "there is no source /var/log/*"),
        ],
    )
    def test_wrong_usage_forgets_nothing(self, crm: "Crm", args: tuple[str, ...], said: str) -> None:
        crm("logs", "mine", crm.log("access.log", crm.line()))
        assert said in crm("logs", "drop", *args, code=2).stderr
        assert crm.table("hits").height == 1

    @pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("n", 130, 1)])
    def test_on_a_terminal_it_asks_first(self, crm: "Crm", answer: str, code: int, left: int) -> None:
        log = crm.log("access.log", crm.line())
        crm("logs", "mine", log)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(sys.executable, [sys.executable, "-m", "cli", "-w", str(crm.workspace), "logs", "drop", "1"])
        os.write(terminal, f"{answer}\n".encode())
        shown = b""
        while b"Forget" not in shown or b"\n" not in shown.rpartition(b"Forget")[2]:
            shown += os.read(terminal, 4096)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
        os.close(terminal)
        assert f"source 1, {log}: 1 hit".encode() in shown
        assert crm.table("hits").height == left


class TestRebuild:
    def test_makes_the_same_tables_anew_and_says_so(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("access.log", crm.line(), crm.line(60, "/a"), crm.line(90000, "/b")))
        before = crm.tables()
        said = crm("logs", "rebuild").stderr
        assert "2 days from 2026-03-02 to 2026-03-03 (UTC) in all: 3 hits: 3 for pages" in said
        assert "  2 sessions by 1 visitor" in said
        assert all(crm.table(name).equals(frame) for name, frame in before.items())

    def test_follows_the_rules_now_in_force(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("access.log", crm.line(page="/i/7"), crm.line(600, "/i/8")))
        crm.configure("logs: {pages: {numeric_ids: true}, sessions: {idle: 5m}}")
        crm("logs", "rebuild")
        assert crm.table("sessions")["path"].to_list() == [["/i/*"], ["/i/*"]]

    def test_an_empty_workspace_has_nothing_to_make(self, crm: "Crm") -> None:
        assert crm("logs", "rebuild").stderr == "there are no hits to make anew\n"


class TestFormats:
    def test_lists_name_syntax_help_and_pattern(self, crm: "Crm") -> None:
        rows = {row["name"]: row for row in crm.rows("logs", "formats")}
        assert {"common", "combined", "vcombined"} <= set(rows)
        assert rows["common"] == {
            "name": "common",
            "syntax": "apache",
            "help": "Common Log Format of the NCSA",
            "pattern": '%h %l %u %t "%r" %>s %b',
        }

    def test_lists_the_formats_of_plugins(self, crm: "Crm") -> None:
        body = "LogFormat('mine', 'nginx', '$msec|$remote_addr|$request', 'Mine.')"
        crm.plugin("more", f"@hookimpl\ndef log_formats(): return [{body}]")
        assert "mine" in {row["name"] for row in crm.rows("logs", "formats")}
        log = crm.log("access.log", *["1772409600.250|192.0.2.1|GET /a?x=1 HTTP/1.1"] * 3)
        result = crm("logs", "formats", "--detect", log)
        assert f"{log}: mine fits 100.0% of its first lines\n" in result.stderr

    def test_detect_shows_how_many_of_the_first_lines_each_format_fits(self, crm: "Crm") -> None:
        log = crm.log("access.log", crm.line(), crm.line(), crm.line(), "broken", "# comment", "")
        result = crm("logs", "formats", "--detect", log, "-f", "csv", "--columns", "name,fits")
        assert result.stdout.splitlines()[:3] == ["name,fits", "combined,0.75", "vcombined,0.0"]
        assert result.stderr == f"{log}: combined fits 75.0% of its first lines\n"

    def test_detect_exits_with_4_where_none_fits(self, crm: "Crm") -> None:
        result = crm("logs", "formats", "--detect", crm.log("access.log", "no", "log"), code=4)
        assert "none of the formats fits half of its first lines" in result.stderr
        assert "combined" in result.stdout

    @pytest.mark.parametrize(("name", "said"), [("none.log", "No such file"), ("empty.log", "no finished line")])
    def test_detect_says_why_it_cannot_tell(self, crm: "Crm", name: str, said: str) -> None:
        crm.log("empty.log", "# comment")
        assert said in crm("logs", "formats", "--detect", crm.folder / name, code=4).stderr

    def test_detect_reads_standard_input(self, crm: "Crm") -> None:
        result = crm("logs", "formats", "--detect", "-", stdin=crm.line().encode())
        assert "-: combined fits 100.0%" in result.stderr
