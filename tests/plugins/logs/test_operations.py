"""What operators meet: read-only and damaged workspaces, runs that were killed, messages for machines, compaction."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crm import compaction
from crm.lake import Lake

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]


def messages(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


class TestJsonMessages:
    def test_each_message_is_one_object_and_the_last_is_the_exit(self, crm: "Crm") -> None:
        log = crm.log("a.log", *crm.lines(5), "broken")
        result = crm("--log-json", "logs", "mine", log, "no.log", code=4)
        found = messages(result.stderr)
        assert [each["event"] for each in found] == ["log", "log", "run", "error", "exit"]
        assert all(list(each)[:3] == ["time", "level", "event"] for each in found)
        read, refused, run, error, end = found
        assert (read["name"], read["state"], read["lines"], read["hits"]) == (str(log), "read", 6, 5)
        assert (refused["state"], refused["error"]) == ("refused", "No such file or directory")
        assert (run["run"], run["rejected"]) == (1, {"does not fit the format": 1})
        assert (error["level"], "could not be used" in error["message"]) == ("error", True)
        assert (end["level"], end["code"]) == ("error", 4)

    def test_v_tells_the_phases_with_their_seconds(self, crm: "Crm") -> None:
        log = crm.log("a.log", *crm.lines(5))
        found = messages(crm("--log-json", "-v", "logs", "mine", log).stderr)
        phases = [each["phase"] for each in found if each["event"] == "phase"]
        assert f"read {log}" in phases
        assert "commit hits as run 1" in phases
        assert all(each["seconds"] >= 0 for each in found if each["event"] == "phase")
        said = crm("-v", "logs", "mine", log).stderr
        assert f"workspace {crm.workspace}, configuration none, miners: paths, patterns, interest\n" in said
        assert f" s: read {log}\n" in said

    def test_wrong_usage_and_bugs_are_objects_too(self, crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
        usage, end = messages(crm("--log-json", "logs", "top", "nothing", code=2).stderr)
        assert "no `nothing`" in usage["message"]
        assert end["code"] == 2
        monkeypatch.setattr("plugins.logs.history.rows", lambda _: 1 // 0)
        log = crm.log("a.log", *crm.lines(1))
        crm("logs", "mine", log)
        error, _ = messages(crm("-v", "--log-json", "logs", "status", code=1).stderr)
        assert "ZeroDivisionError" in error["message"]
        assert error["traceback"].startswith("Traceback")

    def test_quiet_leaves_only_what_is_wrong(self, crm: "Crm") -> None:
        assert crm("-q", "--log-json", "logs", "mine", crm.log("a.log", *crm.lines(2))).output == ""
        found = messages(crm("-q", "--log-json", "logs", "mine", "no.log", code=4).stderr)
        assert [each["event"] for each in found] == ["error", "exit"]


class TestReading:
    def test_a_workspace_that_cannot_be_written_can_be_read(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", *crm.lines(5)))
        without_power = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
        if without_power and not shutil.which("setpriv"):
            pytest.skip("the administrator may write everywhere")
        program = [*without_power, sys.executable, "-m", "cli", "-w", str(crm.workspace)]
        everything = [crm.workspace, *crm.workspace.rglob("*")]
        modes = {path: path.stat().st_mode for path in everything}

        def run(*words: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run([*program, *words], capture_output=True, text=True, check=False)

        try:
            for path in reversed(everything):
                path.chmod(0o555 if path.is_dir() else 0o444)
            for command in (["logs", "status"], ["workspace", "info"], ["query", "select name from sources"]):
                done = run(*command)
                assert done.returncode == 0, done.stderr
                assert "a.log" in done.stdout or command[0] == "workspace"
            for command in (["query", "select * from hits", "--unmask"], ["logs", "mine", str(crm.folder / "a.log")]):
                done = run(*command)
                assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
                assert "cannot be written" in done.stderr
        finally:
            for path in everything:
                path.chmod(modes[path])

    def test_a_missing_and_a_cut_data_file_are_named(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", *crm.lines(5)))
        (file,) = (crm.workspace / "lake" / "hits").rglob("*.parquet")
        data = file.read_bytes()
        file.write_bytes(data[:-1])
        assert f"the data file {file} is damaged" in crm("logs", "top", "status", code=4).stderr
        file.unlink()
        for command in (["logs", "top", "status"], ["query", "select * from hits"], ["logs", "traffic"]):
            stderr = crm(*command, code=4).stderr
            assert stderr.startswith(f"crm: the data file {file} of the table hits is missing; ")
            assert stderr.count("\n") == 1

    def test_a_damaged_log_of_commits_is_one_sentence(self, crm: "Crm") -> None:
        crm("logs", "mine", crm.log("a.log", *crm.lines(5)))
        (commit,) = (crm.workspace / "lake" / "hits" / "_delta_log").glob("*1.json")
        commit.write_text("{no")
        stderr = crm("logs", "top", "status", code=4).stderr
        assert "hits is damaged; " in stderr
        assert stderr.count("\n") == 1

    def test_readers_are_told_once_when_sessions_are_behind_the_hits(
        self, crm: "Crm", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = crm.log("a.log", *crm.lines(5))
        commit = Lake.commit

        def dying(lake: Lake, name: str, *args: Any, **options: Any) -> None:
            if name == "sessions":
                raise KeyboardInterrupt
            commit(lake, name, *args, **options)

        for _ in range(2):
            with monkeypatch.context() as patch:
                patch.setattr(Lake, "commit", dying)
                assert crm("logs", "mine", log, code=130).stderr.endswith("crm: interrupted\n")
            for command in (["logs", "traffic"], ["paths", "transitions"], ["query", "select * from sessions"]):
                assert crm(*command).stderr.count("is behind the hits") == 1, command
            assert "behind" not in crm("logs", "top", "status").stderr
            crm("logs", "mine", log)
            for command in (["logs", "traffic"], ["paths", "transitions"], ["query", "select * from sessions"]):
                assert "behind" not in crm(*command).stderr
            crm.grow(log, *crm.lines(2, first=20))


SECTIONS = """
import msgspec
from crm.errors import Unusable

class Mine(msgspec.Struct):
    size: int = 3
    def check(self, host):
        assert host.log_formats()
        if self.size % 2: raise Unusable("mine.size: must be even")

class Other(msgspec.Struct):
    check: bool = True

@hookimpl
def config_sections(): return {"other": Other, "mine": Mine}
"""


class TestConfigCheck:
    def test_the_log_format_is_compiled(self, crm: "Crm") -> None:
        for text, wrong in (("combind", "did you mean `combined`?"), ("'%h %>s'", "has no time")):
            crm.configure(f"logs: {{format: {text}}}\n")
            stderr = crm("config", "check", code=4).stderr
            assert stderr.startswith("crm: logs.format: ")
            assert wrong in stderr
        crm.configure("logs: {format: '$msec|$remote_addr|$request'}\n")
        assert crm("config", "check").stdout.startswith("OK: ")

    def test_rules_that_cannot_be_are_found(self, crm: "Crm") -> None:
        crm.configure("logs: {sessions: {idle: 2d}}\n")
        assert "logs.sessions.idle must be" in crm("config", "check", code=4).stderr

    def test_a_plugins_section_is_asked_too_and_may_have_a_setting_of_that_name(self, crm: "Crm") -> None:
        crm.plugin("mine", SECTIONS)
        assert "crm: mine.size: must be even\n" in crm("config", "check", code=4).stderr

    def test_settings_of_plugins_without_effect_are_warned_of(self, crm: "Crm") -> None:
        crm.configure("plugins: {block: [pths, query], folder: nowhere}\n")
        result = crm("config", "check")
        assert "plugins.block: there is no plugin `pths` (did you mean `paths`?)" in result.stderr
        assert "`query`" not in result.stderr
        assert "nowhere" in result.stderr


class TestCompaction:
    def test_many_short_runs_leave_few_files_and_the_tables_of_one_run(
        self, crm: "Crm", new_crm: "Callable[[Path], Crm]", same: "Same", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compaction, "MANY", 4)
        every = crm.lines(60)
        log = crm.log("a.log", every[0])
        for number in range(1, 12):
            crm.grow(log, *every[5 * number - 4 : 5 * number + 1])
            crm("logs", "mine", log)
        files = crm.open().lake.files("hits")
        assert files.height < 5
        assert "-c" in files["path"].str.join("").item()
        whole = new_crm(crm.folder / "whole")
        whole("logs", "mine", log)
        same(crm.tables(), whole.tables())
        crm("logs", "rebuild")
        same(crm.tables(), whole.tables())
        crm("logs", "drop", "1", "--yes")
        crm("logs", "mine", log)
        same(crm.tables(), whole.tables())

    def test_runs_killed_at_any_moment_with_compaction_and_readers_beside_end_as_one_clean_run(
        self, crm: "Crm", new_crm: "Callable[[Path], Crm]", same: "Same"
    ) -> None:
        eager = "from crm import compaction; compaction.MANY = 2; from cli.main import run; run()"
        every, seed = crm.lines(240), random.Random(7)
        log = crm.log("a.log", every[0])
        began = time.monotonic()
        with crm.process("logs", "mine", log, program=eager) as process:
            assert process.wait(timeout=60) == 0
        whole_s = time.monotonic() - began
        kills = 0
        for number in range(1, 13):
            crm.grow(log, *every[20 * number - 19 : 20 * number + 1])
            with crm.process("logs", "mine", log, program=eager) as process:
                time.sleep(whole_s * seed.uniform(0.3, 1.0))
                reader = crm("query", "select count(*) as n, count(distinct line) as d from hits", "-f", "json")
                (row,) = json.loads(reader.stdout)
                assert row["n"] == row["d"]
                process.send_signal(signal.SIGKILL)
                process.wait(timeout=60)
                kills += process.returncode == -signal.SIGKILL
        assert kills
        crm("logs", "mine", log)
        crm.open().lake.sweep("hits")
        whole = new_crm(crm.folder / "whole")
        whole("logs", "mine", log)
        same(crm.tables(), whole.tables())
        assert crm.counts() == (240, 1)
