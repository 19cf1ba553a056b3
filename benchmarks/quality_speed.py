"""How long `crm tickets quality` and `crm tickets warnings` take on a million tickets in SQLite, and where it goes.

    python benchmarks/quality_speed.py
    python benchmarks/quality_speed.py --tickets 200000 --keep /tmp/speed

Each command runs in a process of its own, so what it takes to start the program counts. A folder that is kept is used
again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from crm.app import App
from plugins import DEFAULT_PLUGINS

MODELS: Final = 12
BATCHES: Final = 24
PARTS: Final = 60
DEALERS: Final = 30
STATES: Final = {"confirmed": 0.6, "paid": 0.1, "settled": 0.1, "in_review": 0.1, "rejected": 0.05, "served": 0.05}
COMMANDS: Final = (
    ("quality",),
    ("quality", "--by", "fault_cause,batch", "--measure", "tickets"),
    ("warnings", "--no-store"),
)
COLUMNS: Final = ("part_category", "vin", "produced", "opened", "parts_cost", "labour_cost", "amount", "state")
"""What `quality` reads of each ticket."""


def vehicles(rng: np.random.Generator, count: int) -> pl.DataFrame:
    """Vehicles of two years of batches."""
    model, batch = rng.integers(0, MODELS, count), rng.integers(0, BATCHES, count)
    sold = np.datetime64("2023-01-01") + (batch * 30 + rng.integers(20, 60, count)).astype("timedelta64[D]")
    return pl.DataFrame(
        {
            "vin": _names("V", np.arange(count), 16),
            "model": _names("M", model, 2),
            "batch": _names("B", model * BATCHES + batch, 3),
            "produced": sold - np.timedelta64(20, "D"),
            "sold": sold,
        }
    )


def _names(letter: str, numbers: np.ndarray, width: int) -> pl.Series:
    return letter + pl.Series(numbers).cast(pl.String).str.pad_start(width, "0")


def tickets(rng: np.random.Generator, cars: pl.DataFrame, count: int) -> pl.DataFrame:
    """Tickets of a year after."""
    part, fault = rng.integers(0, PARTS, count), rng.integers(0, 6, count)
    costs = {"parts_cost": rng.gamma(2, 300, count).round(2), "labour_cost": rng.gamma(2, 150, count).round(2)}
    opened = np.datetime64("2025-01-01T00:00:00") + rng.integers(0, 365 * 86_400, count).astype("timedelta64[s]")
    return pl.DataFrame(
        {
            "ticket": _names("T", np.arange(count), 8),
            "dealer": _names("D", rng.integers(0, DEALERS, count), 3),
            **cars[rng.integers(0, cars.height, count)].select("vin", "model", "batch", "produced").to_dict(),
            "labour_code": _names("L", part, 3),
            "fault_code": _names("F", part // 6 * 6 + fault, 3),
            "fault_text": pl.repeat("the engine makes a noise when it is cold", count, eager=True),
            "part": _names("P", part, 3),
            "part_category": _names("C", part // 6, 2),
            **costs,
            "amount": costs["parts_cost"] + costs["labour_cost"],
            "opened": opened.astype("datetime64[us]"),
        }
    )


def fill(folder: Path, count: int) -> None:
    """Make a workspace with so many tickets."""
    rng = np.random.default_rng(1)
    cars = vehicles(rng, max(1, count * 2 // 5))
    rows = tickets(rng, cars, count)
    states = rows.select("ticket", state=pl.Series(rng.choice(list(STATES), count, p=list(STATES.values()))))
    causes = ("material", "design", "assembly", "wear", "handling", "supplier")
    faults = pl.DataFrame(
        {"fault_code": _names("F", np.arange(PARTS), 3), "cause": [causes[at % 6] for at in range(PARTS)]}
    )
    records = App(DEFAULT_PLUGINS, folder).workspace(create=True).records
    with records.begin() as connection:
        for name, frame in (("vehicles", cars), ("tickets", rows), ("fault_codes", faults), ("ticket_states", states)):
            records.append(connection, name, frame)


def timed(folder: Path, words: tuple[str, ...]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor, that a command takes."""
    program = [sys.executable, "-c", "from cli.main import run; run()", "-w", str(folder), "tickets", *words]
    before, began = os.times(), time.perf_counter()
    subprocess.run([*program, "-n", "3"], check=True)
    after, ended = os.times(), time.perf_counter()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return ended - began, used


def reading(folder: Path) -> float:
    """Seconds of the processor that reading the columns of `quality` takes."""
    from crm.filters import Filters
    from plugins.tickets.quality.source import read

    records = App(DEFAULT_PLUGINS, folder).workspace().records
    began = time.process_time()
    for _ in read(records, COLUMNS, Filters()):
        pass
    return time.process_time() - began


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=1_000_000, metavar="N", help="how many (default: 1,000,000)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="a workspace to make, or to use again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary) / "workspace"
        if not (folder / "version").exists():
            fill(folder, given.tickets)
        for words in COMMANDS:
            clock, processor = timed(folder, words)
            print(f"crm tickets {' '.join(words)}: {clock:.1f} s, {processor:.1f} s of processor", flush=True)
        print(f"of that, reading tickets for quality: {reading(folder):.1f} s of processor")


if __name__ == "__main__":
    main()
