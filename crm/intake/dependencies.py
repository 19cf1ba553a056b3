"""Pairs of columns of which one says what the other is, such as postcode and city, and the rows that say otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from crm.distinct import count_distinct

HOLDS: Final = 0.99
"""So many of the rows that could break a dependency must keep it."""

_EXPLAINS: Final = 0.9
"""So many of the mistakes of always guessing the most frequent value must the other column save (Goodman and Kruskal's
lambda): else a column with nearly one value would depend on everything."""

_LEAST: Final = 30
"""So many rows at least must repeat a value that another row has."""
_REPEATED: Final = 0.2
"""And such a share of all rows: a column with hardly a value twice says nothing."""
_SURE: Final = 3
"""A group with fewer rows does not tell which of its rows is wrong."""

_SAMPLE: Final = 30_000
_NEARLY: Final = 0.98
_COUNT: Final = " rows"


@dataclass(frozen=True)
class _Pair:
    first: str
    second: str


def broken(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows that break approximate functional dependencies (Huhtala, Kärkkäinen, Porkka and Toivonen 1999: TANE).

    A pair A, B is one where, among rows whose A is another row's too, all but 1 % have the B that is most frequent for
    their A. The first row of each group is not counted: it could not disagree with anything. Candidates are chosen
    from a sample of whole groups, then looked at in full.

    Args:
        frame: Rows; only columns of text and of truth values are looked at.

    Yields:
        `column` (B), `row` (index from 0) and `what`, for each pair.
    """
    names = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Boolean)]
    for first in names:
        known, distinct = frame[first].count(), count_distinct(frame[first])
        if known - distinct < max(_LEAST, _REPEATED * known) or distinct < 2:
            continue
        sample = _sample(frame.select(names), first, distinct)
        pairs = [_Pair(first, second) for second in names if second != first]
        for pair in pairs:
            if _holds(sample, pair, _NEARLY if sample.height < frame.height else HOLDS):
                yield _against(frame, pair)


def _sample(frame: pl.DataFrame, column: str, distinct: int) -> pl.DataFrame:
    """Some of the rows: those of some values of a column that has many, else every so-many-th row."""
    step = frame.height // _SAMPLE
    if step < 2:
        return frame
    if distinct < _SAMPLE // _SURE:
        return frame.gather_every(step)
    some = frame.select(pl.col(column).drop_nulls().unique(maintain_order=True).gather_every(step))
    return frame.join(some, on=column, how="semi", maintain_order="left")


def _groups(frame: pl.DataFrame, pair: _Pair) -> pl.DataFrame:
    """Each combination of values with its number of rows, and those of its A in all and at most."""
    rows = frame.select(pair.first, pair.second).drop_nulls()
    counts = rows.group_by(pair.first, pair.second, maintain_order=True).agg(pl.len().alias(_COUNT))
    each = counts.group_by(pair.first).agg(pl.col(_COUNT).sum().alias("all"), pl.col(_COUNT).max().alias("most"))
    return counts.join(each, on=pair.first, how="left", maintain_order="left")


def _holds(frame: pl.DataFrame, pair: _Pair, share: float) -> bool:
    groups = _groups(frame, pair)
    single = groups.unique(pair.first)
    repeated = int((single["all"] - 1).sum())
    rows = int(single["all"].sum())
    if repeated < _LEAST:
        return False
    mistakes = rows - int(single["most"].sum())
    usual = groups.group_by(pair.second).agg(pl.col(_COUNT).sum())[_COUNT].max()
    guessing = rows - int(usual if isinstance(usual, int) else 0)
    return mistakes <= (1 - share) * repeated and mistakes <= (1 - _EXPLAINS) * guessing


def _against(frame: pl.DataFrame, pair: _Pair) -> pl.DataFrame:
    """The rows whose B is not that of two thirds of at least three rows with their A, if the pair holds in all rows."""
    none = pl.DataFrame(schema={"column": pl.String(), "row": pl.UInt32(), "what": pl.String()})
    if not _holds(frame, pair, HOLDS):
        return none
    groups = _groups(frame, pair)
    few = (pl.col(_COUNT) < pl.col("most")) & (pl.col("all") >= _SURE) & (pl.col("most") * 3 >= pl.col("all") * 2)
    odd = groups.filter(few).select(pair.first, pair.second)
    if odd.is_empty():
        return none
    rows = frame.select(pair.first, pair.second).with_row_index("row")
    at = rows.join(odd, on=[pair.first, pair.second], how="semi", maintain_order="left").select("row")
    what = f"is not what other rows with the same {pair.first} have"
    return at.select(pl.lit(pair.second).alias("column"), "row", pl.lit(what).alias("what"))
