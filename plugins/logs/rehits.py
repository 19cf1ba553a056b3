"""Stored hits made anew: by changed rules, or without some sources."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from crm.lake import Lake, Part
from logparse.pages import with_pages
from logparse.robots import Robots
from logparse.rules import Rules


def rewrite(lake: Lake, rules: Rules, run: int) -> list[Part]:
    """Every hit with page, kind and robot by the rules; parts that wait for a commit which replaces all dates."""
    robots = Robots(rules.robots)
    parts: list[Part] = []
    for number, day in enumerate(lake.files("hits")["date"].unique().sort().to_list()):
        hits = lake.scan("hits", dates=[day]).collect().drop("page", "kind", "bot")
        hits = with_pages(hits, rules.pages).with_columns(robots.names(hits["agent"]))
        parts += lake.write("hits", hits, run, f"{number:06d}")
    return parts


def without(lake: Lake, sources: Sequence[int], run: int) -> tuple[list[Part], list[date], int]:
    """The hits of the dates that some sources have, without theirs.

    Returns:
        The parts that wait for a commit, the dates which it replaces, and how many hits are gone.
    """
    of_sources = pl.col("source").is_in(list(sources))
    counts = lake.scan("hits").filter(of_sources).group_by("date").len().collect()
    dates = counts["date"].sort().to_list()
    parts: list[Part] = []
    for number, day in enumerate(dates):
        kept = lake.scan("hits", dates=[day]).filter(~of_sources).collect()
        if kept.height:
            parts += lake.write("hits", kept, run, f"{number:06d}")
    return parts, dates, int(counts["len"].sum())
