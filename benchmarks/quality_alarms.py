"""How often early warnings are false, on years without any quality problem, and how small a problem they find.

    python benchmarks/quality_alarms.py
    python benchmarks/quality_alarms.py --seeds 20 --power

Years come from two generators that share no code: that of the sample (`sample_data/generate_tickets.py`) and
`quality_simulator.py`, each with true rates that are all alike, and with rates that vary from cell to cell with a
coefficient of variation of .3; with the vehicles in service, and without. Counted are the years with any warning.
"""

import argparse
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Final

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "sample_data"))

from quality_simulator import Lifts, simulated
from service_year.facts import facts

from plugins.tickets.quality.alarms import alarms, judged
from plugins.tickets.quality.cells import span_of, watched

VARIATIONS: Final = (0.0, 0.3)
POWER: Final = {
    "batch": ("batch and part", (3.0, 4.0, 5.0, 6.0, 8.0)),
    "dealer": ("dealer and labour", (1.5, 2.0, 2.5, 3.0, 4.0)),
    "rise": ("fault rises", (1.5, 2.0, 2.5, 3.0, 4.0)),
}
"""Which kind finds a planted problem, and the lifts that are tried."""

Year = tuple[pl.DataFrame, pl.DataFrame]


def sample(seed: int, variation: float) -> Year:
    """Tickets and vehicles of the sample's generator, without problems."""
    tables = facts(seed, 20_000, planted=False, spread=variation).tables
    causes = tables["faults"].select("fault_code", pl.col("cause").alias("fault_cause"))
    tickets = tables["tickets"].join(causes, on="fault_code", how="left")
    tickets = tickets.join(tables["vehicles"].select("vin", "sold"), on="vin", how="left")
    return tickets.with_columns(pl.col("opened").dt.date().alias("day")), tables["vehicles"]


def simulator(seed: int, variation: float) -> Year:
    """The same of the simulator."""
    return simulated(seed, variation)[:2]


GENERATORS: Final[dict[str, Callable[[int, float], Year]]] = {"sample": sample, "simulator": simulator}


def warned(year: Year, *, vehicles: bool = True) -> pl.DataFrame:
    """The warnings of a year.

    Args:
        year: Tickets and vehicles.
        vehicles: Whether the vehicles are known.
    """
    tickets, cars = year
    if not vehicles:
        tickets = tickets.with_columns(pl.lit(None, dtype=pl.Date).alias("sold"))
    return alarms(judged(list(watched(span_of(tickets, cars)))))


def false_alarms(name: str, variation: float, seeds: int, *, first: int = 1, vehicles: bool = True) -> int:
    """In how many years without problems there is any warning.

    Args:
        name: Of the generator.
        variation: The coefficient of variation of true rates.
        seeds: How many years.
        first: The first seed.
        vehicles: Whether the vehicles are known.
    """
    years = (GENERATORS[name](seed, variation) for seed in range(first, first + seeds))
    return sum(warned(year, vehicles=vehicles).height > 0 for year in years)


def found(problem: str, lift: float, variation: float, seeds: int) -> tuple[int, float]:
    """In how many years a planted problem is found, and how many tickets its cell has on average.

    Args:
        problem: One of `POWER`.
        lift: How many times the usual rate it has.
        variation: The coefficient of variation of true rates.
        seeds: How many years; seeds count from 1001.
    """
    kind, hits, tickets = POWER[problem][0], 0, 0.0
    for seed in range(1001, 1001 + seeds):
        rows, cars, planted = simulated(seed, variation, Lifts(**{problem: lift}))
        cells = judged(list(watched(span_of(rows, cars))))
        cell = cells.filter(kind=kind, cell=planted[kind])
        hits += alarms(cells).filter(kind=kind, cell=planted[kind]).height
        tickets += cell["observed"].sum() / seeds
    return hits, tickets


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200, metavar="N", help="years each (default: 200)")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first seed (default: 1)")
    parser.add_argument("--power", action="store_true", help="also how often problems of several sizes are found")
    given = parser.parse_args()
    print("false alarms: years without problems that have any warning")
    for vehicles, name, variation in product((True, False), GENERATORS, VARIATIONS):
        count = false_alarms(name, variation, given.seeds, first=given.first, vehicles=vehicles)
        exposure = "vehicles known" if vehicles else "tickets alone"
        print(f"  {name:9}  variation {variation:.1f}  {exposure:14}  {count:3} of {given.seeds}", flush=True)
    if given.power:
        print("power: years in which the planted cell is found")
        for problem, (_, lifts) in POWER.items():
            for variation in VARIATIONS:
                tried = [(lift, *found(problem, lift, variation, given.seeds)) for lift in lifts]
                said = ", ".join(f"x{lift:g}: {hits} ({tickets:.0f} tickets)" for lift, hits, tickets in tried)
                print(f"  {problem:6}  variation {variation:.1f}  of {given.seeds}: {said}", flush=True)


if __name__ == "__main__":
    main()
