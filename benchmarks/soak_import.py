"""End `crm customers import` by SIGKILL at random moments: all of a file is stored, or nothing.

    python benchmarks/soak_import.py [--kills 50] [--records 20000] [--seed 1]

Each file has new customers and changes others. One run that is left alone says how long an import takes; the others are
killed at a moment drawn from that time. After each kill, customers, identities, the list of imports and the audit log
are compared with what a second workspace holds, into which the same files go undisturbed: either without the last file,
or with it. What was not stored is then imported again. The exit code is 1 where anything differs.
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
from pathlib import Path

import polars as pl
from make_people import make
from soak_kill import KEY

from crm.app import App
from crm.workspace import write_key
from plugins import DEFAULT_PLUGINS

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


def soak(folder: Path, kills: int, records: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Kill so many imports; what the kills left, and what is wrong."""
    chance = random.Random(seed)
    killed, whole = workspace(folder / "killed"), workspace(folder / "whole")
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    first, *rest = files(folder, kills + 1, records, chance)
    start = time.monotonic()
    for place in (killed, whole):
        importing(place, first).communicate()
    usual = (time.monotonic() - start) / 2
    for file in rest:
        before = tables(whole)
        importing(whole, file).communicate()
        process = importing(killed, file)
        time.sleep(chance.uniform(0.3, 1.1) * usual)
        process.kill()
        said = process.communicate()[1].decode(errors="replace")
        if process.returncode not in (0, -signal.SIGKILL):
            wrong.append(f"{file.name} ended with {process.returncode}: {said[-1000:]}")
        now, after = tables(killed), tables(whole)
        state = "all" if same(now, after) else "nothing" if same(now, before) else "a part"
        outcomes[state if process.returncode else "ended before the kill"] += 1
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
    print(
        f"{outcomes.total()} imports: "
        + ", ".join(f"{count} left {state}" for state, count in sorted(outcomes.items()))
    )
    for sentence in wrong:
        print(f"DIFFERENT: {sentence}")
    print("FAILED" if wrong else "PASSED: all of a file or nothing, every time")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
