"""End `crm logs mine` by SIGKILL at random moments; the workspace must end equal to one clean run.

    python benchmarks/soak_kill.py [--kills 100] [--seed 1] [--keep FOLDER]

Between the kills the log grows and is rotated (rotated_log.py says how), also while a run is reading; some runs are
left to end by themselves. The moments are chosen by time after the start and by what the workspace shows of a run: its
first data file, its ledger, its commit, its sessions, its miners. At the end one run takes in the rest, and the
workspace is compared with two others, made by one clean run each: of the whole log in one file (every table, but for
the columns source, line and run), and of the pieces as they lie there now (the same with the lines, and the ledger).

Printed are the kills by the state in which they left the workspace, and the verdict; the exit code is 1 where
anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from rotated_log import CONFIGURATION, RotatedLog

from crm.app import App
from crm.workspace import Workspace, write_key
from plugins import DEFAULT_PLUGINS

KEY = bytes(range(32))
BURSTS, BURST_WEIGHTS = (0, 1, 40, 400, 4000, 20_000), (5, 20, 25, 25, 20, 5)
"""Lines that arrive between two runs, and how often."""

WHEREABOUTS = ("source", "line", "run")
"""Columns that tell where a row came from and when."""

REFUSED = (4, " logs could not be used")
"""How a run may end while files are moved about under it: one that is gone or half packed is refused."""


@dataclass(frozen=True)
class Report:
    """What a soak found.

    Attributes:
        kills: How often runs were killed, by the state in which they left the workspace.
        runs: How many runs there were, killed or not.
        lines: How many lines were written.
        rotations: How often the log was rotated.
        differences: What is not as one clean run makes it; empty if all is well.
    """

    kills: dict[str, int]
    runs: int
    lines: int
    rotations: int
    differences: list[str]


@dataclass
class Soak:
    """A workspace, the log that it mines, and what has been done to both.

    Attributes:
        folder: Where everything lies.
        chance: What decides.
    """

    folder: Path
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    differences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = new_workspace(self.folder / "killed")
        self.log = RotatedLog(self.folder / "logs", self.folder / "whole.log", self.chance)

    def run(self, kills: int) -> Report:
        """Kill so many runs, let the last one end, and compare."""
        with self.log:
            self._run(kills)
        missing = kills - self.kills.total()
        if missing > 0 and not self.differences:
            self.differences.append(f"{missing} of {kills} kills came too late in {self.runs} runs")
        return Report(dict(self.kills), self.runs, self.log.lines, self.log.rotations, self.differences)

    def _run(self, kills: int) -> None:
        self.log.grow(200)
        while self.kills.total() < kills and self.runs < 10 * kills and not self.differences:
            self._change()
            if self.chance.random() < 0.8:
                self._kill(MOMENTS[self.runs % len(MOMENTS)])
            else:
                self._let_end()
        self.log.finish()
        self._finish()

    def _change(self) -> None:
        """Let the log grow, and at times rotate it."""
        self.log.grow(self.chance.choices(BURSTS, BURST_WEIGHTS)[0])
        if self.chance.random() < 0.3:
            self.log.rotate()

    def _kill(self, moment: Moment) -> None:
        """Start a run and end it at a moment."""
        before = State.of(self.workspace)
        process = self._start()
        try:
            if self.chance.random() < 0.3:
                time.sleep(self.chance.uniform(0, 1))
                self._change()
            moment.wait(process, self.workspace, before, self.chance)
        finally:
            process.kill()
        self._ended(process, -signal.SIGKILL, may_refuse=True)
        if process.returncode == -signal.SIGKILL:
            self.kills[State.of(self.workspace).since(before)] += 1

    def _let_end(self) -> None:
        """Start a run, change the log meanwhile, and let the run end."""
        process = self._start()
        self._change()
        self._ended(process, may_refuse=True)

    def _start(self) -> subprocess.Popen[bytes]:
        self.runs += 1
        return mining(self.workspace, self.log.folder)

    def _ended(self, process: subprocess.Popen[bytes], *codes: int, may_refuse: bool = False) -> None:
        """Wait for a run, and see that it ended well, or with one of some codes."""
        said = process.communicate()[1].decode(errors="replace")
        refused = may_refuse and process.returncode == REFUSED[0] and REFUSED[1] in said
        if process.returncode not in (0, *codes) and not refused:
            self.differences.append(f"run {self.runs} ended with {process.returncode}: {said[-2000:]}")

    def _finish(self) -> None:
        """Mine what is left, and compare with one clean run of the whole log and with one of its pieces."""
        whole, pieces = new_workspace(self.folder / "whole"), new_workspace(self.folder / "pieces")
        clean = {whole: self.folder / "whole.log", pieces: self.log.folder}
        for workspace, log in {self.workspace: self.log.folder, **clean}.items():
            self._ended(mining(workspace, log))
        again = self.folder / "again.json"
        self._ended(mining(self.workspace, self.log.folder, "--verify", "--json-summary", str(again)))
        if not self.differences:
            self.differences += again_differences(again)
            self.differences += table_differences(self.workspace, whole, WHEREABOUTS)
            self.differences += table_differences(self.workspace, pieces, ("source", "run"))
            self.differences += ledger_differences(self.workspace, pieces)


def new_workspace(path: Path) -> Path:
    """A workspace with the key and the rules that all share."""
    write_key(path, KEY)
    (path / "crm.yaml").write_text(CONFIGURATION)
    return path


def mining(workspace: Path, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start `crm logs mine` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    words = ["-q", "-w", str(workspace), "logs", "mine", str(log), "--log-format", "combined", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )


def opened(path: Path) -> Workspace:
    """The workspace as it lies there."""
    return App(DEFAULT_PLUGINS, path).workspace()


@dataclass(frozen=True)
class State:
    """How far the runs of a workspace have come: numbers of runs.

    Attributes:
        written: The newest run of which there is a data file of hits.
        ledger: The newest run in the ledger, committed or not.
        tables: The newest run that each table of the lake has.
    """

    written: int
    ledger: int
    tables: dict[str, int]

    @classmethod
    def of(cls, path: Path) -> State:
        """Look at a workspace without opening its records, which would tidy up after a killed run."""
        lake = opened(path).lake
        tables = {name: lake.transaction(name) for name in lake.contracts}
        return cls(newest_part(path), newest_in_ledger(path), tables)

    def since(self, before: State) -> str:
        """Where a run was when it was killed."""
        hits = self.tables["hits"]
        behind = sorted(name for name, run in self.tables.items() if run < hits)
        if hits == before.tables["hits"]:
            if self.ledger > hits:
                return "between ledger and commit"
            return "while reading" if self.written > hits else "before reading"
        if "sessions" in behind:
            return "after the commit, before the sessions"
        return f"between the miners' tables: {', '.join(behind)} behind" if behind else "after the last commit"


def newest_part(path: Path) -> int:
    """The number of the newest run of which there is a data file of hits."""
    files = (path / "lake" / "hits").rglob("r*.parquet")
    return max((int(file.name[1:].split("-")[0]) for file in files), default=0)


def newest_in_ledger(path: Path) -> int:
    """The number of the newest run in the ledger, read from a copy of it."""
    with tempfile.TemporaryDirectory() as folder:
        for file in path.glob("records.db*"):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, Path(folder, file.name))
        with contextlib.closing(sqlite3.connect(Path(folder, "records.db"))) as connection:
            try:
                return connection.execute("select max(run) from runs").fetchone()[0] or 0
            except sqlite3.OperationalError:  # killed before its tables were made
                return 0


@dataclass(frozen=True)
class Moment:
    """When a run is killed: once the workspace has shown some things, one after another, and a little later.

    Attributes:
        stages: What it must show; a run that ends before is not killed.
        seconds: How much later at most.
    """

    stages: tuple[Callable[[Path, State], bool], ...]
    seconds: float = 0.1

    def wait(self, process: subprocess.Popen[bytes], path: Path, before: State, chance: random.Random) -> None:
        """Wait for it."""
        for shows in self.stages:
            while process.poll() is None and not shows(path, before):
                time.sleep(0.0005)
        time.sleep(chance.choice((0, 0.1, 1)) * chance.uniform(0, self.seconds))


def written(path: Path, before: State) -> bool:
    """A data file of hits."""
    return newest_part(path) > max(before.written, before.tables["hits"])


def in_ledger(path: Path, _before: State) -> bool:
    """A transaction of the records: there is a write-ahead log only while they are open."""
    return (path / "records.db-wal").exists()


def committed(table: str) -> Callable[[Path, State], bool]:
    """A commit of this run to a table."""

    def shows(path: Path, before: State) -> bool:
        log = path / "lake" / table / "_delta_log"
        newest = max((int(file.stem) for file in log.glob("*.json") if file.stem.isdigit()), default=0)
        return newest > 0 and run_of(log / f"{newest:020d}.json") > before.tables["hits"]

    return shows


def run_of(commit: Path) -> int:
    """The number of the run of a commit, as its application transaction; 0 if it has none yet."""
    actions = (json.loads(line) for line in commit.read_text().splitlines())
    return max((action["txn"]["version"] for action in actions if "txn" in action), default=0)


MOMENTS = (
    Moment((), 1),
    Moment((written,)),
    Moment((written, in_ledger), 0.01),
    Moment((committed("hits"),)),
    Moment((committed("sessions"),)),
    Moment((), 2.5),
    Moment((committed("pages"),)),
)
"""The moments, in turn."""


def again_differences(summary: Path) -> list[str]:
    """What a further run, which opens every file, has found new."""
    lines = json.loads(summary.read_text())["lines"]
    return [f"a further run with --verify found {lines} new lines"] if lines else []


def table_differences(found: Path, wanted: Path, but: tuple[str, ...]) -> list[str]:
    """Tables of the lake that differ in more than some columns."""
    left, right = opened(found), opened(wanted)
    names = [
        name for name in left.lake.contracts if not sorted_table(left, name, but).equals(sorted_table(right, name, but))
    ]
    return [f"table {name}: {describe(left, right, name, but)} ({found.name}, {wanted.name})" for name in names]


def sorted_table(workspace: Workspace, name: str, but: tuple[str, ...]) -> pl.DataFrame:
    """A table in an order of its own, without some columns; a hit's source by its fingerprint where its line counts."""
    frame = workspace.scan(name).collect()
    if "source" in frame.columns and "line" not in but:
        sources = workspace.records.frame("sources").sort("run").group_by("source").agg(pl.col("fingerprint").last())
        frame = frame.join(sources, on="source", how="left")
    frame = frame.drop(but, strict=False)
    return frame.sort([column for column in frame.columns if not frame[column].dtype.is_nested()])


def describe(left: Workspace, right: Workspace, name: str, but: tuple[str, ...]) -> str:
    """How many rows each side has, and the first that the other lacks."""
    one, other = sorted_table(left, name, but), sorted_table(right, name, but)
    flat = [column for column in one.columns if not one[column].dtype.is_nested()]
    rows = [
        a.join(b, on=flat, how="anti", nulls_equal=True).head(1).rows(named=True)
        for a, b in ((one, other), (other, one))
    ]
    return f"{one.height} rows and {other.height}, such as {rows[0]} and {rows[1]}"


def ledger_differences(found: Path, wanted: Path) -> list[str]:
    """Sources whose accounts differ."""
    left, right = accounts(found), accounts(wanted)
    return [
        f"source {key}: {left.get(key)} instead of {right.get(key)}"
        for key in sorted({*left, *right})
        if left.get(key) != right.get(key)
    ]


def accounts(path: Path) -> dict[str, dict[str, object]]:
    """What the ledger says of each source, by its fingerprint: where every line went, and how far it was read."""
    out: dict[str, dict[str, object]] = {}
    for (_, *_rest), rows in opened(path).records.frame("sources").sort("run").group_by("source", maintain_order=True):
        last = rows.row(-1, named=True)
        totals: dict[str, object] = {name: rows[name].sum() for name in ("lines", "hits", "blank")}
        totals |= {name: summed(rows[name]) for name in ("filtered", "rejected")}
        out[last["fingerprint"]] = totals | {name: last[name] for name in ("head", "offset", "tail", "tail_bytes")}
    return out


def summed(texts: pl.Series) -> dict[str, int]:
    """The sum of counts by reason, each a JSON object."""
    return dict(sum((Counter(json.loads(text)) for text in texts), Counter()))


@contextlib.contextmanager
def working_folder(keep: Path | None) -> Iterator[Path]:
    """A folder that goes at the end, or one that is kept."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="crm-soak-") as folder:
        yield Path(folder)


def main() -> int:
    """Run as a program: 0 when all is equal, 1 when something differs."""
    parser = argparse.ArgumentParser(
        description="Kill crm logs mine at random moments, and compare with one clean run."
    )
    parser.add_argument("--kills", type=int, default=100, help="how many runs to kill (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random (default: 1)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a new folder for logs and workspaces, to look at them"
    )
    arguments = parser.parse_args()
    with working_folder(arguments.keep and arguments.keep.resolve()) as folder:
        report = Soak(folder, random.Random(arguments.seed)).run(arguments.kills)
    print(
        f"{report.runs} runs, {sum(report.kills.values())} killed, {report.lines:,} lines, {report.rotations} rotations"
    )
    for state, count in sorted(report.kills.items()):
        print(f"  {count:>4}  {state}")
    for difference in report.differences:
        print(f"DIFFERENT: {difference}")
    print("FAILED" if report.differences else "PASSED: every table and the ledger are those of one clean run")
    return int(bool(report.differences))


if __name__ == "__main__":
    sys.exit(main())
