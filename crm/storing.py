"""Rows of a file -> rows of a table of records: those that are new, those that change, and those that stay.

The rows of a table and of a file that have one key are taken one after the other, the table's first. In the columns
that hold JSON objects each key counts by itself, and the text that a value came from goes with the value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from crm.objects import keys, packed, unpacked
from crm.options import OnDuplicate
from crm.schema import polars_schema
from crm.tables import Table

ORIGINAL: Final = "original"
OBJECTS: Final = ("extras", ORIGINAL)
"""Columns that hold JSON objects of texts."""

_STORED: Final = " stored"


@dataclass(frozen=True)
class Changes:
    """What a file does to a table.

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


def changes(contract: Table, given: pl.DataFrame, stored: pl.DataFrame, how: OnDuplicate) -> Changes:
    """Hold the rows of a file against those of a table.

    Args:
        contract: The table's.
        given: The rows of the file, with all or some of its columns; no key is null.
        stored: The rows of the table that have these keys.
        how: What becomes of a row whose key is there: its values replace others (`update`), fill gaps (`merge`), or it
            is left out (`skip`, `fail`). A value that is null replaces none.
    """
    schema, key = polars_schema(contract), list(contract.key)
    full = given.select(_column(given, name, kind) for name, kind in schema.items())
    late, settled = _looked_up(full, stored, key)
    if not late.any():
        none = pl.Series([False]).new_from_index(0, full.height)
        return Changes(full, none, 0, late.arg_true(), 0)
    rest = full.filter(~settled)
    before = stored.join(rest.select(key), on=key, how="semi")
    made = _one_after_the_other(rest, before, key, how)
    return replace(made, same=made.same + int(settled.sum()), duplicates=late.arg_true())


def _looked_up(full: pl.DataFrame, stored: pl.DataFrame, key: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Which rows of a file have a key that was there before them, and which of these, alone in the file, say the same.

    The latter need nothing more, which is all of a file that is imported again.
    """
    there = full.select(key).join(
        stored.with_columns(pl.lit(True).alias(_STORED)), on=key, how="left", maintain_order="left"
    )
    known = there[_STORED].fill_null(False)
    late = known | full.select(~_keyed(key).is_first_distinct()).to_series()
    settled = known & full.select(~_keyed(key).is_duplicated()).to_series()
    for name in full.columns:
        settled &= full[name].eq_missing(there[name])
    return late, settled


def _one_after_the_other(full: pl.DataFrame, stored: pl.DataFrame, key: Sequence[str], how: OnDuplicate) -> Changes:
    """The rows of the table and of the file as if they had come one after the other."""
    stack = pl.concat([stored.select(full.columns), full])
    often = stack.select(_keyed(key).is_duplicated()).to_series()
    once = folded(stack.filter(often), key, how)
    before = once.select(key).join(
        stored.with_columns(pl.lit(True).alias(_STORED)), on=key, how="left", maintain_order="left"
    )
    known = before[_STORED].fill_null(False)
    alike = pl.DataFrame({name: once[name].eq_missing(before[name]) for name in full.columns}).select(
        pl.all_horizontal(pl.all())
    )
    same = known & alike.to_series()
    alone = full.filter(~often[stored.height :])
    rows = pl.concat([once.filter(~same), alone])
    flags = pl.concat([known.filter(~same), pl.Series([False], dtype=pl.Boolean).new_from_index(0, alone.height)])
    repeated = full.height - alone.height - once.height
    return Changes(rows, flags, int(same.sum()), pl.Series([], dtype=pl.UInt32), repeated)


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
