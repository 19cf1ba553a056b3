"""Measure importing and exporting customers beside sqlite-utils: seconds and peak resident memory.

    pip install sqlite-utils
    python benchmarks/import_customers.py [--records 1000000] [--rounds 3]

The customers are those of `make_people.py`: phones in five writings, dates in four. The two programs run in turn on the
same file, each into a fresh place. sqlite-utils stores the texts of the file as they are; crm brings phones, e-mails,
dates and regions into form, keeps what they were, looks for outliers, and hashes what customers are found by. Then crm
exports what it holds, masked, and imports the file again: as it is, which changes nothing; with another address in
every twentieth row; and under another name, so that the source of every customer changes. With --encrypt it does all
of it once more with phones, e-mails and id numbers encrypted.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENCRYPTED = "protection: {encrypt: true}\n"


def run(words: list[str]) -> tuple[float, float]:
    """Seconds and peak MiB of a process."""
    start = time.monotonic()
    pid = os.posix_spawnp(
        words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def measured(folder: Path, file: Path, rounds: int, *, encrypt: bool) -> dict[str, list[tuple[float, float]]]:
    """What each step took in each round."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        place, table = folder / "ws", folder / "people.db"
        shutil.rmtree(place, ignore_errors=True)
        table.unlink(missing_ok=True)
        place.mkdir()
        (place / "crm.yaml").write_text(ENCRYPTED if encrypt else "")
        crm = [sys.executable, "-m", "cli", "-q", "-w", str(place), "customers"]
        steps = {
            "crm import": [*crm, "import", str(file)],
            "crm export, masked": [*crm, "export", "-o", str(folder / "out.csv")],
            "crm import again": [*crm, "import", str(file)],
            "crm import, 5 % changed": [*crm, "import", str(folder / "changed" / file.name)],
            "crm import, other name": [*crm, "import", str(folder / "other.csv")],
            "sqlite-utils insert": [
                *(sys.executable, "-m", "sqlite_utils", "insert", str(table), "people", str(file)),
                *("--csv", "--pk", "id", "--silent"),
            ],
        }
        for name, words in steps.items():
            found.setdefault(name, []).append(run(words))
    return found


def variants(folder: Path, file: Path) -> None:
    """The file with other addresses in every twentieth row, and the file under another name."""
    (folder / "other.csv").symlink_to(file)
    (folder / "changed").mkdir()
    other = folder / "changed" / file.name
    with file.open(encoding="utf-8", newline="") as given, other.open("w", encoding="utf-8", newline="") as out:
        rows = csv.DictReader(given)
        written = csv.DictWriter(out, rows.fieldnames or ())
        written.writeheader()
        for number, row in enumerate(rows):
            written.writerow({**row, "地址": f"新路{number}号"} if number % 20 == 0 else row)


def told(title: str, found: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians, and how many times as long as the peer."""
    peer = statistics.median(seconds for seconds, _ in found["sqlite-utils insert"])
    print(title)
    for name, runs in found.items():
        seconds = statistics.median(each for each, _ in runs)
        peak = statistics.median(each for _, each in runs)
        print(f"  {name:<26}{seconds:7.1f} s {peak:7.0f} MiB   {seconds / peer:5.2f} times sqlite-utils")


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Import and export customers beside sqlite-utils.")
    parser.add_argument("--records", type=int, default=1_000_000, help="customers (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (default: 3)")
    parser.add_argument("--encrypt", action="store_true", help="once more, encrypted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crm-import-") as name:
        folder = Path(name)
        # In a process of its own: what this one has ever held would count as held by those that it starts.
        make = [sys.executable, str(Path(__file__).parent / "make_people.py"), str(folder / "people.csv")]
        subprocess.run([*make, "--records", str(given.records), "--duplicates", "0"], check=True)
        variants(folder, folder / "people.csv")
        told(f"{given.records:,} customers", measured(folder, folder / "people.csv", given.rounds, encrypt=False))
        if given.encrypt:
            told("encrypted", measured(folder, folder / "people.csv", given.rounds, encrypt=True))


if __name__ == "__main__":
    main()
