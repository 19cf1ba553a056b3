"""Events -> a sparse matrix of people and items: what each has taken up, how much, how lately, and how."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Sparse: TypeAlias = Any
"""A matrix of scipy.sparse in CSR format; scipy has no types."""

Weighting = Literal["once", "log"]
KINDS: Final = ("view", "cart", "order", "opened", "clicked", "converted")
"""Kinds of events that a reason names; others are all one."""

FIRST_KIND: Final = 2
"""The code of the first of `KINDS`; no code is 0, which in a sparse matrix is no entry."""

UNKNOWN: Final = -1


@dataclass(frozen=True)
class Profiles:
    """What people have taken up; the matrices have the same entries, row by row one person.

    Attributes:
        people: Their names; shape (people,).
        weights: The sum of the weights of somebody's events of an item; shape (people, items).
        recency: 1 for the item of somebody's newest event, 2 for the one before, and so on; shape (people, items).
        kinds: What kind the heaviest event of an item has: 2 and more for a place in `KINDS`, 1 for another; shape
            (people, items).
    """

    people: pl.Series
    weights: Sparse
    recency: Sparse
    kinds: Sparse

    def taken(self, rows: Ints, who: pl.Series) -> "Profiles":
        """Some of the people; -1 stands for somebody of whom nothing is known.

        Args:
            rows: Which.
            who: Their names, also of those of whom nothing is known.
        """
        return Profiles(who, *(_taken(each, rows) for each in (self.weights, self.recency, self.kinds)))

    def values(self, weighting: Weighting = "once") -> Sparse:
        """How much an item counts: 1, or log(1 + weight); shape (people, items)."""
        found = self.weights.copy()
        found.data = np.ones_like(found.data) if weighting == "once" else np.log1p(found.data)
        return found

    @property
    def sizes(self) -> Ints:
        """How many items each has taken up; shape (people,)."""
        return np.asarray(np.diff(self.weights.indptr), dtype=np.int64)


def entries_at(matrix: Sparse, rows: Ints, columns: Ints) -> Floats:
    """Single entries of a sparse matrix; shape (entries,)."""
    if not len(rows):  # scipy gives a sparse matrix then
        return np.zeros(0)
    return np.asarray(matrix[rows, columns], dtype=np.float64).ravel()


def _taken(matrix: Sparse, rows: Ints) -> Sparse:
    empty = sp.csr_matrix((1, matrix.shape[1]), dtype=matrix.dtype)
    return sp.vstack([matrix, empty], format="csr")[rows]


@dataclass(frozen=True)
class Interactions:
    """Events by person and item.

    Attributes:
        items: All items of events and catalogue, sorted; shape (items,).
        profiles: What people have taken up; people are sorted.
        newest: Of each entry of the matrices the time of the newest event in days since 1970, NaN where it is unknown.
        catalogue: The catalogue in the order of `items`; rows of items that it lacks are null but for `item`.
    """

    items: pl.Series
    profiles: Profiles
    newest: Floats
    catalogue: pl.DataFrame

    @classmethod
    def of(cls, events: pl.DataFrame, items: pl.DataFrame) -> "Interactions":
        """Put events and catalogue together.

        Args:
            events: `who`, `item`, `ts`, `weight` and perhaps `kind`; rows without a weight above 0 do not count.
            items: The catalogue.
        """
        known = pl.concat([events["item"].cast(pl.String), items["item"].cast(pl.String)]).drop_nulls().unique().sort()
        profiles, newest = _profiles(events, known)
        catalogue = known.alias("item").to_frame().join(items, on="item", how="left", maintain_order="left")
        return cls(known.alias("item"), profiles, newest, catalogue)

    def meeting(self, events: pl.DataFrame) -> "Interactions":
        """The same items, with the people of other events; events of unknown items do not count."""
        profiles, newest = _profiles(events, self.items)
        return replace(self, profiles=profiles, newest=newest)

    def people_of(self, who: pl.Series) -> Ints:
        """The row of each person, -1 for somebody unknown; shape (who,)."""
        return codes(who, self.profiles.people)

    def items_of(self, items: pl.Series) -> Ints:
        """The column of each item, -1 for an unknown one; shape (items,)."""
        return codes(items, self.items)

    @property
    def shape(self) -> tuple[int, int]:
        """How many people and items."""
        return len(self.profiles.people), len(self.items)

    def names(self) -> pl.Series:
        """The title of each item, its id where it has none; shape (items,)."""
        if "title" not in self.catalogue.columns:
            return self.items.alias("title")
        return self.catalogue.select(pl.coalesce("title", "item").alias("title"))["title"]


def codes(values: pl.Series, known: pl.Series) -> Ints:
    """The place of each value among known ones, -1 where it is none of them; shape (values,)."""
    places = known.alias("value").to_frame().with_row_index("code")
    found = values.cast(pl.String).alias("value").to_frame().join(places, on="value", how="left", maintain_order="left")
    return found["code"].cast(pl.Int64).fill_null(UNKNOWN).to_numpy()


def _profiles(events: pl.DataFrame, items: pl.Series) -> tuple[Profiles, Floats]:
    pairs = _pairs(events)
    people = pairs["who"].unique().sort()
    pairs = pairs.with_columns(
        pl.Series("row", codes(pairs["who"], people)), pl.Series("column", codes(pairs["item"], items))
    )
    pairs = pairs.filter(pl.col("column") >= 0).sort("row", "column")
    pairs = pairs.with_columns(pl.col("last").rank("ordinal", descending=True).over("row").alias("recency"))
    shape = (len(people), len(items))
    starts = np.zeros(shape[0] + 1, dtype=np.int64)
    np.add.at(starts, pairs["row"].to_numpy() + 1, 1)
    starts = np.cumsum(starts)
    columns = pairs["column"].to_numpy()

    def matrix(name: str) -> Sparse:
        return sp.csr_matrix((pairs[name].cast(pl.Float64).to_numpy().copy(), columns.copy(), starts.copy()), shape)

    profiles = Profiles(people.alias("who"), matrix("weight"), matrix("recency"), matrix("kind"))
    return profiles, pairs["newest"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _pairs(events: pl.DataFrame) -> pl.DataFrame:
    """One row a person and item: `who`, `item`, `weight`, `last` (its place in order of time), `newest`, `kind`."""
    kind = pl.col("kind") if "kind" in events.columns else pl.lit(None, dtype=pl.String)
    code = kind.cast(pl.String).replace_strict(list(KINDS), list(range(FIRST_KIND, FIRST_KIND + len(KINDS))), default=1)
    counted = events.filter(pl.col("weight") > 0, pl.col("who").is_not_null(), pl.col("item").is_not_null())
    return (
        counted.select(
            pl.col("who", "item").cast(pl.String),
            pl.col("ts").cast(pl.Datetime("us", "UTC")),
            pl.col("weight").cast(pl.Float64),
            code.cast(pl.Float64).alias("kind"),
        )
        .sort("ts", maintain_order=True)  # events without a time come first, in the order of their rows
        .with_row_index("place")
        .sort("who", "item", "place")
        .group_by("who", "item", maintain_order=True)
        .agg(
            pl.col("weight").sum(),
            pl.col("place").max().alias("last"),
            (pl.col("ts").max().dt.epoch("us") / 86_400e6).alias("newest"),
            pl.col("kind").sort_by("weight", "place").last(),
        )
    )
