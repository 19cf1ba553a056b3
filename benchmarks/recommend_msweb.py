"""How well recommenders find a hidden visit, and how fast they are, on public data.

    python benchmarks/recommend_msweb.py FOLDER [--algorithms A,B] [--validate] [--peer]

FOLDER holds anonymous-msweb.data.gz and anonymous-msweb.test.gz (UCI, Anonymous Microsoft Web Data). Every algorithm
learns from the 32,711 users of the first file. Of each of the 3,453 users of the second with at least two visits one
visit is hidden, drawn in the order of the file with seed 0, and the rest is what is known of the user. Then the first
ten items for all 32,711 users are made, which is timed. Each algorithm runs in a process of its own, whose peak
memory is printed.

With --validate nothing of the test file is read: 6,000 users of the first file are tested, and the others are learnt
from. Parameters and defaults were chosen that way. With --peer BM25 and cosine neighbours of the library `implicit`
join, if it is installed.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from crm.recommending import Allowed
from plugins.recommend.algorithms import ALGORITHMS
from plugins.recommend.interactions import Interactions
from plugins.recommend.metrics import means, per_person

VALIDATED = 6000
K = 10


def visits(file: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Visits, in the order of the file, and the titles of the areas."""
    rows, titles, user = [], [], ""
    with gzip.open(file, "rt", encoding="latin-1") as lines:
        for line in lines:
            kind, number, *rest = line.strip().split(",")
            if kind == "A":
                titles.append((number, rest[1].strip('"')))
            elif kind == "C":
                user = number.strip('"')
            elif kind == "V":
                rows.append((user, number))
    frame = pl.DataFrame(rows, ("who", "item"), orient="row").with_columns(
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("ts"), pl.lit(1.0).alias("weight")
    )
    return frame, pl.DataFrame(titles, ("item", "title"), orient="row").unique("item").sort("item")


def hidden_of(tested: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The profiles of users with at least two visits, and their hidden visits."""
    several = tested.filter(pl.len().over("who") > 1).with_columns(pl.int_range(pl.len()).over("who").alias("at"))
    sizes = several.group_by("who", maintain_order=True).len()
    chance = np.random.default_rng(seed)
    drawn = sizes.select("who", pl.Series("at", [int(chance.integers(size)) for size in sizes["len"]]))
    hidden = several.join(drawn, on=["who", "at"]).select("who", "item")
    return several.drop("at").join(hidden, on=["who", "item"], how="anti", maintain_order="left"), hidden


def data(folder: Path, *, validate: bool) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Visits to learn from, profiles, hidden visits, titles."""
    training, titles = visits(folder / "anonymous-msweb.data.gz")
    if validate:
        people = training["who"].unique(maintain_order=True)
        picked = people.gather(np.random.default_rng(1).permutation(len(people))[:VALIDATED]).implode()
        tested = training.filter(pl.col("who").is_in(picked))
        training = training.filter(~pl.col("who").is_in(picked))
    else:
        tested, _ = visits(folder / "anonymous-msweb.test.gz")
    return training, *hidden_of(tested.with_columns(pl.format("t{}", "who").alias("who")), 0), titles


class Peer:
    """Neighbours of items by the library `implicit`, in the shape of our own recommenders."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def fit(self, events: pl.DataFrame, items: pl.DataFrame) -> Peer:
        """Learn."""
        self.known = Interactions.of(events, items)
        self.model = self.make()
        self.model.fit(self.known.profiles.values(), show_progress=False)
        return self

    def meet(self, events: pl.DataFrame) -> Peer:
        """Know other people."""
        self.known = self.known.meeting(events)
        return self

    def recommend(self, who: pl.Series, k: int, allowed: Allowed) -> pl.DataFrame:  # noqa: ARG002 - as ours
        """Rank items; what somebody has taken up is left out."""
        rows = self.known.people_of(who)
        columns, _ = self.model.recommend(
            np.arange(len(rows)), self.known.profiles.values()[rows], N=k, filter_already_liked_items=True
        )
        inside = (columns >= 0).ravel()
        of = np.repeat(np.arange(len(rows)), k)[inside]
        rank = np.tile(np.arange(1, k + 1), len(rows))[inside]
        return pl.DataFrame(
            {"who": who.gather(of), "rank": rank, "item": self.known.items.gather(columns.ravel()[inside])}
        )


def peers() -> dict[str, Callable[[], Any]]:
    """Recommenders of `implicit`, by name."""
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    return {
        "implicit cosine": lambda: Peer(lambda: CosineRecommender(K=300)),
        "implicit bm25": lambda: Peer(lambda: BM25Recommender(K=300)),
    }


def measured(name: str, folder: Path, validate: bool) -> dict[str, Any]:
    """The row of an algorithm."""
    training, profiles, hidden, titles = data(folder, validate=validate)
    ours = {each.name: each.make for each in ALGORITHMS}
    model: Any = (ours if name in ours else peers())[name]()
    everybody = training["who"].unique(maintain_order=True)
    begin = perf_counter()
    model.fit(training, titles)
    fitted = perf_counter()
    model.recommend(everybody, K, Allowed(without=training))
    queried = perf_counter()
    model.meet(profiles)
    lists = model.recommend(hidden["who"], K, Allowed(without=profiles))
    found = means(per_person(lists, hidden, K), 0, 0)
    return {
        "algorithm": name,
        **{key: round(found[key], 4) for key in ("map", "ndcg", "recall")},
        "fit_s": round(fitted - begin, 2),
        "query_s": round(queried - fitted, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--algorithms", help="Which, separated by commas.")
    parser.add_argument("--validate", action="store_true", help="Test users of the first file.")
    parser.add_argument("--peer", action="store_true", help="Also the library implicit.")
    given = parser.parse_args()
    names = given.algorithms.split(",") if given.algorithms else [each.name for each in ALGORITHMS]
    names += list(peers()) if given.peer else []
    columns = ("algorithm", "MAP@10", "NDCG@10", "recall@10", "fit, s", "10 for all, s", "peak, MB")
    print("|", " | ".join(columns), "|\n|" + "---|" * len(columns))
    for name in names:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            row = pool.submit(measured, name, given.folder, given.validate).result()
        print("|", " | ".join(map(str, row.values())), "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
