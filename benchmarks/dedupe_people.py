"""Measure how well, how fast and in how much memory records of one person are found.

    python benchmarks/dedupe_people.py
    python benchmarks/dedupe_people.py --records 50000 200000
    python benchmarks/dedupe_people.py --febrl FOLDER

Without FOLDER, the records are those of `make_people.py`. FOLDER holds `dataset1.csv.gz` and so on: people of febrl
with planted duplicates, whose ids say who is who (`rec-7-org`, `rec-7-dup-0`). Each table is linked in a process of
its own, by the functions behind `crm customers dedupe` with their usual thresholds, and nothing is tuned to the truth.
Printed are precision, recall and F1 of the pairs from the threshold on, and of the pairs within persons, the seconds
of wall clock and of all processors, and the peak resident memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

THRESHOLD = 0.9


def febrl(file: Path) -> tuple[pl.DataFrame, Any]:
    """The table in a file of febrl, and the number of each row's person."""
    rows = pl.read_csv(file, infer_schema=False)
    rows = rows.rename({name: name.strip() for name in rows.columns})
    return rows, rows["rec_id"].str.extract(r"rec-(\d+)-").cast(pl.Int64).to_numpy()


def made(records: int) -> tuple[pl.DataFrame, Any]:
    """A made-up table, and the number of each row's person."""
    from make_people import make

    rows, truth = make(records, 0.25, 1)
    return rows, truth["person"].to_numpy()


def pairs(label: Any) -> int:
    """How many pairs have the same label."""
    size = np.unique(label, return_counts=True)[1]
    return int((size * (size - 1) // 2).sum())


def told(name: str, right: int, found: int, true: int) -> None:
    """Print precision, recall and F1."""
    f1 = 2 * right / max(found + true, 1)
    print(f"  {name:8}precision {right / max(found, 1):.4f}  recall {right / max(true, 1):.4f}  F1 {f1:.4f}")


def measure(rows: pl.DataFrame, person: Any) -> None:
    """Link a table and print how well that went."""
    from plugins.customers.linkage_columns import chosen, guess_id
    from plugins.customers.record_linkage import Linkage

    columns = chosen(rows.columns, {})
    start, processors = time.perf_counter(), time.process_time()
    linkage = Linkage(rows, columns, rows[guess_id(rows.columns, columns) or rows.columns[0]])
    table, cut = linkage.persons(THRESHOLD)
    wall, processors = time.perf_counter() - start, time.process_time() - processors
    found, truth = linkage.found, person[linkage.order]
    same, true = truth[found.left] == truth[found.right], pairs(person)
    sure = found.probability >= THRESHOLD
    print(f"  {rows.height:,} records, {len(same):,} pairs compared, with {same.sum() / true:.4f} of the true ones")
    told("pairs", int((same & sure).sum()), int(sure.sum()), true)
    both = table["person"].to_numpy() * (person.max() + 1) + person
    told("persons", pairs(both), pairs(table["person"].to_numpy()), true)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {wall:.1f} s, {processors:.1f} s of processors, {peak:,.0f} MB, {cut} chains cut")


def main() -> None:
    """Read the arguments and measure each table in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--febrl", type=Path, metavar="FOLDER")
    parser.add_argument("--records", type=int, nargs="+", default=[200_000])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(*(made(int(args.one)) if args.one.isdigit() else febrl(Path(args.one))))
        return
    tables = sorted(map(str, args.febrl.glob("dataset*.csv.gz"))) if args.febrl else [str(n) for n in args.records]
    for table in tables:
        print(table, flush=True)
        subprocess.run([sys.executable, __file__, "--one", table], check=True)


if __name__ == "__main__":
    main()
