"""Every line is stored exactly once, whatever happens between and during runs."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crm.lake import Lake
from plugins.logs.ledger import Ledger

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]

HOUR = 3600


class Killed(BaseException):
    """What stands for a kill: nothing catches it."""


def kill(monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Make the program die at a point of its next run."""
    when, _, name = point.partition(" ")

    def dying(method: Callable[..., Any], dies: Callable[..., bool]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if dies(*args) and when == "before":
                raise Killed
            result = method(*args, **kwargs)
            if dies(*args):
                raise Killed
            return result

        return call

    if name == "ledger":
        monkeypatch.setattr(Ledger, "write", dying(Ledger.write, lambda *_: True))
    else:
        monkeypatch.setattr(Lake, "commit", dying(Lake.commit, lambda _, table, *__: table == name))


POINTS = [
    "before ledger",
    "after ledger",
    "after hits",
    "before sessions",
    "after sessions",
    "after pages",
    "after transitions",
]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("earlier", [0, 4], ids=["first run", "later run"])
def test_a_run_that_is_killed_anywhere_is_made_good_by_the_next(
    crm: "Crm",
    new_crm: "Callable[[Path], Crm]",
    same: "Same",
    monkeypatch: pytest.MonkeyPatch,
    point: str,
    earlier: int,
) -> None:
    every = crm.lines(130)
    log = crm.log("access.log", *every[: earlier or 130])
    if earlier:
        crm("logs", "mine", log)
        crm.grow(log, *every[earlier:])
    with monkeypatch.context() as patch:
        kill(patch, point)
        with pytest.raises(Killed):
            crm("logs", "mine", log)
    crm("logs", "mine", log)
    whole = new_crm(crm.folder / "whole")
    whole("logs", "mine", log)
    same(crm.tables(), whole.tables())
    assert crm.counts() == (130, 1)
    (status,) = crm.rows("logs", "status")
    assert (status["lines"], status["hits"]) == (130, 130)


@pytest.mark.parametrize("point", ["after ledger", "after hits", "after pages"])
def test_after_a_kill_a_log_that_has_grown_meanwhile_is_read_on(
    crm: "Crm", monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    every = crm.lines(12)
    log = crm.log("access.log", *every[:6])
    with monkeypatch.context() as patch:
        kill(patch, point)
        with pytest.raises(Killed):
            crm("logs", "mine", log)
    crm.grow(log, *every[6:])
    crm("logs", "mine", log)
    assert crm.counts() == (12, 1)
    assert crm.table("sessions")["hits"].sum() == 12


@pytest.mark.parametrize("point", ["after ledger", "after hits", "after sessions"])
def test_a_rebuild_that_is_killed_is_made_good_by_the_next_run(
    crm: "Crm", monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    log = crm.log("access.log", *crm.lines(8))
    crm("logs", "mine", log)
    crm.configure("logs: {sessions: {max_hits: 2}}")
    with monkeypatch.context() as patch:
        kill(patch, point)
        with pytest.raises(Killed):
            crm("logs", "mine", log)
    crm("logs", "mine", log)
    assert crm.table("sessions")["hits"].to_list() == [2, 2, 2, 2]
    assert crm.table("pages")["sessions"].sum() == 8
    assert crm.counts() == (8, 1)


@pytest.mark.parametrize("point", ["after ledger", "after hits", "after sessions"])
def test_a_drop_that_is_killed_is_done_whole_or_not_at_all(
    crm: "Crm", monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    keep, gone = crm.log("keep.log", *crm.lines(4)), crm.log("gone.log", *crm.lines(6, first=50))
    crm("logs", "mine", keep, gone)
    with monkeypatch.context() as patch:
        kill(patch, point)
        with pytest.raises(Killed):
            crm("logs", "drop", 2, "--yes")
    before = crm.counts()
    crm("logs", "mine", keep)
    assert crm.counts() == before == ((10, 2) if point == "after ledger" else (4, 1))
    assert crm.table("sessions")["hits"].sum() == before[0]
    crm("logs", "mine", gone)
    assert crm.counts() == (10, 2)


@pytest.mark.parametrize("table", ["hits", "sessions"])
def test_a_process_that_vanishes_is_made_good_by_the_next(crm: "Crm", table: str) -> None:
    program = f"""
import os
from crm.lake import Lake
from cli.main import run
commit = Lake.commit
def vanish(self, name, *args, **kwargs):
    if name == "{table}":
        os._exit(9)
    return commit(self, name, *args, **kwargs)
Lake.commit = vanish
run()
"""
    one, two = crm.log("1.log", *crm.lines(5)), crm.log("2.log", *crm.lines(5, first=50))
    with crm.process("logs", "mine", one, two, program=program) as process:
        assert process.wait(timeout=60) == 9
    crm("logs", "mine", one)
    assert crm.counts() == ((5, 1) if table == "hits" else (10, 2))
    left = {str(file.relative_to(crm.workspace)) for file in crm.workspace.rglob("*.parquet")}
    known = {
        f"lake/{name}/{path}" for name in crm.open().lake.contracts for path in crm.open().lake.files(name)["path"]
    }
    assert left == known


def test_mining_a_log_twice_adds_nothing(crm: "Crm") -> None:
    log = crm.log("access.log", *crm.lines(5))
    crm("logs", "mine", log)
    assert "unchanged" in crm("logs", "mine", log).stdout
    log.touch()
    assert "nothing new" in crm("logs", "mine", log).stdout
    assert "nothing new" in crm("logs", "mine", log, "--verify").stdout
    assert crm.counts() == (5, 1)


def test_one_log_under_several_names_in_one_call_is_read_once(crm: "Crm", tmp_path: Path) -> None:
    log = crm.log("access.log", *crm.lines(5))
    copy, link = tmp_path / "copy.log", tmp_path / "link.log"
    shutil.copy(log, copy)
    link.symlink_to(log)
    summary = crm("logs", "mine", log, f"{tmp_path}/./access.log", copy, link, f"{tmp_path}/*.log").stdout
    assert f"{copy}: nothing new" in summary
    assert crm.counts() == (5, 1)


def test_a_longer_copy_in_the_same_call_goes_on_where_the_shorter_one_ends(crm: "Crm") -> None:
    every = crm.lines(9)
    short, long = crm.log("a.log", *every[:4]), crm.log("b.log", *every)
    crm("logs", "mine", short, long)
    assert crm.counts() == (9, 1)


def test_an_unfinished_last_line_waits_until_it_is_finished(crm: "Crm") -> None:
    every = crm.lines(4)
    log = crm.log("access.log", *every[:2], every[2][:40], end="")
    crm("logs", "mine", log)
    assert crm.counts() == (2, 1)
    crm.grow(log, every[2][40:], end="")
    assert "nothing new" in crm("logs", "mine", log).stdout
    crm.grow(log, "", every[3])
    crm("logs", "mine", log)
    assert crm.counts() == (4, 1)
    assert crm.rows("query", "select line from hits order by line") == [{"line": n} for n in (1, 2, 3, 4)]


def test_a_log_of_one_unfinished_line_is_read_when_it_is_finished(crm: "Crm") -> None:
    log = crm.log("access.log", crm.line(), end="")
    assert f"{log}: nothing to read yet" in crm("logs", "mine", log).stdout
    crm.grow(log, "")
    crm("logs", "mine", log)
    assert crm.counts() == (1, 1)


def test_a_rotated_log_is_read_on_under_its_new_name_and_the_new_one_from_its_beginning(crm: "Crm") -> None:
    every = crm.lines(9)
    log = crm.log("access.log", *every[:3])
    crm("logs", "mine", log)
    crm.grow(log, *every[3:5])
    log.rename(crm.folder / "access.log.1")
    crm.log("access.log", *every[5:])
    crm("logs", "mine", f"{crm.folder}/access.log*")
    assert crm.counts() == (9, 2)
    assert [row["lines"] for row in crm.rows("logs", "status")] == [5, 4]


def test_a_log_that_was_copied_and_truncated_is_read_on_in_the_copy(crm: "Crm") -> None:
    every = crm.lines(9)
    log = crm.log("access.log", *every[:3])
    crm("logs", "mine", log)
    crm.grow(log, *every[3:5])
    shutil.copy(log, crm.folder / "access.log.1")
    os.truncate(log, 0)
    crm("logs", "mine", f"{crm.folder}/access.log*")
    crm.grow(log, *every[5:])
    crm("logs", "mine", f"{crm.folder}/access.log*")
    assert crm.counts() == (9, 2)


def test_a_truncated_log_that_outgrows_its_old_size_is_a_new_source(crm: "Crm") -> None:
    every = crm.lines(9)
    log = crm.log("access.log", *every[:2])
    crm("logs", "mine", log)
    log.write_text("\n".join(every[2:]) + "\n")
    crm("logs", "mine", log)
    assert crm.counts() == (9, 2)


@pytest.mark.parametrize("end", ["\n", ""], ids=["finished", "unfinished last line"])
def test_a_gzip_of_a_log_that_was_read_adds_only_what_is_new(crm: "Crm", end: str) -> None:
    every = crm.lines(6)
    log = crm.log("access.log", *every[:4])
    crm("logs", "mine", log)
    packed = crm.folder / "access.log.1.gz"
    packed.write_bytes(gzip.compress(("\n".join(every) + end).encode()))
    crm("logs", "mine", packed)
    assert crm.counts() == (6, 1)
    packed.touch()
    assert "nothing new" in crm("logs", "mine", packed).stdout


def test_standard_input_twice_adds_nothing_and_more_of_it_only_the_rest(crm: "Crm") -> None:
    every = crm.lines(6)
    data = "".join(f"{line}\n" for line in every).encode()
    first = "".join(f"{line}\n" for line in every[:4]).encode()
    for given, stored in ((first, 4), (first, 4), (data, 6)):
        with crm.process("logs", "mine", "-") as process:
            _, stderr = process.communicate(given, timeout=60)
        assert (process.returncode, stderr) == (0, b"")
        assert crm.counts() == (stored, 1)


def test_gzip_on_standard_input_is_unpacked(crm: "Crm") -> None:
    data = gzip.compress("".join(f"{line}\n" for line in crm.lines(6)).encode())
    for _ in range(2):
        with crm.process("logs", "mine", "-") as process:
            _, stderr = process.communicate(data, timeout=60)
        assert (process.returncode, stderr) == (0, b"")
    assert crm.counts() == (6, 1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["logs", "mine", "-"], "crm: 1 of 1 log could not be used, and nothing of them was stored: stdin: standard"),
        (["logs", "parse", "-"], "crm: 1 of 1 log could not be used: stdin: standard input is closed"),
        (["logs", "formats", "--detect", "-"], "crm: standard input is closed"),
        (["logs", "drop", "--all"], "crm: this forgets hits for good; say --yes where nobody can be asked"),
        (["logs", "prune", "--before", "2099-01-01"], "crm: this deletes hits for good; say --yes"),
        (["query", "-"], "crm: standard input is closed; connect it"),
    ],
)
def test_closed_standard_input_is_no_bug(crm: "Crm", words: list[str], sentence: str) -> None:
    crm("logs", "mine", crm.log("access.log", *crm.lines(2)))
    command = [sys.executable, "-m", "cli", "-w", str(crm.workspace), *words]
    ended = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *command], capture_output=True, text=True, check=False)
    assert ended.returncode in (2, 4)
    assert ended.stderr.splitlines()[-1].startswith(sentence)


def test_what_a_shell_has_read_of_standard_input_is_not_read_again(crm: "Crm") -> None:
    log = crm.log("access.log", *crm.lines(6))
    with log.open("rb") as stdin:
        os.read(stdin.fileno(), log.read_bytes().index(b"\n") + 1)
        command = [sys.executable, "-m", "cli", "-w", str(crm.workspace), "logs", "mine", "-"]
        subprocess.run(command, stdin=stdin, check=True, capture_output=True)
    assert crm.table("hits").height == 5


def test_a_log_read_from_standard_input_before_its_last_line_was_ended_goes_on_behind_it(crm: "Crm") -> None:
    every = crm.lines(3)
    crm("logs", "mine", "-", stdin="\n".join(every[:2]).encode())
    crm("logs", "mine", crm.log("access.log", *every))
    assert crm.counts() == (3, 1)
    (status,) = crm.rows("logs", "status")
    assert (status["lines"], status["blank"], status["rejected"]) == (3, 0, 0)


@pytest.mark.parametrize("text", ["", "\n", "# comment\n#another\n", "\n\n# comment\n\r\n"])
def test_a_log_without_any_line_is_empty_and_read_when_it_has_some(crm: "Crm", text: str) -> None:
    log = crm.folder / "access.log"
    log.write_text(text)
    assert f"{log}: {'nothing to read yet' if text else 'empty'}" in crm("logs", "mine", log).stdout
    assert crm.rows("logs", "status") == []
    crm.grow(log, crm.line())
    crm("logs", "mine", log)
    assert crm.counts() == (1, 1)


def test_a_second_run_at_the_same_time_exits_with_5_and_changes_nothing(crm: "Crm") -> None:
    log = crm.log("access.log", *crm.lines(5))
    crm("logs", "mine", log)
    crm.grow(log, *crm.lines(2, first=20))
    with crm.open().lock():
        for command in (["mine", log], ["rebuild"], ["drop", "--all", "--yes"]):
            assert "another run" in crm("logs", *command, code=5).stderr
        assert crm.counts() == (5, 1)
    crm("logs", "mine", log)
    assert crm.counts() == (7, 1)


def test_nothing_is_stored_of_a_log_of_which_over_half_is_rejected(crm: "Crm") -> None:
    good = crm.log("good.log", *crm.lines(3))
    bad = crm.log("bad.log", *crm.lines(2, first=20), "no", "line", "of a log")
    result = crm("logs", "mine", bad, good, "--log-format", "combined", code=4)
    assert f"{bad}: more than half of its lines do not fit the format combined" in result.stderr
    assert crm.counts() == (3, 1)
    assert [row["name"] for row in crm.rows("logs", "status")] == [str(good)]
    assert len(list((crm.workspace / "lake" / "hits").rglob("*.parquet"))) == 1
    crm.grow(bad, *crm.lines(2, first=30))
    crm("logs", "mine", bad, "--log-format", "combined")
    assert crm.counts() == (7, 2)


def test_nothing_is_stored_of_a_damaged_gzip_and_all_of_it_once_it_is_whole(crm: "Crm") -> None:
    data = gzip.compress("".join(f"{line}\n" for line in crm.lines(500)).encode())
    log = crm.folder / "access.log.gz"
    log.write_bytes(data[:-100])
    crm("logs", "mine", log, code=4)
    assert crm.counts() == (0, 0)
    log.write_bytes(data)
    crm("logs", "mine", log)
    assert crm.counts() == (500, 1)


def test_a_workspace_whose_ledger_is_older_than_its_hits_is_not_written_to(crm: "Crm") -> None:
    log = crm.log("access.log", *crm.lines(3))
    crm("logs", "mine", log)
    backup = (crm.workspace / "records.db").read_bytes()
    crm.grow(log, *crm.lines(2, first=20))
    crm("logs", "mine", log)
    for file in crm.workspace.glob("records.db*"):
        file.unlink()
    (crm.workspace / "records.db").write_bytes(backup)
    assert "restore both from one backup" in crm("logs", "mine", log, code=4).stderr
    assert crm.table("hits").height == 5
