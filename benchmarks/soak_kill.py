"""End `crm logs mine` by SIGKILL at random moments; the workspace must end equal to one clean run.

    python benchmarks/soak_kill.py [--kills 100] [--first 500000] [--seed 1] [--keep FOLDER]

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
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from moments import MOMENTS, Moment, State
from rotated_log import CONFIGURATION, RotatedLog
from workspace_differences import WHEREABOUTS, again_differences, ledger_differences, table_differences

from crm.workspace import write_key

KEY = bytes(range(32))
BURSTS, BURST_WEIGHTS = (0, 1, 40, 400, 4000, 20_000), (5, 20, 25, 25, 20, 5)
"""Lines that arrive between two runs, and how often."""

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
        first: How many lines the log has before the first run.
    """

    folder: Path
    chance: random.Random
    first: int = 200
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
        self.log.grow(self.first)
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
    parser.add_argument("--first", type=int, default=500_000, help="lines before the first run (default: 500000)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random (default: 1)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a new folder for logs and workspaces, to look at them"
    )
    arguments = parser.parse_args()
    with working_folder(arguments.keep and arguments.keep.resolve()) as folder:
        report = Soak(folder, random.Random(arguments.seed), arguments.first).run(arguments.kills)
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
