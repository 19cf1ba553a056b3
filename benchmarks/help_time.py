"""How long `crm --help` takes, as a multiple of `python -c "import click"`; the claim is at most 3.

Both run in turn, 15 times each after one run to warm up, and the medians are compared:

    python benchmarks/help_time.py
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15
CLAIM = 3.0


def seconds(command: list[str]) -> float:
    """Wall time of one run; compiled modules may be kept, as they are for a user."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def main() -> int:
    """Print both medians and their ratio; 1 if it is above the claim."""
    commands = {
        'python -c "import click"': [sys.executable, "-c", "import click"],
        "crm --help": [str(Path(sys.executable).with_name("crm")), "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for run in range(RUNS + 1):
        for name, command in commands.items():
            taken = seconds(command)
            if run:
                times[name].append(taken)
    base, measured = (statistics.median(each) for each in times.values())
    for name, each in times.items():
        print(f"{name:26}{statistics.median(each) * 1000:8.1f} ms")
    print(f"{'ratio':26}{measured / base:8.2f}    (claim: at most {CLAIM:g})")
    return int(measured / base > CLAIM)


if __name__ == "__main__":
    sys.exit(main())
