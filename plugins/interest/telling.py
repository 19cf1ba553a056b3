"""Interests in words and sums: how many there are, why they are so great, and what counts nowhere."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.interest import model
from crm.interest.contracts import BEHAVIOUR, KINDS
from crm.interest.targets import LEVELS
from crm.messages import counted
from plugins.interest.options import many

if TYPE_CHECKING:
    from crm.app import App
    from crm.interest.building import Evidence

_NONE: Final = "no events"


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """Interests by level: `level`, `keys`, `people`, `events`."""
    found = rows.group_by("level").agg(
        pl.col("key").n_unique().cast(pl.Int64).alias("keys"),
        pl.col("who").n_unique().cast(pl.Int64).alias("people"),
        pl.col("events").sum(),
    )
    return pl.DataFrame({"level": LEVELS}).join(found, on="level", how="left", maintain_order="left").fill_null(0)


def missed(app: "App", found: "Evidence") -> Iterator[str]:
    """Sentences about what counts nowhere, or only in part."""
    lake = app.workspace().lake
    if BEHAVIOUR.name in app.tables and not lake.transaction(BEHAVIOUR.name) and lake.transaction("sessions"):
        yield "visits of the web site were mined before there were interests: `crm logs rebuild` makes them count"
    kinds = {row["kind"]: row for row in model.unplaced(found.events, found.items).iter_rows(named=True)}
    if (views := kinds.get("view")) and views["nowhere"]:
        share = views["nowhere"] / views["events"]
        yield (
            f"on pages without item or category (site.items, site.categories): {views['nowhere']:,.0f} of "
            f"{counted(round(views['events']), 'view')} ({share:.0%})"
        )
    if (searches := kinds.get("search")) and searches["nowhere"]:
        yield (
            f"nothing in the catalogue fits {counted(searches['things'], 'term')}: searched for "
            f"{searches['nowhere']:,.0f} of {counted(round(searches['events']), 'time')}"
        )
    yield from _unknown(found)


def _unknown(found: "Evidence") -> Iterator[str]:
    """Sentences about items that the catalogue does not know."""
    if not found.items.height:
        yield "the catalogue is empty, so items have no category or tags: `crm catalog import FILE`"
        return
    counts = found.events.filter(pl.col("kind") != "dwell").group_by("item").agg(pl.col("count").sum())
    counts = counts.with_columns(pl.col("item").cast(pl.String)).filter(pl.col("item").is_not_null())
    strange = counts.join(found.items, on="item", how="anti")
    if strange.height:
        events = counted(round(strange["count"].sum()), "event")
        yield f"the catalogue does not know {counted(strange.height, 'item')}, of {events}"


def why(made: pl.DataFrame) -> pl.DataFrame:
    """What each weight rests on in words: `level`, `key`, `why`.

    Args:
        made: Contributions of one person, as `crm.interest.model.contributions` gives them.
    """
    sums = made.group_by("level", "key", "kind").agg(pl.col("count").sum(), pl.col("age_days").min())
    told = []
    for (level, key), rows in sums.group_by("level", "key"):
        counts = {row["kind"]: row["count"] for row in rows.iter_rows(named=True)}
        words = [many(counts[kind], kind) for kind in KINDS if counts.get(kind)]
        told.append((level, key, f"{', '.join(words) or _NONE}; newest {_age(rows['age_days'].to_list())}"))
    return pl.DataFrame(told, {"level": pl.String, "key": pl.String, "why": pl.String}, orient="row")


def _age(ages: list[int]) -> str:
    """How old the newest is, before the date to which ages are counted."""
    days = min(ages)
    return f"{counted(days, 'day')} old"
