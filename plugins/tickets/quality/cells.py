"""The cells that are watched: which there are, their counts, and what is expected of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from plugins.tickets.quality import exposure
from plugins.tickets.quality.expecting import Table, expected, table_of
from plugins.tickets.quality.rises import rises
from plugins.tickets.quality.tails import Floats, p_values, spread_of

KNOWN: Final = 0.9
"""Vehicles tell the exposure where they are known for so much of the tickets."""
RISE: Final = "fault rises"


class Kind(NamedTuple):
    """A kind of cells: owner and column of its table, and the stratum within which they are compared."""

    name: str
    owner: str
    column: str
    stratum: str | None


PAIRS: Final = (
    Kind("batch and part", "batch", "part", "model"),
    Kind("batch and category", "batch", "part_category", "model"),
    Kind("part and cause", "part", "fault_cause", "part_category"),
    Kind("dealer and labour", "dealer", "labour_code", "model"),
)
BATCH: Final = "batch"
KINDS: Final = (BATCH, *(each.name for each in PAIRS), RISE)
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    BATCH: ("batch",),
    **{each.name: (each.owner, each.column) for each in PAIRS},
    RISE: ("fault_code",),
}
"""The columns of tickets that tell whether a ticket is of a cell, by kind."""
_FAMILY: Final = {"part": "part_category", "fault_code": "fault_cause"}
"""Columns whose rates depend on age alike belong to a family."""
NEEDED: Final = ("dealer", "vin", "model", "batch", "part", "part_category", "fault_code", "fault_cause", "labour_code")
"""The columns of tickets, besides `day` and `sold`, that cells are made of."""
AGAIN_DAYS: Final = 30
"""A ticket of a vehicle with the fault of its ticket before, so many days later at most, tells of the same failure."""


@dataclass(frozen=True)
class Watched:
    """Cells of one kind.

    Attributes:
        kind: Its name.
        cells: The values of its columns: one tuple a cell.
        observed: Tickets.
        expected: How many were to be expected; of a rise, in the last third of the months.
        p: How likely so many are by chance.
        spread: The variance of true rates by nature.
    """

    kind: str
    cells: Sequence[tuple[str, ...]]
    observed: Floats
    expected: Floats
    p: Floats
    spread: float


@dataclass(frozen=True)
class Span:
    """What is looked at.

    Attributes:
        tickets: Tickets: `NEEDED`, `day`, and `sold`, since when its vehicle is in service (null: not known).
        first: The first day.
        last: The last day.
        cohorts: Vehicles (`exposure.cohorts`); none where too few are known.
    """

    tickets: pl.DataFrame
    first: date
    last: date
    cohorts: pl.DataFrame = field(default_factory=pl.DataFrame)

    @property
    def exposed(self) -> bool:
        """Whether exposure is known."""
        return bool(self.cohorts.height)

    @property
    def behind(self) -> date:
        """The day behind the last."""
        return date.fromordinal(self.last.toordinal() + 1)


def span_of(tickets: pl.DataFrame, vehicles: pl.DataFrame) -> Span:
    """What is looked at: all days from the first ticket to the last.

    Args:
        tickets: `NEEDED`, `day` and `sold`; at least one.
        vehicles: `batch`, `model`, `sold`, `gone`.
    """
    tickets = failures(tickets)
    days = tickets["day"]
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    known = float(tickets["sold"].is_not_null().mean() or 0.0)  # type: ignore[arg-type]  # a share
    age = (pl.col("day") - pl.col("sold")).dt.total_days()
    aged = tickets.with_columns(exposure.band(age).alias("band"), pl.col("day").dt.strftime("%Y-%m").alias("month"))
    cohorts = exposure.cohorts(vehicles) if known >= KNOWN else pl.DataFrame()
    return Span(aged, first, last, cohorts)


def failures(tickets: pl.DataFrame) -> pl.DataFrame:
    """Tickets without those that tell of a failure again; counts of failures are independent, those of tickets not."""
    ordered = tickets.sort("vin", "fault_code", "day", maintain_order=True)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in ("vin", "fault_code"))
    soon = (pl.col("day") - pl.col("day").shift()).dt.total_days() <= AGAIN_DAYS
    return ordered.filter(~(same & soon).fill_null(False))


def watched(span: Span) -> Iterator[Watched]:
    """The cells of every kind that has some; categories stand in for parts where most tickets name no part."""
    if span.exposed:
        yield from _batches(span)
    named = 2 * span.tickets["part"].null_count() <= span.tickets.height
    for kind in PAIRS:
        if kind.column != ("part_category" if named else "part"):
            yield from _pairs(span, kind)
    yield from _rising(span)


def _pairs(span: Span, kind: Kind) -> Iterator[Watched]:
    table = table_of(span.tickets, kind.owner, kind.column, kind.stratum)
    if not table.counts.size:
        return
    base = None
    if kind.column == "fault_cause":  # which causes a part's faults can have is no accident
        base = (table.counts > 0).astype(float)
    elif kind.owner == BATCH and span.exposed:
        base = _predicted(span, table, kind.column, _of_batches(span, table))
    means = expected(table, base)
    yield from _judged(kind.name, table, means)


def _judged(kind: str, table: Table, means: Floats) -> Iterator[Watched]:
    seen = table.together(table.counts)
    owner, column = np.nonzero(means > 0)
    observed, even = seen[owner, column], means[owner, column]
    if not observed.size:
        return
    spread = spread_of(observed, even)
    cells = [(table.owners[each], table.columns[other]) for each, other in zip(owner, column, strict=True)]
    yield Watched(kind, cells, observed, even, p_values(observed, even, spread), spread)


def _batches(span: Span) -> Iterator[Watched]:
    """Batches as a whole: all of their tickets against the time in service."""
    one = span.tickets.with_columns(pl.lit("all").alias("all"))
    table = table_of(one, BATCH, "all", "model")
    if not table.counts.size:
        return
    base = _predicted(Span(one, span.first, span.last, span.cohorts), table, "all", _of_batches(span, table))
    for found in _judged(BATCH, table, expected(table, base, own_totals=False)):
        yield Watched(
            BATCH, [(each[0],) for each in found.cells], found.observed, found.expected, found.p, found.spread
        )


def _of_batches(span: Span, table: Table) -> Floats:
    """Vehicle-days of each row of a table of batches, by age."""
    days = exposure.in_service(span.cohorts, span.first, span.behind)
    return _rows_of(span.cohorts.select(pl.col("batch").alias("owner"), pl.col("model").alias("stratum")), days, table)


def _rows_of(names: pl.DataFrame, days: Floats, table: Table) -> Floats:
    """Add up vehicle-days by the rows of a table; what is in none of them is left out."""
    rows = table.rows.with_row_index("row")
    at = names.with_columns(pl.col("stratum").fill_null("")).join(
        rows, on=["owner", "stratum"], how="left", maintain_order="left"
    )["row"]
    known = at.is_not_null().to_numpy()
    found = np.zeros((table.rows.height, days.shape[1]))
    np.add.at(found, at.drop_nulls().to_numpy(), days[known])
    return found


def _predicted(span: Span, table: Table, column: str, days: Floats) -> Floats:
    """What time in service predicts of each row and column, up to a factor a column and stratum.

    How a rate depends on age is learnt from all columns of a family: one column's own tickets could not tell a rate
    that rises with age from one that rises with time, or a bad batch from an age.
    """
    family = _FAMILY.get(column, column)
    aged = span.tickets.filter(pl.col("sold").is_not_null() & pl.col(column).is_not_null())
    counted = aged.group_by(pl.col(family).alias("family"), "band").len()
    families = counted["family"].unique().sort(nulls_last=True)
    places = pl.DataFrame({"family": families}).with_row_index("at")
    spots = counted.join(places, on="family", nulls_equal=True)
    ages = np.zeros((len(exposure.BANDS), len(families)))
    ages[spots["band"].to_numpy(), spots["at"].to_numpy()] = spots["len"].to_numpy()
    whole = exposure.in_service(span.cohorts, span.first, span.behind).sum(axis=0)
    rates = exposure.age_rates(ages.sum(axis=1), ages, whole)
    return np.asarray(days @ rates[:, _families(aged, column, family, places, table.columns)])


def _families(
    tickets: pl.DataFrame, column: str, family: str, places: pl.DataFrame, columns: list[str]
) -> npt.NDArray[np.int64]:
    """The number of the family of each column: the one that most of its tickets have."""
    usual = (
        tickets.group_by(pl.col(column).alias("column"), pl.col(family).alias("family"))
        .len()
        .sort("column", "len", "family", descending=[False, True, False], nulls_last=True)
        .unique("column", keep="first", maintain_order=True)
        .join(places, on="family", nulls_equal=True)
    )
    found = pl.DataFrame({"column": columns}).join(usual, on="column", how="left", maintain_order="left")
    return found["at"].fill_null(0).cast(pl.Int64).to_numpy()


def _rising(span: Span) -> Iterator[Watched]:
    table = table_of(span.tickets, "month", "fault_code", "model")
    if not table.counts.size:
        return
    base = _predicted(span, table, "fault_code", _of_months(span, table)) if span.exposed else None
    counts, means = table.together(table.counts), expected(table, base)
    found = rises(counts, means)
    if not found.tested.any():
        return
    part = slice(len(counts) - max(1, len(counts) // 3), None)
    even = means * (counts.sum(axis=0) / np.maximum(means.sum(axis=0), 1e-9))
    cells = [(each,) for each, use in zip(table.columns, found.tested, strict=True) if use]
    seen, usual = counts[part].sum(axis=0)[found.tested], even[part].sum(axis=0)[found.tested]
    yield Watched(RISE, cells, seen, usual, found.p[found.tested], found.spread)


def _of_months(span: Span, table: Table) -> Floats:
    """Vehicle-days of each month and model, by age."""
    cohorts = span.cohorts.group_by("model", "sold", "gone").agg(pl.col("count").sum())
    cohorts = cohorts.sort("model", "sold", "gone", nulls_last=True)
    found = np.zeros((table.rows.height, len(exposure.BANDS)))
    for name, first, behind in exposure.months_of(span.first, span.last):
        names = cohorts.select(pl.lit(name).alias("owner"), pl.col("model").alias("stratum"))
        found += _rows_of(names, exposure.in_service(cohorts, first, behind), table)
    return found
