"""Measure how long it takes, and how much memory, to work out the interests of many customers.

    python benchmarks/interests.py
    python benchmarks/interests.py --customers 20000 --rows 1000000
    python benchmarks/interests.py --mine --sessions 1000000

The rows of `behaviour` are made up: each customer has a few favourite categories out of 300 with 6,000 items, and does
what is done over 120 days; one visitor in ten never logs in. They are written to a workspace of their own, and the
interests of all people are worked out of them as `crm interest build` does, in a process of its own.

With --mine sessions and their hits are made up instead, and the rows of `behaviour` are mined: of all dates at once, as
a rebuild does, and of one date alone, as a run does that brings a day. Printed are seconds of wall clock and the
peak resident memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

TODAY = date(2026, 3, 15)
DAYS, BRANCHES, ITEMS = 120, 300, 6_000
CONFIG = """\
site:
  items: [{page: /item/*, item: $1}]
  categories: [{page: /c/*, category: $1}]
  searches: [{page: /search, parameter: q}]
  carts: [{path: /api/cart, method: POST}]
"""


def catalogue() -> pl.DataFrame:
    """Items in 300 categories of level 3, with two tags each."""
    branch = np.arange(ITEMS) % BRANCHES
    numbers = {"level1": branch // 30, "level2": branch // 6, "level3": branch}
    names = {name: [f"{name[-1]}x{number}" for number in values] for name, values in numbers.items()}
    tags = [f"t{item % 7}|u{item % 40}" for item in range(ITEMS)]
    items = [str(item) for item in range(ITEMS)]
    return pl.DataFrame(
        {
            "item": items,
            "title": [f"thing {item} of x{item % BRANCHES}" for item in range(ITEMS)],
            **names,
            "tags": tags,
        }
    )


def pages(branch: np.ndarray, dice: np.random.Generator) -> pl.Series:
    """A page of a category, or of one of its items, for each number of a category."""
    item = branch + BRANCHES * dice.integers(ITEMS // BRANCHES, size=len(branch))
    of_item = dice.random(len(branch)) < 0.7
    kinds = pl.DataFrame({"item": item, "branch": branch, "of_item": of_item})
    path = pl.format("/c/1x{}/2x{}/3x{}", pl.col("branch") // 30, pl.col("branch") // 6, "branch")
    return kinds.select(pl.when("of_item").then(pl.format("/item/{}", "item")).otherwise(path)).to_series()


def behaviour(customers: int, rows: int) -> pl.DataFrame:
    """Rows of the table `behaviour`."""
    dice = np.random.default_rng(7)
    who = dice.integers(customers, size=rows)
    branch = (who * 7 + dice.geometric(0.4, size=rows) * 11) % BRANCHES
    kind = dice.choice(["view", "search", "cart"], p=[0.93, 0.05, 0.02], size=rows)
    made = pl.DataFrame(
        {
            "date": pl.Series(np.datetime64(TODAY) - dice.integers(DAYS, size=rows)).cast(pl.Date),
            "visitor": who,
            "customer": pl.Series(who).cast(pl.String),
            "kind": kind,
            "what": pages(branch, dice),
            "count": dice.integers(1, 4, size=rows),
            "dwell_s": np.where(kind == "view", dice.integers(0, 600, size=rows), 0).astype(float),
        }
    )
    term = pl.format("x{}", pl.col("visitor") % BRANCHES)
    item = pl.format("/item/{}", pl.col("visitor") % ITEMS)
    what = pl.when(kind=pl.lit("search")).then(term).when(kind=pl.lit("cart")).then(item).otherwise("what")
    login = pl.when(pl.col("visitor") % 10 > 0).then(pl.format("K{}", "customer"))
    return made.with_columns(what.alias("what"), login.alias("customer"))


def workspace(folder: Path, customers: int, rows: int) -> None:
    """A workspace with these rows, a catalogue and the customers."""
    from crm.app import App
    from plugins import DEFAULT_PLUGINS

    folder.mkdir()
    (folder / "crm.yaml").write_text(CONFIG, encoding="utf-8")
    made = App(DEFAULT_PLUGINS, folder).workspace(create=True)
    with made.records.begin() as connection:
        made.records.append(connection, "catalog", catalogue())
        ids = pl.DataFrame({"customer": [f"K{number}" for number in range(customers)]})
        made.records.append(connection, "customers", ids)
    made.lake.commit("behaviour", made.lake.write("behaviour", behaviour(customers, rows), 1, "0"), 1)


def build(folder: Path) -> None:
    """Work the interests out and print what it took."""
    from crm.app import App
    from crm.interest import building
    from plugins import DEFAULT_PLUGINS

    app = App(DEFAULT_PLUGINS, folder)
    began = time.perf_counter()
    rows = building.current(app)
    worked = time.perf_counter() - began
    with app.workspace().lock():
        building.store(app, rows)
    print(
        f"{rows.height:,} interests of {rows['who'].n_unique():,} people in {worked:.1f} s, {peak()} in all;", end=" "
    )
    print(f"written in {time.perf_counter() - began - worked:.1f} s more")


def sessions(number: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sessions with nine views each, and a search and a cart as hits in every third of them."""
    dice = np.random.default_rng(7)
    views, start = 9, np.datetime64(TODAY - timedelta(days=DAYS - 1), "us")
    at = start + (dice.random(number) * DAYS * 86_400_000_000).astype("timedelta64[us]")
    gaps = dice.integers(5, 120, size=(number, views)).astype("timedelta64[s]").astype("timedelta64[us]")
    times = at[:, None] + gaps.cumsum(axis=1)
    time_of = pl.Datetime("us", "UTC")
    flat = pl.Series(times.ravel()).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    viewed = pages(np.repeat(dice.integers(BRANCHES, size=number), views), dice)
    shape = {"session": np.repeat(np.arange(number), views), "path": viewed, "times": flat}
    made = pl.DataFrame(shape).group_by("session", maintain_order=True).agg("path", "times")
    first, last = pl.col("times").list.first(), pl.col("times").list.last()
    made = made.with_columns(
        (pl.col("session") // 4).alias("visitor"),
        pl.lit(None, dtype=pl.String).alias("customer"),
        first.alias("start"),
        last.alias("end"),
        first.dt.date().alias("date"),
    )
    some = made.filter(pl.col("session") % 3 == 0).select("visitor", pl.col("end").cast(time_of).alias("ts"))
    asked = some.with_columns(
        page=pl.lit("/search"), path=pl.lit("/search"), query=pl.format("q=x{}", pl.col("visitor") % 300)
    )
    put = some.with_columns(page=pl.lit("/api/cart"), path=pl.lit("/api/cart"), query=pl.lit(None, dtype=pl.String))
    hits = pl.concat(
        [
            asked.with_columns(method=pl.lit("GET"), kind=pl.lit("page")),
            put.with_columns(method=pl.lit("POST"), kind=pl.lit("other")),
        ]
    )
    return made, hits.with_columns(pl.col("ts").dt.date().alias("date"), status=pl.lit(200, dtype=pl.Int16))


def mine(number: int) -> None:
    """Mine made-up sessions and print what it took."""
    from crm.site import CartRule, ItemRule, SearchRule, SiteConfig
    from plugins.interest.mining import behaviour as mined

    items, searches = (ItemRule(page="/item/*", item="$1"),), (SearchRule(page="/search"),)
    site = SiteConfig(items=items, searches=searches, carts=(CartRule(path="/api/cart"),))
    visits, hits = sessions(number)
    for said, some in (
        ("all dates", visits),
        ("one date", visits.filter(pl.col("date") == TODAY - timedelta(days=1))),
    ):
        dates = some["date"].unique()
        near = hits.filter(pl.col("date").is_in(dates.implode()))
        began = time.perf_counter()
        rows = mined(some.lazy(), near.lazy(), site)
        print(f"{said}: {some.height:,} sessions, {rows.height:,} rows in {time.perf_counter() - began:.2f} s")
    print(f"{peak()}, what was made up included")


def peak() -> str:
    """The peak resident memory of this process."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB at most"


def main() -> None:
    """Make the rows, and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of behaviour (default: 5,000,000)")
    parser.add_argument("--mine", action="store_true", help="measure the miner instead")
    parser.add_argument("--sessions", type=int, default=1_000_000, help="with --mine (default: 1,000,000)")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(options.build)
    elif options.mine:
        mine(options.sessions)
    else:
        with tempfile.TemporaryDirectory() as folder:
            workspace(Path(folder) / "ws", options.customers, options.rows)
            print(
                f"{options.rows:,} rows of behaviour, {options.customers:,} customers, {datetime.now(UTC):%Y-%m-%d}",
                flush=True,
            )
            subprocess.run([sys.executable, __file__, "--build", f"{folder}/ws"], check=True)


if __name__ == "__main__":
    main()
