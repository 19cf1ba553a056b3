"""Tickets as rows of numbers: their texts, their codes one by one, and their numbers in units of their spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from scipy import sparse

from crm.intake.numbers import decimal_point, numbers
from crm.learning.separation import Floats, Ints
from plugins.tickets.classify import texts
from plugins.tickets.classify.texts import Lexicon

CODE_WEIGHT: Final = 0.5
"""What a code weighs, where a text weighs 1."""
NUMBER_WEIGHT: Final = 0.2
"""What a standard deviation of a number weighs."""
_FARTHEST: Final = 4.0
"""A number that lies farther out, in standard deviations, counts as one that lies so far."""
_RAREST: Final = 2


@dataclass(frozen=True)
class Columns:
    """What is looked at: columns of text, of codes, and of numbers."""

    texts: tuple[str, ...]
    codes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Their names."""
        return (*self.texts, *self.codes, *self.numbers)


@dataclass(frozen=True)
class Features:
    """What makes numbers of tickets.

    Attributes:
        columns: What is looked at.
        lexicon: The runs and words of the texts.
        codes: The known codes of each column of codes, ascending.
        means: Of the logarithms of each column of numbers; shape (numbers,).
        spreads: Their standard deviations, 1 where all are equal; shape (numbers,).
    """

    columns: Columns
    lexicon: Lexicon
    codes: tuple[pl.Series, ...]
    means: Floats
    spreads: Floats

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self.lexicon.weights) + sum(map(len, self.codes)) + len(self.means)

    def matrix(self, frame: pl.DataFrame) -> sparse.csr_array:
        """The features of each row of a table that has the columns; shape (rows, width)."""
        parts: list[Any] = [texts.weighed(texts.joined(frame, self.columns.texts), self.lexicon)]
        parts += [_marked(frame[name], known) for name, known in zip(self.columns.codes, self.codes, strict=True)]
        if self.columns.numbers:
            far = (logarithms(frame, self.columns.numbers) - self.means) / self.spreads
            clipped = np.nan_to_num(np.clip(far, -_FARTHEST, _FARTHEST), nan=0.0)
            parts.append(sparse.csr_array(clipped * NUMBER_WEIGHT))
        return sparse.hstack(parts, format="csr")

    def names(self, places: Ints) -> pl.Series:
        """What features at some places are: a piece of text, `column=code` or a column of numbers."""
        first = len(self.lexicon.weights)
        rest = [f"{name}={code}" for name, codes in zip(self.columns.codes, self.codes, strict=True) for code in codes]
        rest += self.columns.numbers
        inner = places < first
        found = pl.Series([""] * len(places), dtype=pl.String)
        found = found.scatter(np.flatnonzero(inner), self.lexicon.names(places[inner]))
        return found.scatter(np.flatnonzero(~inner), [rest[place - first] for place in places[~inner]])


def learnt(frame: pl.DataFrame, columns: Columns, longest: int, rarest: int) -> Features:
    """What makes numbers of rows like these.

    Args:
        frame: A table that has the columns.
        columns: What to look at.
        longest: See `texts.learnt`.
        rarest: See `texts.learnt`.
    """
    lexicon = texts.learnt(texts.joined(frame, columns.texts), longest, rarest)
    codes = tuple(_known(frame[name]) for name in columns.codes)
    if not columns.numbers:
        return Features(columns, lexicon, codes, np.zeros(0), np.ones(0))
    values = logarithms(frame, columns.numbers)
    there = ~np.isnan(values)
    counts = np.maximum(there.sum(axis=0), 1)
    means = np.where(there, values, 0.0).sum(axis=0) / counts
    spreads = np.sqrt(np.where(there, (values - means) ** 2, 0.0).sum(axis=0) / counts)
    return Features(columns, lexicon, codes, means, np.where(spreads > 0, spreads, 1.0))


def logarithms(frame: pl.DataFrame, names: Sequence[str]) -> Floats:
    """Columns of numbers as sign(x) log(1 + |x|), NaN where there is none; shape (rows, columns)."""
    read = [_number(frame[name]).to_numpy().astype(np.float64) for name in names]
    values = np.column_stack(read) if read else np.zeros((frame.height, 0))
    values[~np.isfinite(values)] = np.nan
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _number(values: pl.Series) -> pl.Series:
    """A column as numbers; null where a text is none."""
    if values.dtype != pl.String:
        return values.cast(pl.Float64, strict=False)
    clean = values.str.strip_chars().fill_null("")
    return numbers(clean, decimal_point(clean))


def _plain(values: pl.Series) -> pl.Series:
    return values.cast(pl.String).str.strip_chars().replace("", None)


def _known(values: pl.Series) -> pl.Series:
    """The codes of a column that are there twice or more, ascending."""
    counts = pl.DataFrame({"code": _plain(values)}).drop_nulls().group_by("code").len()
    return counts.filter(pl.col("len") >= _RAREST)["code"].sort()


def _marked(values: pl.Series, known: pl.Series) -> sparse.csr_array:
    """A mark for the code of each row that is known; shape (rows, codes)."""
    places = pl.DataFrame({"code": known}).with_row_index("place")
    asked = pl.DataFrame({"code": _plain(values)}).with_row_index("row")
    found = asked.join(places, on="code", maintain_order="left")
    where = (found["row"].to_numpy().astype(np.int64), found["place"].to_numpy().astype(np.int64))
    return sparse.csr_array((np.full(found.height, CODE_WEIGHT), where), shape=(len(values), len(known)))
