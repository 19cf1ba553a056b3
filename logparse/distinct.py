"""Work on distinct texts once: a column as integer codes and the texts that they stand for."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Distinct:
    """A column of texts, coded.

    Attributes:
        codes: Where each row's text is in `values`; null where it is null. Shape (n,).
        values: The distinct texts.
    """

    codes: pl.Series
    values: pl.Series

    @classmethod
    def of(cls, texts: pl.Series) -> "Distinct":
        """Code a column. The dictionary is its own, and is freed with it."""
        codes = coded(texts).to_physical()
        first = codes.is_first_distinct() & codes.is_not_null()
        order = codes.filter(first).arg_sort()
        if len(order) and codes.max() != len(order) - 1:  # rows were taken out since the texts were coded
            codes = codes.rank("dense") - 1
        return cls(codes, texts.filter(first).gather(order).cast(pl.String))

    def spread(self, of_values: pl.Series) -> pl.Series:
        """What was worked out for each distinct text, for every row; null where the text is null. Texts stay coded."""
        if of_values.dtype == pl.String:
            of_values = coded(of_values)
        return of_values.gather(self.codes)

    def map(self, function: Callable[[pl.Series], pl.Series]) -> pl.Series:
        """`function` of the distinct texts, for every row."""
        return self.spread(function(self.values))

    def spread_frame(self, of_values: pl.DataFrame) -> pl.DataFrame:
        """The same for several columns."""
        return pl.DataFrame([self.spread(column) for column in of_values])


def coded(texts: pl.Series) -> pl.Series:
    """Texts as a Categorical, whose dictionary is its own and is freed with it."""
    if texts.dtype == pl.String:
        return texts.cast(pl.Categorical(pl.Categories.random()))
    return texts
