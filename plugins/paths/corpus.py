"""Paths as integers: what every miner of paths works on."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from logparse.distinct import Distinct

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

LOGGED, BACK, CACHED = range(3)
"""What a view is: logged, or inferred from a referrer (see `plugins.paths.completion`)."""

MARKS: Final = {BACK: "back", CACHED: "cached"}


@dataclass(frozen=True)
class Corpus:
    """The views of sessions, session by session, each in order. Nothing of it is changed in place.

    Attributes:
        names: The distinct pages, sorted, so that the order of codes is that of names; shape (pages,).
        codes: Where the page of each view is in `names`; shape (views,).
        offsets: Session `s` has the views `offsets[s]` to `offsets[s + 1]`; shape (sessions + 1,).
        times: When each view was, in microseconds since 1970 UTC; None where nobody knows. Shape (views,).
        marks: `LOGGED`, `BACK` or `CACHED`; None if all are logged. Shape (views,).
    """

    names: pl.Series
    codes: Codes
    offsets: Ints
    times: Ints | None = None
    marks: Marks | None = None

    @classmethod
    def of(cls, paths: pl.Series, times: pl.Series | None = None) -> "Corpus":
        """Code the paths of sessions.

        Args:
            paths: The pages of each session, a list of texts without nulls; shape (sessions,).
            times: When they were viewed, lists of times as long; None, or nulls, where nobody knows.
        """
        lengths = paths.list.len().fill_null(0).to_numpy().astype(np.int64)
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        views = paths.filter(pl.Series(lengths > 0)).explode().cast(pl.String)
        micros = None
        if times is not None and times.null_count() < len(times):
            moments = times.filter(pl.Series(lengths > 0)).explode()
            if not moments.null_count():
                micros = moments.dt.epoch("us").to_numpy()
        return cls(*_coded(views), offsets, micros)

    @property
    def sessions(self) -> int:
        """How many sessions."""
        return len(self.offsets) - 1

    @property
    def views(self) -> int:
        """How many views."""
        return len(self.codes)

    @property
    def pages(self) -> int:
        """How many distinct pages."""
        return len(self.names)

    @cached_property
    def lengths(self) -> Ints:
        """How many views each session has; shape (sessions,)."""
        return np.diff(self.offsets)

    @cached_property
    def session_of(self) -> Ints:
        """The session of each view, from 0; shape (views,)."""
        return np.repeat(np.arange(self.sessions), self.lengths)

    @cached_property
    def place_of(self) -> Ints:
        """The place of each view in its session, from 0; shape (views,)."""
        return np.arange(self.views) - np.repeat(self.offsets[:-1], self.lengths)

    def visited(self) -> Ints:
        """The pages of each session, each once, as session * pages + page, ascending; shape (pages of sessions,)."""
        keys = np.sort(self.session_of * self.pages + self.codes)
        new = np.ones(len(keys), dtype=np.bool_)
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        return keys[new]

    def code(self, page: str) -> int | None:
        """The code of a page; None if no session has it."""
        at = self.names.search_sorted(page) if self.pages else 0
        return int(at) if at < self.pages and self.names[int(at)] == page else None

    def keep(self, views: Flags) -> "Corpus":
        """The corpus with some of its views only; sessions may lose all of theirs. Pages keep their codes."""
        kept = np.concatenate(([0], np.cumsum(views)))
        return replace(
            self,
            codes=self.codes[views],
            offsets=kept[self.offsets],
            times=None if self.times is None else self.times[views],
            marks=None if self.marks is None else self.marks[views],
        )

    def take(self, sessions: Ints) -> "Corpus":
        """Some of the sessions, in this order. Pages keep their codes."""
        lengths = self.lengths[sessions]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[sessions] - offsets[:-1], lengths)
        return replace(
            self,
            codes=self.codes[rows],
            offsets=offsets,
            times=None if self.times is None else self.times[rows],
            marks=None if self.marks is None else self.marks[rows],
        )

    def newest(self, most: int) -> "Corpus":
        """The last `most` sessions. Pages keep their codes."""
        return self.take(np.arange(max(0, self.sessions - most), self.sessions))

    def first_views(self, most: int) -> "Corpus":
        """The corpus with no more than the first `most` views of each session."""
        return self.keep(self.place_of < most)

    def renamed(self, names: pl.Series) -> "Corpus":
        """The corpus with another name for each page; views of pages whose name is null go.

        Args:
            names: The new name of each page, which may be that of several; shape (pages,).
        """
        known = names.is_not_null().to_numpy()
        kept = self.keep(known[self.codes])
        distinct, codes = _coded(names.drop_nulls())
        table = np.full(self.pages, -1, dtype=np.int32)
        table[known] = codes
        return replace(kept, names=distinct, codes=table[kept.codes])

    def paths(self) -> pl.Series:
        """The pages of each session as lists of texts; shape (sessions,)."""
        return _lists(self.names.gather(pl.Series(self.codes)), self.offsets).alias("path")

    def moments(self) -> pl.Series:
        """The times of the views of each session as lists; null where nobody knows. Shape (sessions,)."""
        if self.times is None:
            return pl.repeat(None, self.sessions, dtype=pl.List(pl.Datetime("us", "UTC")), eager=True).alias("times")
        return _lists(self.when(), self.offsets).alias("times")

    def when(self) -> pl.Series:
        """The time of each view; null where nobody knows. Shape (views,)."""
        known = pl.repeat(None, self.views, eager=True) if self.times is None else pl.Series(self.times)
        return known.cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("ts")


def _coded(texts: pl.Series) -> tuple[pl.Series, Codes]:
    """The distinct texts, sorted, and where each text is among them."""
    known = Distinct.of(texts)
    codes = known.codes.to_numpy().astype(np.int64)
    used = np.flatnonzero(np.bincount(codes, minlength=len(known.values)))
    values = known.values.gather(used)
    order = values.arg_sort()
    table = np.empty(len(known.values), dtype=np.int32)
    table[used[order.to_numpy()]] = np.arange(len(used), dtype=np.int32)
    return values.gather(order).alias("page"), table[codes]


def _lists(values: pl.Series, offsets: Ints) -> pl.Series:
    """Values as lists, from each offset to the next."""
    number = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    grouped = pl.DataFrame({"number": number, "value": values}).group_by("number", maintain_order=True).agg("value")
    every = pl.DataFrame({"number": np.arange(len(offsets) - 1)})
    empty = pl.lit([], dtype=pl.List(values.dtype))
    return (
        every.join(grouped, on="number", how="left", maintain_order="left")["value"]
        .to_frame()
        .select(pl.col("value").fill_null(empty))
        .to_series()
    )
