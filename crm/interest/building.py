"""Interests of customers and visitors as they are now: worked out afresh, with what they have said themselves."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.catalog import CATALOG, items, paths
from crm.identities import current_ids
from crm.interest import model
from crm.interest.config import InterestConfig
from crm.interest.contracts import INTERESTS, SUBSCRIPTIONS
from crm.interest.events import events, newest, settings
from crm.lake import COMPACTION
from crm.schema import polars_schema

if TYPE_CHECKING:
    from crm.app import App

_KEY: Final = ("who", "level", "key")


@dataclass(frozen=True)
class Evidence:
    """What interests are made of.

    Attributes:
        events: See `crm.interest.events.EVENTS`.
        items: The catalogue as `crm.catalog.items` gives it.
        config: The section `interest`.
        as_of: To this date ages are counted.
    """

    events: pl.DataFrame
    items: pl.DataFrame
    config: InterestConfig
    as_of: date

    def interests(self) -> pl.DataFrame:
        """Interests without what people have said themselves; see `crm.interest.model.interests`."""
        return model.interests(self.events, self.items, self.config, self.as_of)

    def contributions(self) -> pl.DataFrame:
        """What makes their weights, event by event; see `crm.interest.model.contributions`."""
        return model.contributions(self.events, self.items, self.config, self.as_of)


def evidence(app: "App", as_of: date | None = None, who: str | None = None) -> Evidence:
    """All that tells of interests.

    Args:
        app: The run of the program.
        as_of: To this date ages are counted, and nothing later counts; None for that of the newest event of anybody.
        who: Of this one alone; None for everybody.
    """
    day = as_of or newest(app) or datetime.now(UTC).date()
    known = catalogue_of(app)
    return Evidence(events(app, known, day, who), known, settings(app), day)


def catalogue_of(app: "App") -> pl.DataFrame:
    """The catalogue as `crm.catalog.items` gives it; empty where the plugin that has it is not loaded."""
    if CATALOG.name in app.tables:
        return items(app.workspace())
    empty = pl.DataFrame(schema=polars_schema(CATALOG)).drop("extras", "original", "source")
    return empty.with_columns(pl.lit(None, dtype=pl.List(pl.String)).alias("tags"), *paths())


def current(app: "App", as_of: date | None = None, who: str | None = None) -> pl.DataFrame:
    """Interests of everybody, or of one, as of a date: the columns of the table `interests`, with what was said.

    Sorted by who, level, weight (the greatest first) and key. Its arguments are those of `evidence`.
    """
    found = evidence(app, as_of, who)
    return with_stances(found.interests(), stances(app, who), found.as_of)


def stances(app: "App", who: str | None = None) -> pl.DataFrame:
    """What customers have said that they want, or do not: `who`, `level`, `key`, `stance`; the newest word counts."""
    schema = {"who": pl.String, "level": pl.String, "key": pl.String, "stance": pl.String}
    if SUBSCRIPTIONS.name not in app.tables:
        return pl.DataFrame(schema=schema)
    workspace = app.workspace()
    rows = workspace.records.frame(SUBSCRIPTIONS.name)
    rows = rows.with_columns(current_ids(workspace, rows["customer"]).alias("who"))
    rows = rows if who is None else rows.filter(who=who)
    return rows.sort("ts", "stance").unique(_KEY, keep="last").select(*schema).sort(_KEY)


def with_stances(rows: pl.DataFrame, said: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Interests beside what people have said: what rests on no event has the weight 0."""
    columns = list(polars_schema(INTERESTS))
    day = pl.lit(as_of).alias("as_of")
    known = rows.join(said, on=_KEY, how="left", maintain_order="left").with_columns(day).select(columns)
    alone = said.join(rows, on=_KEY, how="anti")
    if not alone.height:
        return known
    new = alone.with_columns(day, weight=0.0, events=pl.lit(0, dtype=pl.Int64), newest=pl.lit(None, dtype=pl.Date))
    order = {"who": False, "level": False, "weight": True, "key": False}
    return pl.concat([known, new.select(columns)]).sort(*order, descending=list(order.values()))


def store(app: "App", rows: pl.DataFrame) -> None:
    """Write the table `interests`, in place of what it held; the caller holds the workspace's lock.

    It is not made of a run of `crm logs mine`, so it is published as compactions are.

    Args:
        app: The run of the program.
        rows: What `current` gives.
    """
    lake = app.workspace().lake
    number = lake.transaction(INTERESTS.name, COMPACTION) + 1
    parts = lake.write(INTERESTS.name, rows, 0, f"c{number}-0000")
    lake.erase(INTERESTS.name, parts, lake.files(INTERESTS.name), number)
