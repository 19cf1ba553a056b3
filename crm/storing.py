"""Rows of a file -> rows of a table of records: those that are new, those that change, and those that stay.

The rows of a table and of a file that have one key are taken one after the other, the table's first. In the columns
that hold JSON objects each key counts by itself, and the text that a value came from goes with the value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from crm.distinct import all_differ
from crm.objects import keys, packed, unpacked
from crm.options import OnDuplicate
from crm.schema import polars_schema
from crm.tables import Table

ORIGINAL: Final = "original"
OBJECTS: Final = ("extras", ORIGINAL)
"""Columns that hold JSON objects of texts."""

_STORED: Final = " stored"
_AT: Final = " at"
_PART: Final = 50_000
"""So many rows of a table at least are held against a file at once, where there are so many."""


@dataclass(frozen=True)
class Changes:
    """What a file, or a part of it, does to a table.

    Attributes:
        rows: The rows to write, with the contract's columns: new ones and changed ones.
        known: Whether the key of each of them was in the table before.
        same: How many keys of the file are in the table, and nothing of theirs changes.
        duplicates: Indexes of the file's rows whose keys were there before them, in the table or in the file.
        repeated: How many of these were in the file alone.
    """

    rows: pl.DataFrame
    known: pl.Series
    same: int
    duplicates: pl.Series
    repeated: int

    @property
    def new(self) -> int:
        """How many rows are new."""
        return self.rows.height - self.changed

    @property
    def changed(self) -> int:
        """How many rows change."""
        return int(self.known.sum())


def changes(
    contract: Table, given: pl.DataFrame, stored: Iterable[pl.DataFrame], how: OnDuplicate
) -> Iterator[Changes]:
    """Hold the rows of a file against those of a table, part by part: of the table some rows at a time are in memory.

    Args:
        contract: The table's.
        given: The rows of the file, with all or some of its columns; no key is null.
        stored: The rows of the table, or those of them that may have these keys, in batches of any size.
        how: What becomes of a row whose key is there: its values replace others (`update`), fill gaps (`merge`), or it
            is left out (`skip`, `fail`). A value that is null replaces none.

    Yields:
        What the rows with keys of a part of the table do; at last what all the others do. Every row counts once.
    """
    schema, key = polars_schema(contract), list(contract.key)
    keys = given.select(_column(given, name, schema[name]) for name in key).with_row_index(_AT)
    left = _all(given.height, value=True)
    for part in _together(stored):
        at = keys.join(part.select(key), on=key, how="semi", maintain_order="left")[_AT]
        if len(at):
            left = left.scatter(at, False)
            yield _of_part(contract, given, at, part, how)
    if left.all():
        yield _held(contract, given, pl.DataFrame(schema=schema), how)
    elif left.any():
        yield _of_part(contract, given, left.arg_true(), pl.DataFrame(schema=schema), how)


def _together(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in larger parts: each of them costs a look at all keys of the file."""
    some: list[pl.DataFrame] = []
    for batch in batches:
        some.append(batch)
        if sum(each.height for each in some) >= _PART:
            yield pl.concat(some)
            some = []
    if some:
        yield pl.concat(some)


def _of_part(contract: Table, given: pl.DataFrame, at: pl.Series, stored: pl.DataFrame, how: OnDuplicate) -> Changes:
    """What some of the rows of a file do, told by their indexes."""
    mine = given.filter(_all(given.height, value=False).scatter(at, True))
    made = _held(contract, mine, stored, how)
    return replace(made, duplicates=at.gather(made.duplicates))


def _held(contract: Table, given: pl.DataFrame, stored: pl.DataFrame, how: OnDuplicate) -> Changes:
    """Hold rows of a file against all rows of the table that have their keys."""
    schema, key = polars_schema(contract), list(contract.key)
    full = given.select(_column(given, name, kind) for name, kind in schema.items())
    several = _several(full, key)
    known, settled = _looked_up(full, stored, several, key)
    touched = known | several
    if not touched.any():
        return Changes(full, touched, 0, touched.arg_true(), 0)
    late = known | (full.select(~_keyed(key).is_first_distinct()).to_series() if several.any() else several)
    rest = full.filter(touched & ~settled)
    before = stored.join(rest.select(key), on=key, how="semi")
    made = _one_after_the_other(rest, before, key, how)
    alone = full.filter(~touched)
    return Changes(
        pl.concat([made.rows, alone]),
        pl.concat([made.known, _all(alone.height, value=False)]),
        made.same + int(settled.sum()),
        late.arg_true(),
        made.repeated,
    )


def _several(full: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Which rows of a file have a key that others of its rows have too."""
    if all_differ(full.select(key)):
        return _all(full.height, value=False)
    return full.select(_keyed(key).is_duplicated()).to_series()


def _looked_up(
    full: pl.DataFrame, stored: pl.DataFrame, several: pl.Series, key: Sequence[str]
) -> tuple[pl.Series, pl.Series]:
    """Which rows of a file have a key that is in the table, and which of these, alone in the file, say the same.

    The latter need nothing more, which is all of a file that is imported again.
    """
    if stored.is_empty():
        none = _all(full.height, value=False)
        return none, none
    there = _beside(full, stored, key)
    settled = there[_STORED] & ~several
    for name in full.columns:
        settled &= full[name].eq_missing(there[name])
    return there[_STORED], settled


def _beside(rows: pl.DataFrame, stored: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """For each of some rows that of the table which has its key, and whether there is one."""
    marked = stored.with_columns(pl.lit(True).alias(_STORED))
    found = rows.select(key).join(marked, on=key, how="left", maintain_order="left")
    return found.with_columns(pl.col(_STORED).fill_null(False))


def _one_after_the_other(full: pl.DataFrame, stored: pl.DataFrame, key: Sequence[str], how: OnDuplicate) -> Changes:
    """The rows of the table and of the file as if they had come one after the other."""
    once = folded(pl.concat([stored.select(full.columns), full]), key, how)
    before = _beside(once, stored, key)
    known = before[_STORED]
    alike = known.clone()
    for name in full.columns:
        alike &= once[name].eq_missing(before[name])
    return Changes(
        once.filter(~alike),
        known.filter(~alike),
        int(alike.sum()),
        pl.Series([], dtype=pl.UInt32),
        full.height - once.height,
    )


def _all(height: int, *, value: bool) -> pl.Series:
    return pl.Series([value], dtype=pl.Boolean).new_from_index(0, height)


def _keyed(key: Sequence[str]) -> pl.Expr:
    return pl.col(key[0]) if len(key) == 1 else pl.struct(key)


def _column(frame: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Expr:
    return (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)


def folded(rows: pl.DataFrame, key: Sequence[str], how: OnDuplicate) -> pl.DataFrame:
    """Rows put together to one a key, in the order of the first of each.

    Args:
        rows: Rows with columns as in a table of records; those of one key in the order in which they count.
        key: The columns that tell whose they are.
        how: As in `changes`.
    """
    if how in ("skip", "fail"):
        return rows.unique(key, keep="first", maintain_order=True)
    wide = widened(rows)
    pick = pl.Expr.last if how == "update" else pl.Expr.first
    single = wide.group_by(key, maintain_order=True).agg(
        pick(pl.col(name).filter(pl.col(_decides(name, wide.columns)).is_not_null()))
        for name in wide.columns
        if name not in key
    )
    return narrowed(single, rows.columns)


def widened(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a column for each key of their JSON objects, called `extras:Key`, instead of these."""
    objects = [name for name in OBJECTS if name in rows.columns]
    parts = []
    for name in objects:
        found = keys(rows[name])
        if found:
            parts.append(unpacked(rows[name], found).rename({key: f"{name}:{key}" for key in found}))
    return pl.concat([rows.drop(objects), *parts], how="horizontal")


def narrowed(wide: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The rows that `widened` has made such columns of.

    Args:
        wide: Rows with columns for keys.
        columns: The columns of the rows.
    """
    made = []
    for name in OBJECTS:
        if name in columns:
            inside = {each: each.removeprefix(f"{name}:") for each in wide.columns if each.startswith(f"{name}:")}
            objects = packed(wide.select(*inside).rename(inside)) if inside else pl.lit(None, dtype=pl.String)
            made.append(objects.alias(name))
    return wide.with_columns(made).select(columns)


def _decides(name: str, columns: Sequence[str]) -> str:
    """The column whose values decide from which row a column is taken: a value's, for the text that it came from."""
    of = name.removeprefix(f"{ORIGINAL}:")
    return of if of != name and of in columns else name
