"""How far a run has come, as its workspace shows it, and when to kill it: part of soak_kill.py."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workspace_differences import opened


@dataclass(frozen=True)
class State:
    """How far the runs of a workspace have come: numbers of runs.

    Attributes:
        at: When it was looked at, in nanoseconds since 1970.
        written: The newest run of which there is a data file of hits.
        ledger: The newest run in the ledger, committed or not.
        tables: The newest run that each table of the lake has.
    """

    at: int
    written: int
    ledger: int
    tables: dict[str, int]

    @classmethod
    def of(cls, path: Path) -> State:
        """Look at a workspace without opening its records, which would tidy up after a killed run."""
        at, lake = time.time_ns(), opened(path).lake
        tables = {name: lake.transaction(name) for name in lake.contracts}
        return cls(at, newest_part(path), newest_in_ledger(path), tables)

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


def newest_part(path: Path, since: int = 0) -> int:
    """The number of the newest run of which there is a data file of hits, written since some time (in nanoseconds)."""
    found = 0
    for file in (path / "lake" / "hits").rglob("r*.parquet"):
        with contextlib.suppress(FileNotFoundError):  # it has just been swept up
            if file.stat().st_mtime_ns >= since:
                found = max(found, int(file.name[1:].split("-")[0]))
    return found


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
    """A data file of hits of this run."""
    return newest_part(path, before.at) > before.tables["hits"]


def in_ledger(path: Path, _before: State) -> bool:
    """A transaction of the records: there is a write-ahead log only while they are open."""
    return (path / "records.db-wal").exists()


def out_of_ledger(path: Path, before: State) -> bool:
    """The end of one."""
    return not in_ledger(path, before)


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
    Moment((written, in_ledger, out_of_ledger), 0.01),
    Moment((committed("hits"),)),
    Moment((committed("sessions"),)),
    Moment((), 2.5),
    Moment((committed("pages"),)),
)
"""The moments, in turn."""
