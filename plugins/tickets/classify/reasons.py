"""What spoke for a class: the features of a row that add most to it."""

from typing import Any, Final

import numpy as np
import polars as pl

from crm.learning.separation import Floats, Ints
from plugins.tickets.classify.features import Features

SHOWN: Final = 3
"""So many are told, at most."""
_LOOKED_AT: Final = 8
"""So many of the strongest are looked at: what lies within another of them says less than that."""
_SIGNS: Final = " ,.;:!?()'\"-/、。《》【】~…·"
"""Signs at the ends of a run say nothing to people."""


def reasons(features: Features, rows: Any, codes: Ints, evidence: Floats) -> pl.Series:
    """The strongest features for the class of each row, the strongest first, with commas between them.

    Args:
        features: What made the rows.
        rows: A sparse matrix of shape (rows, features).
        codes: The class of each row; shape (rows,).
        evidence: What each feature says for each class; shape (classes, features).

    Returns:
        Texts, null where nothing speaks for the class.
    """
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    values = rows.data * evidence[codes[owner], rows.indices]
    places = [_strongest(values, rows.indptr, rows.indices) for _ in range(_LOOKED_AT)]
    known = np.unique(np.concatenate(places))
    known = known[known >= 0]
    said = features.names(known).str.strip_chars(_SIGNS).replace("", None)
    names = pl.DataFrame({"place": known, "name": said}, schema={"place": pl.Int64, "name": pl.String})
    columns = [
        pl.DataFrame({"place": found}).join(names, on="place", how="left", maintain_order="left")["name"].alias(str(at))
        for at, found in enumerate(places)
    ]
    return _told(pl.DataFrame(columns))


def _strongest(values: Floats, starts: Ints, places: Ints) -> Ints:
    """The feature with the largest value above 0 in each row, -1 where there is none; the values found become 0."""
    found = np.full(len(starts) - 1, -1, dtype=np.int64)
    filled = np.flatnonzero(np.diff(starts))
    if not len(filled):
        return found
    largest = np.maximum.reduceat(values, starts[filled])
    lengths = np.diff(starts)[filled]
    at = np.flatnonzero(values == np.repeat(largest, lengths))
    row = np.searchsorted(starts[1:], at, side="right")
    _, first = np.unique(row, return_index=True)
    at = at[first]
    good = values[at] > 0
    found[row[first][good]] = places[at[good]]
    values[at[good]] = 0.0
    return found


def _told(names: pl.DataFrame) -> pl.Series:
    """The first of each row that are part of no other."""
    kept = [
        pl.when(
            pl.any_horizontal(_within(name, other, at < place) for at, other in enumerate(names.columns) if at != place)
        )
        .then(None)
        .otherwise(pl.col(name))
        .alias(name)
        for place, name in enumerate(names.columns)
    ]
    told = names.select(kept).select(pl.concat_list(pl.all()).list.drop_nulls().list.head(SHOWN).alias("told"))
    return told.select(pl.col("told").list.join(", ").replace("", None))["told"]


def _within(part: str, whole: str, before: bool) -> pl.Expr:
    """Whether the text of one column is part of that of another; of equal ones, whether the other is before it."""
    same = pl.lit(True) if before else pl.col(part) != pl.col(whole)
    return (pl.col(whole).str.contains(pl.col(part), literal=True) & same).fill_null(False)
