"""Work on distinct texts once: a column as integer codes and the texts that they stand for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Distinct:
    """A column of texts, coded.

    Attributes:
        codes: Where each row's text is in `values`; null where it is null. Shape (n,).
        values: The distinct texts, and those of rows that were taken out since they were coded.
    """

    codes: pl.Series
    values: pl.Series

    @classmethod
    def of(cls, texts: pl.Series) -> "Distinct":
        """Code a column. The dictionary is its own, and is freed with it."""
        texts = coded(texts)
        codes = texts.to_physical()
        last = codes.max()
        count = 0 if last is None else int(last) + 1  # type: ignore[arg-type]  # codes are integers
        numbers = pl.Series(np.arange(count, dtype=np.uint32)).cast(codes.dtype)
        return cls(codes, numbers.cat.to(texts.dtype).cast(pl.String))

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
