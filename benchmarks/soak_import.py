"""End `crm customers import` by SIGKILL at random moments: all of a file is stored, or nothing.

    python benchmarks/soak_import.py [--kills 50] [--records 20000] [--seed 1]

Each file has new customers and changes others. One run that is left alone says how long an import takes, and how long
it writes. A quarter of the others are killed at a moment drawn from all of that time, half of them while they write
(the database's log grows) or soon after, and a quarter when the commit has just come through (the database itself is
written, which happens behind commits only). After each kill, customers, identities, the list of imports and the audit
log are compared with what a second workspace holds, into which the same files go undisturbed: either without the last
file, or with it. What was not stored is then imported again. The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl
from make_people import make
from soak_kill import KEY

from crm.app import App
from crm.workspace import write_key
from plugins import DEFAULT_PLUGINS

DATABASE = "records.db"
AFTER_S = 0.1
"""So long after the commit a kill is put off at most."""
MOMENTS = ("anywhere", "while it writes", "at the commit", "while it writes")
"""What imports are doing when they are killed, one after the other."""
Outcomes: TypeAlias = Counter[tuple[str, str]]

TABLES = {
    "customers": ("customer",),
    "identities": ("kind", "hash", "customer"),
    "imports": ("run",),
}
"""What is compared, and how it is sorted."""


def workspace(path: Path) -> Path:
    """A workspace with the key that both share."""
    write_key(path, KEY)
    return path


def importing(place: Path, file: Path) -> subprocess.Popen[bytes]:
    """Start an import in a process of its own."""
    words = [sys.executable, "-m", "cli", "-q", "-w", str(place), "customers", "import", str(file)]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def tables(place: Path) -> list[pl.DataFrame]:
    """What a workspace holds, without the times at which it came there; and how many imports its audit log tells of."""
    records = App(DEFAULT_PLUGINS, place).workspace().records
    found = [records.frame(name).sort(*keys).drop("ts", strict=False) for name, keys in TABLES.items()]
    return [*found, records.frame("audit").select("entry", "action", "what", "rows").sort("entry")]


def same(one: list[pl.DataFrame], other: list[pl.DataFrame]) -> bool:
    """Whether two workspaces hold the same."""
    return all(first.equals(second) for first, second in zip(one, other, strict=True))


@dataclass(frozen=True)
class Signs:
    """What is seen of an import from outside: sizes and times of the database's files.

    Attributes:
        place: The workspace.
        before: When the database was written last, before the import began.
    """

    place: Path
    before: int

    @classmethod
    def of(cls, place: Path) -> Signs:
        """Those of a workspace, before an import begins."""
        return cls(place, (place / DATABASE).stat().st_mtime_ns)

    def writes(self) -> bool:
        """Whether it has begun to write."""
        try:
            return (self.place / f"{DATABASE}-wal").stat().st_size > 0 or self.committed()
        except FileNotFoundError:
            return self.committed()

    def committed(self) -> bool:
        """Whether what it has written is on its way from the log into the database."""
        return (self.place / DATABASE).stat().st_mtime_ns != self.before


def waited(process: subprocess.Popen[bytes], sign: Callable[[], bool]) -> float:
    """Seconds until a sign is there, or the process has ended."""
    start = time.monotonic()
    while not sign() and process.poll() is None:
        time.sleep(0.001)
    return time.monotonic() - start


@dataclass(frozen=True)
class Times:
    """Seconds that an import takes in all, and from its first writing to its commit."""

    whole: float
    writing: float


def measured(place: Path, file: Path) -> Times:
    """Import a file and see how long it takes."""
    start, signs = time.monotonic(), Signs.of(place)
    process = importing(place, file)
    waited(process, signs.writes)
    writing = waited(process, signs.committed)
    process.communicate()
    return Times(time.monotonic() - start, writing)


def killed_at(place: Path, file: Path, moment: str, usual: Times, chance: random.Random) -> tuple[int, str]:
    """Import a file and kill the import; its exit code and what it has said."""
    signs = Signs.of(place)
    process = importing(place, file)
    if moment == "anywhere":
        time.sleep(chance.uniform(0.1, 1.1) * usual.whole)
    elif moment == "while it writes":
        waited(process, signs.writes)
        time.sleep(chance.uniform(0, 1.3) * usual.writing)
    else:
        waited(process, signs.committed)
        time.sleep(chance.uniform(0, AFTER_S))
    process.kill()
    said = process.communicate()[1].decode(errors="replace")
    return process.returncode, said


def files(folder: Path, count: int, records: int, chance: random.Random) -> list[Path]:
    """Files whose customers are partly those of files before."""
    rows, _ = make(records * 2, 0.0, 1)
    found = []
    for number in range(count):
        start = chance.randrange(records)
        part = rows[start : start + records].with_columns(城市=pl.lit(f"city {number}"))
        part.write_csv(folder / f"{number:04d}.csv")
        found.append(folder / f"{number:04d}.csv")
    return found


def soak(folder: Path, kills: int, records: int, seed: int) -> tuple[Outcomes, list[str]]:
    """Kill so many imports; what the kills left by the moment they were meant for, and what is wrong."""
    chance = random.Random(seed)
    killed, whole = workspace(folder / "killed"), workspace(folder / "whole")
    outcomes: Outcomes = Counter()
    wrong: list[str] = []
    first, *rest = files(folder, kills + 1, records, chance)
    for place in (killed, whole):
        importing(place, first).communicate()
    for number, file in enumerate(rest):
        before, moment = tables(whole), MOMENTS[number % len(MOMENTS)]
        usual = measured(whole, file)
        code, said = killed_at(killed, file, moment, usual, chance)
        if code not in (0, -signal.SIGKILL):
            wrong.append(f"{file.name} ended with {code}: {said[-1000:]}")
        now, after = tables(killed), tables(whole)
        state = "all" if same(now, after) else "nothing" if same(now, before) else "a part"
        outcomes[moment, f"left {state}" if code else "ended before the kill"] += 1
        if state == "a part":
            wrong.append(f"{file.name}: a part of it is stored")
        if state == "nothing":
            importing(killed, file).communicate()
            if not same(tables(killed), after):
                wrong.append(f"{file.name}: imported again, it differs")
    return outcomes, wrong


def main() -> int:
    """Run as a program: 0 when all is well, 1 when something differs."""
    parser = argparse.ArgumentParser(description="Kill crm customers import at random moments.")
    parser.add_argument("--kills", type=int, default=50, help="how many imports to kill (default: 50)")
    parser.add_argument("--records", type=int, default=20_000, help="customers of each file (default: 20000)")
    parser.add_argument("--seed", type=int, default=1, help="what is drawn at random (default: 1)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crm-soak-") as folder:
        outcomes, wrong = soak(Path(folder), given.kills, given.records, given.seed)
    print(f"{outcomes.total()} imports")
    for (moment, state), count in sorted(outcomes.items()):
        print(f"  killed {moment}: {count} {state}")
    for sentence in wrong:
        print(f"DIFFERENT: {sentence}")
    print("FAILED" if wrong else "PASSED: all of a file or nothing, every time")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
