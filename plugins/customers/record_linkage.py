"""Find which records of a table are of one person: block, compare, learn, decide."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from plugins.customers import blocking, fellegi_sunter
from plugins.customers.comparison import CHUNK, LEVELS, Comparison, Ints, names_of, packed, unpacked
from plugins.customers.fellegi_sunter import Floats, Model
from plugins.customers.normalising import normalised
from plugins.customers.persons import Links, persons


@dataclass(frozen=True)
class Found:
    """The pairs that were compared, and what they say.

    Attributes:
        left: One record of each pair; shape (pairs,).
        right: The other.
        weight: What the pair's levels say for a match, in bits.
        probability: How likely it is one.
        model: What was learnt.
        counts: How many pairs have each level; shape (fields, levels).
        skipped: How many blocks were too large, by key.
    """

    left: Ints
    right: Ints
    weight: Floats
    probability: Floats
    model: Model
    counts: Ints
    skipped: Mapping[str, int]


class Linkage:
    """The records of a table, to be linked.

    They are put in the order of their ids and values first, so that the order of the rows changes nothing.

    Args:
        frame: A record a row.
        columns: Field and column, of at least two fields.
        ids: What each record is called; as many.

    Raises:
        UsageError: RapidFuzz is not installed.
    """

    def __init__(self, frame: pl.DataFrame, columns: Mapping[str, str], ids: pl.Series) -> None:
        values = normalised(frame, columns)
        whole = values.with_columns(ids.alias("\x1fid")).with_row_index("\x1frow")
        whole = whole.sort("\x1fid", *values.columns, maintain_order=True)
        self.order: Ints = whole["\x1frow"].cast(pl.Int64).to_numpy()
        self.ids = whole["\x1fid"]
        self.values = whole.select(values.columns)
        self.comparison = Comparison(self.values)
        self.first = _first_alike(self.values)
        self.found = self._found()

    def _found(self) -> Found:
        pairs = blocking.candidates(self.values)
        numbers = [
            packed(self.comparison.levels(pairs.left[part], pairs.right[part])) for part in _chunks(len(pairs.left))
        ]
        whole = np.concatenate([np.empty(0, dtype=np.int64), *numbers])
        distinct, inverse, counts = np.unique(whole, return_inverse=True, return_counts=True)
        patterns = unpacked(distinct, len(self.comparison.fields))
        start = fellegi_sunter.expected(self.comparison.fields, self.comparison.chance(np.unique(self.first)))
        model = fellegi_sunter.learn(patterns, counts, start)
        weight = model.weight(patterns)[inverse]
        seen = fellegi_sunter.indicator(patterns, len(LEVELS)).T @ counts
        return Found(
            pairs.left,
            pairs.right,
            weight,
            model.probability(weight),
            model,
            seen.reshape(-1, len(LEVELS)).astype(np.int64),
            pairs.skipped,
        )

    def score(self, left: Ints, right: Ints) -> Floats:
        """The probability of any pairs of records; shape (pairs,)."""
        model = self.found.model
        found = [model.weight(self.comparison.levels(left[part], right[part])) for part in _chunks(len(left))]
        return model.probability(np.concatenate([np.empty(0), *found]))

    def pairs(self, doubtful: float, threshold: float) -> pl.DataFrame:
        """The pairs that may be of one person, the likeliest first.

        Args:
            doubtful: From which probability.
            threshold: From which probability they count as one person's.

        Returns:
            `id_a`, `id_b`, `probability`, `weight` in bits, `verdict` (`same` or `doubtful`), and for each field the
            level at which it agrees.
        """
        found = self.found
        rows = np.flatnonzero(found.probability >= doubtful)
        rows = rows[np.lexsort((found.right[rows], found.left[rows], -found.weight[rows]))]
        left, right = found.left[rows], found.right[rows]
        levels = self.comparison.levels(left, right)
        return pl.DataFrame(
            {
                "id_a": self.ids.gather(left),
                "id_b": self.ids.gather(right),
                "probability": found.probability[rows],
                "weight": found.weight[rows],
            }
        ).with_columns(
            pl.when(pl.col("probability") >= threshold)
            .then(pl.lit("same"))
            .otherwise(pl.lit("doubtful"))
            .alias("verdict"),
            *names_of(levels, [f"{field}_level" for field in self.comparison.fields]),
        )

    def persons(self, threshold: float) -> tuple[pl.DataFrame, int]:
        """The person of each record, in the order of the rows.

        Args:
            threshold: From which probability pairs count as one person's.

        Returns:
            `id`, `person` from 1 in the order of the first rows, `records` of the person; and how many groups of
            linked records fell into several persons.
        """
        sure = self.found.probability >= threshold
        links = Links(self.found.left[sure], self.found.right[sure], self.found.weight[sure])
        first = self._sure_first(threshold)
        found = persons(self.values.height, links.among(first), self.score)
        ids = pl.DataFrame({"row": self.order, "id": self.ids, "person": found.person[first]}).sort("row")
        sizes = ids.group_by("person", maintain_order=True).agg(pl.len().cast(pl.Int64).alias("records"))
        sizes = sizes.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("number"))
        table = ids.join(sizes, on="person", how="left", maintain_order="left")
        return table.select("id", pl.col("number").alias("person"), "records"), found.cut

    def _sure_first(self, threshold: float) -> Ints:
        """The first record that is written like each, if that is enough to be one person; else the record itself."""
        own = np.arange(len(self.first), dtype=np.int64)
        again = np.flatnonzero(self.first != own)
        sure = again[self.score(self.first[again], again) >= threshold]
        own[sure] = self.first[sure]
        return own

    def parameters(self, columns: Mapping[str, str]) -> pl.DataFrame:
        """What was learnt.

        Args:
            columns: Field and column.

        Returns:
            A row for each field and level that some pair has: `field`, `column`, `level`, `m`, `u`, `weight` (log2 of
            m / u), and how many of the compared pairs have it (`pairs`).
        """
        fields, levels = self.comparison.fields, len(LEVELS)
        model = self.found.model
        return pl.DataFrame(
            {
                "field": np.repeat(np.array(fields, dtype=object), levels).tolist(),
                "column": [columns.get(field, columns.get("name", "")) for field in fields for _ in LEVELS],
                "level": list(LEVELS) * len(fields),
                "m": model.m.ravel(),
                "u": model.u.ravel(),
                "weight": np.log2(model.m / model.u).ravel(),
                "pairs": self.found.counts.ravel(),
            }
        ).filter(pl.col("pairs") > 0)


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]


def _first_alike(values: pl.DataFrame) -> Ints:
    """The first record that is written like each; shape (records,).

    Many records may be written alike (a row an order, say): more than are compared each with each.
    """
    rows = values.with_row_index("\x1frow")
    first = rows.select(pl.col("\x1frow").first().over(values.columns).cast(pl.Int64))
    return first.to_series().to_numpy()
