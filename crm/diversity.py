"""Items that are unlike each other: maximal marginal relevance (Carbonell and Goldstein 1998).

Items are taken one by one; the next is that with the greatest (1 - λ) · relevance - λ · likeness, where relevance is
the score of the item between the least (0) and the greatest (1) of the person's, and likeness is the greatest Jaccard
similarity of its categories and tags to those of an item that was taken before.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

_CATEGORIES: Final = ("category1", "category2", "category3")
_DIGITS: Final = 9
"""Values that differ behind so many digits are equal: sums leave something there."""
_PAIRS: Final = 2_000_000
"""So many pairs of a person and an item are gone through at a time."""


def diversified(
    rows: pl.DataFrame, items: pl.DataFrame, diversity: float, most: int, person: str = "who"
) -> pl.DataFrame:
    """The items of each person, chosen and ordered so that they are good, and unlike each other.

    Args:
        rows: Person, `rank`, `item`, `score` and more, each person's by rank.
        items: The catalogue, as `crm.catalog.items` gives it.
        diversity: λ: 0 keeps the order of ranks, 1 looks at likeness alone.
        most: How many for each person at most.
        person: The column that names the person.

    Returns:
        The rows that are kept, people in the order of `rows`, with the new `rank`.
    """
    if rows.is_empty():
        return rows
    words, place = _words(items)
    numbered = rows.with_columns(
        pl.col("item").replace_strict(place, default=len(place), return_dtype=pl.Int64).alias(" at"),
        (pl.col(person).rle_id().cast(pl.Int64)).alias(" row"),
        pl.int_range(pl.len(), dtype=pl.Int64).over(person).alias(" column"),
        _relevance(person),
    )
    widest = int(numbered[" column"].max() or 0) + 1  # type: ignore[arg-type]
    block = pl.col(" row") // max(1, _PAIRS // widest)
    parts = numbered.with_columns(block.alias(" block")).partition_by(" block", maintain_order=True)
    kept = pl.concat(_chosen(part, widest, words, diversity, most) for part in parts)
    return kept.select(rows.columns)


def _chosen(part: pl.DataFrame, widest: int, words: sparse.csr_array, diversity: float, most: int) -> pl.DataFrame:
    """The rows of some people that are kept, in their new order."""
    row = part[" row"].to_numpy() - int(part[" row"][0])
    grid = row, part[" column"].to_numpy()
    shape = (int(row[-1]) + 1, widest)
    relevance = np.full(shape, -np.inf)
    relevance[grid] = part[" relevance"].to_numpy()
    at = np.full(shape, words.shape[0] - 1, dtype=np.int64)
    at[grid] = part[" at"].to_numpy()
    rank = _ranks(relevance, at, words, diversity, most)
    ranked = part.with_columns(pl.Series("rank", rank[grid]).cast(part.schema["rank"]))
    return ranked.filter(pl.col("rank") > 0).sort(" row", "rank")


def _relevance(person: str) -> pl.Expr:
    least, greatest = (pl.col("score").min().over(person), pl.col("score").max().over(person))
    share = (pl.col("score") - least) / (greatest - least)
    return pl.when(greatest > least).then(share).otherwise(1.0).alias(" relevance")


def _ranks(
    relevance: npt.NDArray[np.float64],
    at: npt.NDArray[np.int64],
    words: sparse.csr_array,
    diversity: float,
    most: int,
) -> npt.NDArray[np.int64]:
    """The new rank of each item from 1, 0 for one that is not taken; shape (people, items)."""
    likeness = np.zeros(relevance.shape)
    rank = np.zeros(relevance.shape, dtype=np.int64)
    people = np.arange(len(relevance))
    left = relevance > -np.inf
    for step in range(1, most + 1):
        worth = (1 - diversity) * np.where(left, relevance, 0) - diversity * likeness
        value = np.where(left, worth.round(_DIGITS), -np.inf)
        taken = value.argmax(axis=1)  # of equal ones the first, which has the better rank
        some = left[people, taken]
        rank[people[some], taken[some]] = step
        left[people, taken] = False
        likeness = np.maximum(likeness, _alike(words, at, at[people, taken]))
    return rank


def _alike(words: sparse.csr_array, at: npt.NDArray[np.int64], taken: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of the items of each person to the one that was taken; shape (people, items)."""
    mine, other = words[at.ravel()], words[np.repeat(taken, at.shape[1])]
    both = np.asarray(mine.multiply(other).sum(axis=1)).ravel()
    either = np.asarray(mine.sum(axis=1)).ravel() + np.asarray(other.sum(axis=1)).ravel() - both
    share: npt.NDArray[np.float64] = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return share.reshape(at.shape)


def _words(items: pl.DataFrame) -> tuple[sparse.csr_array, dict[str, int]]:
    """The categories and tags of items, as ones in a matrix of shape (items + 1, words), and the row of each item.

    The last row is empty: it is that of items which are not in the catalogue.
    """
    parts = [items.select("item", pl.format(f"{name}:{{}}", name).alias("word")) for name in _CATEGORIES]
    parts.append(items.select("item", "tags").explode("tags").select("item", pl.format("tag:{}", "tags").alias("word")))
    pairs = pl.concat(parts).drop_nulls().unique()
    names = pairs["word"].unique().sort()
    place = {name: row for row, name in enumerate(items["item"])}
    column = {name: row for row, name in enumerate(names)}
    rows = pairs["item"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    columns = pairs["word"].replace_strict(column, return_dtype=pl.Int64).to_numpy()
    shape = (len(place) + 1, max(1, len(column)))
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape), place
