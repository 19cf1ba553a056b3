"""Measure the miners of paths beside others: prefixspan, mlxtend and pyfim.

    pip install prefixspan mlxtend pyfim
    python benchmarks/against_miners.py --data FOLDER
    python benchmarks/against_miners.py --data FOLDER --rounds 5
    python benchmarks/against_miners.py --only transitions

FOLDER holds `sequences/MSNBC.spmf.gz` (SPMF's page categories of msnbc.com) and `groceries/groceries.baskets.csv`
(arules).
Every program is run in a process of its own, in turn, on lists or frames that are in memory already; printed are the
seconds of each round, the medians, their ratio, the peak resident memory, and what was found, which must be alike.
`transitions` needs no data: a million made-up sessions, mined by the functions behind `crm paths transitions`, and a
quarter of them, to see how time and memory grow.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 3
SESSIONS = 1_000_000
PAGES = 2_000


@dataclass(frozen=True)
class Race:
    """A task, and who does it: ours first."""

    title: str
    runners: tuple[str, ...]


RACES = {
    "patterns": Race("MSNBC, patterns in 1 % of 31,790 sequences", ("crm_patterns", "prefixspan")),
    "itemsets": Race("groceries, itemsets in 0.1 % of 9,835 baskets", ("crm_itemsets", "mlxtend", "pyfim")),
    "transitions": Race("made-up sessions of 9 views on average", ("transitions", "transitions_quarter")),
}


def sequences(data: Path) -> Any:
    """The corpus of MSNBC."""
    from plugins.paths.corpus import Corpus
    from plugins.paths.inputs import read

    file = data / "sequences" / "MSNBC.spmf.gz"
    return Corpus.of(read(file.read_bytes(), "spmf", file.name).sessions["path"])


def baskets(data: Path) -> Any:
    """The corpus of the groceries."""
    from plugins.paths.corpus import Corpus
    from plugins.paths.inputs import read

    file = data / "groceries" / "groceries.baskets.csv"
    return Corpus.of(read(file.read_bytes(), "baskets", file.name).sessions["path"])


def crm_patterns(data: Path) -> Callable[[], int]:
    """Ours."""
    from plugins.paths.patterns import Wanted, mine

    corpus = sequences(data)
    return lambda: mine(corpus, Wanted(math.ceil(0.01 * corpus.sessions))).count


def prefixspan(data: Path) -> Callable[[], int]:
    """PrefixSpan of the package index, in Python."""
    from prefixspan import PrefixSpan

    corpus = sequences(data)
    lists = [codes.tolist() for codes in _split(corpus)]
    return lambda: len(PrefixSpan(lists).frequent(math.ceil(0.01 * len(lists))))


def crm_itemsets(data: Path) -> Callable[[], int]:
    """Ours."""
    from plugins.paths.itemsets import itemsets

    corpus = baskets(data)
    return lambda: itemsets(corpus, math.ceil(0.001 * corpus.sessions)).count


def mlxtend(data: Path) -> Callable[[], int]:
    """FP-growth of mlxtend, on its one-hot frame."""
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth
    from mlxtend.preprocessing import TransactionEncoder

    lists = baskets(data).paths().to_list()
    encoder = TransactionEncoder()
    frame = pd.DataFrame(encoder.fit(lists).transform(lists), columns=encoder.columns_)
    return lambda: len(fpgrowth(frame, min_support=0.001))


def pyfim(data: Path) -> Callable[[], int]:
    """FP-growth of pyfim, in C."""
    from fim import fpgrowth

    lists = baskets(data).paths().to_list()
    return lambda: len(fpgrowth(lists, supp=-math.ceil(0.001 * len(lists))))


def transitions(_data: Path, sessions: int = SESSIONS) -> Callable[[], int]:
    """The Markov chain of so many sessions: pages, transitions, entry and exit."""
    import numpy as np
    import polars as pl

    from plugins.paths import mining

    dice = np.random.default_rng(7)
    lengths = dice.geometric(1 / 9, sessions)
    pages = np.minimum(dice.zipf(1.3, int(lengths.sum())), PAGES)
    number = np.repeat(np.arange(sessions), lengths)
    views = pl.DataFrame({"session": number, "path": pl.Series(pages).cast(pl.String)})
    moment = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    frame = views.group_by("session", maintain_order=True).agg(
        "path", moment.repeat_by(pl.len()).first().alias("times")
    )
    whole = frame.with_columns(pl.lit(None, dtype=pl.Date).alias("date"))

    def run() -> int:
        viewed = mining.views(whole.lazy()).collect().lazy()
        tables = [
            made(viewed).cast({pl.Categorical: pl.String}).collect() for made in (mining.transitions, mining.pages)
        ]
        steps, sums = (table.lazy() for table in tables)
        return mining.transition_report(steps, sums).collect().height

    return run


def transitions_quarter(data: Path) -> Callable[[], int]:
    """The same of a quarter as many sessions."""
    return transitions(data, SESSIONS // 4)


def _split(corpus: Any) -> Any:
    import numpy as np

    return np.split(corpus.codes, corpus.offsets[1:-1])


def measured(runner: str, data: Path) -> dict[str, float]:
    """What one run in a process of its own took."""
    command = [sys.executable, __file__, "--data", str(data), "--run", runner]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{runner}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def run(runner: str, data: Path) -> None:
    """Run one program here; its data are read before the clock starts."""
    work = globals()[runner](data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    count = work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "count": count, "peak_mib": peak / 1024, "before_mib": before / 1024}))


def race(name: str, data: Path, rounds: int) -> None:
    """Run all programs of a race in turn, and print what they took."""
    task = RACES[name]
    print(f"\n{name}: {task.title}")
    results: dict[str, list[dict[str, float]]] = {runner: [] for runner in task.runners}
    for _ in range(rounds):
        for runner in task.runners:
            results[runner].append(measured(runner, data))
    first = statistics.median(each["seconds"] for each in results[task.runners[0]])
    for runner, found in results.items():
        seconds = statistics.median(each["seconds"] for each in found)
        every = " ".join(f"{each['seconds']:.3f}" for each in found)
        peak, before = (max(each[key] for each in found) for key in ("peak_mib", "before_mib"))
        print(
            f"  {runner:20} {seconds:8.3f} s ({every}), {seconds / first:6.1f} times ours; peak {peak:,.0f} MiB, "
            f"{before:,.0f} before; found {found[0]['count']:,.0f}"
        )


def main() -> None:
    """Run the races."""
    parser = argparse.ArgumentParser(description="Miners of paths beside others.")
    parser.add_argument("--data", type=Path, default=Path(), help="folder with the data (see above)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", choices=RACES, action="append", help="only this race; may be given again")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.data)
        return
    for name in options.only or RACES:
        race(name, options.data, options.rounds)


if __name__ == "__main__":
    main()
