"""Events -> interests: how much each person is interested in each category, item and tag.

An event of weight w that is d days old has the mass w · count · 2^(−d / half-life). It counts for its item, for each
tag of the item in equal shares, and for the item's category, or that of the page; a term counts for the categories of
the items that it fits. A category has the mass of what counts for it alone and that of the categories within it. The
weight of a key is m / (M + κ): m its mass, M the sum of this person's masses that are not negative, over one family of
keys (categories of all levels, each taken by what counts for it alone; items; tags), κ what counts as not known
(`interest.shrink`). So the weights of a level sum to less than 1, little evidence makes small weights, and the weight
of a category is the sum of those within it and its own.
"""

from datetime import date
from typing import Final

import polars as pl

from crm.interest.config import InterestConfig
from crm.interest.targets import OF, targets

SCHEMA: Final = {
    "who": pl.String(),
    "level": pl.String(),
    "key": pl.String(),
    "weight": pl.Float64(),
    "events": pl.Int64(),
    "newest": pl.Date(),
}
_DIGITS: Final = 12
"""To so many places weights are rounded: sums of the same numbers in another order agree so far."""

_PEOPLE: Final = 20_000
"""So many people are worked on at a time, which bounds the memory."""

_TINY: Final = 1e-9


def interests(events: pl.DataFrame, items: pl.DataFrame, config: InterestConfig, as_of: date) -> pl.DataFrame:
    """Interests of everybody in the events.

    Args:
        events: `who`, `date`, `kind` (see `crm.interest.contracts.KINDS`), `item`, `category`, `term` (texts or
            Categoricals; each may be null; a term as `crm.interest.terms.fold` writes it), `count`. A category counts
            where the catalogue has none for the item.
        items: The catalogue as `crm.catalog.items` gives it.
        config: Half-life, shrinking and weights.
        as_of: To this date ages are counted; later events do not count.

    Returns:
        `who`, `level`, `key`, `weight`, `events` (how many, minutes left out, rounded up), `newest`; sorted by who,
        level, weight (the greatest first) and key.
    """
    sums = _summed(events, config, as_of)
    things = sums.select(OF).unique().with_row_index("thing")
    reach = targets(things.cast(dict.fromkeys(OF, pl.String)), items)
    keys = reach.select("level", "key").unique().sort("level", "key").with_row_index("target")
    reach = reach.join(keys, on=["level", "key"]).select("thing", "target", _family(), "share", "own")
    people = sums["who"].unique().cast(pl.String).sort().to_frame().with_row_index("person")
    coded = sums.join(things, on=OF, nulls_equal=True).select("who", "thing", "mass", "events", "newest")
    coded = coded.with_columns(pl.col("who").cast(pl.String)).join(people, on="who").drop("who").sort("person", "thing")
    parts = [
        _weighted(coded.filter(pl.col("person").is_between(first, first + _PEOPLE - 1)), reach, config.shrink)
        for first in range(0, people.height, _PEOPLE)
    ]
    if not parts:
        return pl.DataFrame(schema=SCHEMA)
    return _named(pl.concat(parts), people["who"], keys)


def _named(rows: pl.DataFrame, people: pl.Series, keys: pl.DataFrame) -> pl.DataFrame:
    """Numbers of people and targets as names, in order; numbers are in the order of names, and sort much faster."""
    level = keys["level"].rank("dense").gather(rows["target"]).alias("rank")
    order = {"person": False, "rank": False, "weight": True, "target": False}
    found = rows.with_columns(level).sort(*order, descending=list(order.values()))
    names = [people.gather(found["person"]).alias("who"), *keys[found["target"]].select("level", "key")]
    return found.with_columns(names).select(*SCHEMA)


def contributions(events: pl.DataFrame, items: pl.DataFrame, config: InterestConfig, as_of: date) -> pl.DataFrame:
    """What makes the weights of `interests`, event by event; its arguments, and the events' `what`.

    Returns:
        `who`, `level`, `key`, `date`, `kind`, `what`, `count`, `age_days`, `contribution`: the contributions to a key
        sum to its weight. The keys are in the order of `interests`, the newest events of each first.
    """
    rows = events.filter(pl.col("date") <= as_of)
    names = dict.fromkeys(("who", "kind", "what", *OF), pl.String)
    rows = rows.with_columns(_mass(config, as_of)).cast(names)  # type: ignore[arg-type]  # a plain mapping of types
    things = rows.select(OF).unique().with_row_index("thing")
    reach = targets(things, items)
    counted = rows.join(things, on=OF, nulls_equal=True).join(reach, on="thing").with_columns(_family())
    each = ["who", "level", "key", "family", "date", "kind", "what"]
    sums = counted.group_by(each).agg(
        pl.col("count").sum(), (pl.col("mass") * pl.col("share")).sum().alias("mass"), _own()
    )
    shares = sums.join(_totals(sums, ["who", "level", "key", "family"], ["who", "family"]), on=["who", "family"])
    made = shares.with_columns(
        (pl.lit(as_of) - pl.col("date")).dt.total_days().alias("age_days"),
        (pl.col("mass") / (pl.col("all") + config.shrink)).alias("contribution"),
    )
    columns = ["who", "level", "key", "date", "kind", "what", "count", "age_days", "contribution"]
    weight = pl.col("contribution").sum().over("who", "level", "key").round(_DIGITS).alias("weight")
    order = {"who": 0, "level": 0, "weight": 1, "key": 0, "date": 1, "kind": 0, "what": 0}
    return made.with_columns(weight).sort(*order, descending=[bool(down) for down in order.values()]).select(columns)


def unplaced(events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """What counts nowhere: events of pages of which no rule knows an item or category, and terms that fit nothing.

    Returns:
        `kind`, `events` and `nowhere` (how many of them count nowhere), and the `things` that they are about: pages are
        one thing.
    """
    counts = events.group_by("kind", *OF).agg(pl.col("count").sum())
    things = counts.select(OF).unique().with_row_index("thing")
    reach = targets(things.cast(dict.fromkeys(OF, pl.String)), items)
    counted = counts.join(things, on=OF, nulls_equal=True)
    nowhere = ~pl.col("thing").is_in(reach["thing"].unique().implode())
    return (
        counted.group_by(pl.col("kind").cast(pl.String))
        .agg(
            pl.col("count").sum().alias("events"),
            pl.col("count").filter(nowhere).sum().alias("nowhere"),
            nowhere.sum().cast(pl.Int64).alias("things"),
        )
        .sort("kind")
    )


def _mass(config: InterestConfig, as_of: date) -> pl.Expr:
    """What each event tells today."""
    weights = config.weights.by_kind()
    weight = pl.col("kind").replace_strict(list(weights), list(weights.values()), return_dtype=pl.Float64)
    age = (pl.lit(as_of) - pl.col("date")).dt.total_days()
    return (weight * pl.col("count") * (-age / config.half_life_days * 0.6931471805599453).exp()).alias("mass")


def _summed(events: pl.DataFrame, config: InterestConfig, as_of: date) -> pl.DataFrame:
    """Events of one person about one thing, put together."""
    codes = events.select("date", pl.col("who", *OF).cast(pl.Categorical), pl.col("kind").cast(pl.String), "count")
    number = pl.when(pl.col("kind") != "dwell").then(pl.col("count").abs()).otherwise(0.0)
    rows = codes.lazy().filter(pl.col("date") <= as_of).with_columns(_mass(config, as_of), number.alias("events"))
    return rows.group_by("who", *OF).agg(pl.col("mass", "events").sum(), pl.col("date").max().alias("newest")).collect()


def _family() -> pl.Expr:
    """Keys that share what is known: categories of all levels are one family, items and tags two more."""
    return pl.when(pl.col("level").is_in(["item", "tag"])).then("level").otherwise(pl.lit("category")).alias("family")


def _own() -> pl.Expr:
    return (pl.col("mass") * pl.col("own")).sum().alias("own")


def _totals(rows: pl.DataFrame, key: list[str], family: list[str]) -> pl.DataFrame:
    """All the mass that is not negative, by person and family, each key taken by what counts for it alone."""
    own = rows.group_by(key).agg(pl.col("own").sum())
    return own.group_by(family).agg(pl.col("own").clip(0).sum().alias("all"))


def _weighted(sums: pl.DataFrame, reach: pl.DataFrame, shrink: float) -> pl.DataFrame:
    """The weights of some people; `person` and `target` instead of names."""
    rows = sums.join(reach, on="thing").group_by("person", "target", "family")
    keys = rows.agg(
        (pl.col("mass") * pl.col("share")).sum().alias("shared"),
        _own(),
        pl.col("events").sum(),
        pl.col("newest").max(),
    )
    totals = _totals(keys, ["person", "target", "family"], ["person", "family"])
    weight = (pl.col("shared") / (pl.col("all") + shrink)).round(_DIGITS)
    return keys.join(totals, on=["person", "family"]).select(
        "person",
        "target",
        weight.alias("weight"),
        (pl.col("events") - _TINY).ceil().clip(0).cast(pl.Int64).alias("events"),
        "newest",
    )
