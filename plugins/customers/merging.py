"""Records of one person -> one record, and back.

The record with the most values stays, of equal ones the one with the smallest id; the others, in the same order, fill
its gaps. What they held is kept, so that a merge can be undone: the values that it has filled in, and that nobody has
changed since, go again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from crm.objects import packed, unpacked
from crm.storing import ORIGINAL, folded, narrowed, widened

KEY: Final = "customer"
_GROUP: Final = " group"
_ASIDE: Final = (KEY, "source")
"""Columns that do not speak for a record, and in which no value has an origin."""


@dataclass(frozen=True)
class Merge:
    """What is written for some groups of records.

    Attributes:
        survivors: The rows that stay, with what they have taken from others.
        merged: `customer` (who stays), `merged`, `record`, `origins` for each record that goes.
    """

    survivors: pl.DataFrame
    merged: pl.DataFrame


def merge(customers: pl.DataFrame, groups: pl.DataFrame) -> Merge:
    """Put the records of each group together.

    Args:
        customers: The customers' rows, at least those of the groups.
        groups: `customer` and `person`, a number; a person with one record is left alone.
    """
    several = groups.filter(pl.len().over("person") > 1).select(KEY, pl.col("person").alias(_GROUP))
    wide = widened(customers.join(several, on=KEY))
    speaking = _speaking(wide)
    filled = pl.sum_horizontal(pl.col(name).is_not_null() for name in speaking)
    wide = wide.sort([_GROUP, filled, KEY], descending=[False, True, False])
    rows = narrowed(wide, [*customers.columns, _GROUP])
    survivors = folded(rows, [_GROUP], "merge")
    origins = wide.group_by(_GROUP, maintain_order=True).agg(
        pl.col(KEY).filter(pl.col(name).is_not_null()).first().alias(name) for name in speaking
    )
    of_group = pl.DataFrame({_GROUP: origins[_GROUP], "origins": packed(origins.select(speaking))})
    gone = rows.filter(~pl.col(KEY).is_in(survivors[KEY].implode()))
    merged = (
        gone.select(_GROUP, pl.col(KEY).alias("merged"), record=as_objects(gone.drop(_GROUP)))
        .join(survivors.select(_GROUP, KEY), on=_GROUP, maintain_order="left")
        .join(of_group, on=_GROUP, maintain_order="left")
        .select(KEY, "merged", "record", "origins")
    )
    return Merge(survivors.drop(_GROUP), merged)


def _speaking(wide: pl.DataFrame) -> list[str]:
    """The columns whose values have an origin."""
    return [name for name in wide.columns if name not in (*_ASIDE, _GROUP) and not name.startswith(f"{ORIGINAL}:")]


def as_objects(rows: pl.DataFrame) -> pl.Series:
    """Each row as a JSON object of texts."""
    return packed(rows.select(pl.all().cast(pl.String)))


def as_rows(objects: pl.Series, columns: "dict[str, pl.DataType]") -> pl.DataFrame:
    """Rows of these columns and types, made from JSON objects."""
    texts = unpacked(objects, list(columns))
    return texts.select(
        pl.col(name).str.to_date("%Y-%m-%d") if kind == pl.Date else pl.col(name).cast(kind)
        for name, kind in columns.items()
    )


def without(survivor: pl.DataFrame, row: pl.DataFrame, origins: str, merged: str) -> pl.DataFrame:
    """A customer's row without what a merge has given to it.

    Args:
        survivor: The row as it is now.
        row: That of the record that was put to it.
        origins: From which record each value was, as a JSON object.
        merged: The id of that record.
    """
    now, other = widened(survivor), widened(row)
    names = [name for name in _speaking(other) if name in now.columns]
    whose = unpacked(pl.Series([origins]), names)
    taken = [name for name in names if whose[name][0] == merged and now[name].eq_missing(other[name]).all()]
    gone = [*taken, *(f"{ORIGINAL}:{name}" for name in taken if f"{ORIGINAL}:{name}" in now.columns)]
    empty = now.with_columns(pl.lit(None).cast(now.schema[name]).alias(name) for name in gone)
    return narrowed(empty, survivor.columns)


def components(pairs: pl.DataFrame) -> pl.DataFrame:
    """Groups of records that pairs hold together: `customer` and `person`, from 1, in the order of the ids.

    Args:
        pairs: `a` and `b`, ids.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids = pl.concat([pairs["a"], pairs["b"]]).unique().sort()
    place = {name: at for at, name in enumerate(ids)}
    left, right = ([place[name] for name in pairs[side]] for side in ("a", "b"))
    graph = coo_array(([1] * len(left), (left, right)), shape=(len(ids), len(ids)))
    labels = connected_components(graph, directed=False)[1] if len(ids) else []
    return pl.DataFrame({KEY: ids, "person": pl.Series(labels, dtype=pl.Int64) + 1}, schema_overrides={KEY: pl.String})


def never_together(groups: pl.DataFrame, apart: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The groups without those that hold two records which a person has told apart, and how many these are.

    Args:
        groups: `customer` and `person`.
        apart: `customer` and `other`.
    """
    person = groups.select(KEY, "person")
    both = apart.join(person, on=KEY).join(person, left_on="other", right_on=KEY, suffix="_other")
    bad: Sequence[int] = both.filter(pl.col("person") == pl.col("person_other"))["person"].unique().to_list()
    return groups.filter(~pl.col("person").is_in(bad)), len(bad)
