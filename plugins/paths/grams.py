"""Runs of pages that follow one another (n-grams), as integers: what the prediction of the next page counts.

A symbol is a page, or the start of a session. The n-grams of one length are sorted by the n-gram without their last
symbol, then by the last symbol, so that all that follows a context stands together.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from plugins.paths.corpus import Codes, Corpus, Flags, Ints

NONE = -1
"""No such page, or no such n-gram."""


@dataclass(frozen=True)
class Grams:
    """The distinct n-grams of one length. An n-gram's id is its place here.

    Attributes:
        keys: The id of the n-gram without its last symbol, times the number of symbols, plus its last symbol; sorted.
            Shape (n,).
        shorter: The id of the n-gram without its first symbol; shape (n,).
        counts: How often it is in the sessions; shape (n,).
        starting: Whether its first symbol is the start of a session; shape (n,).
        width: How many symbols there are.
    """

    keys: Ints
    shorter: Codes
    counts: Ints
    starting: Flags
    width: int

    @property
    def contexts(self) -> Ints:
        """The id of each without its last symbol; shape (n,)."""
        return self.keys // self.width

    @property
    def symbols(self) -> Ints:
        """The last symbol of each; shape (n,)."""
        return self.keys % self.width

    def rows(self, contexts: Ints) -> tuple[Ints, Ints]:
        """Where what follows each context begins here, and where it ends."""
        first, end = (np.searchsorted(self.keys, (contexts + more) * self.width) for more in (0, 1))
        return first, end

    def find(self, contexts: Ints, symbols: Ints) -> Ints:
        """The ids of contexts with a symbol after them; `NONE` where that was never seen, or one of both is `NONE`."""
        wanted = np.where((contexts == NONE) | (symbols == NONE), NONE, contexts * self.width + symbols)
        at = np.searchsorted(self.keys, wanted)
        return np.where(self.keys[np.minimum(at, len(self.keys) - 1)] == wanted, at, NONE)


@dataclass(frozen=True)
class Pages:
    """Symbols of pages: most viewed first, then by name, so that ties are broken by the smaller symbol.

    Attributes:
        names: The pages by their symbols; shape (pages,). The symbol after the last of them is the start of a session.
        views: How often each was viewed; shape (pages,).
        symbol_of: The symbol of each page of the corpus; `NONE` if it was never viewed. Shape (pages of the corpus,).
    """

    names: pl.Series
    views: Ints
    symbol_of: Ints

    @classmethod
    def of(cls, corpus: Corpus) -> "Pages":
        """The pages that the sessions view."""
        views = np.bincount(corpus.codes, minlength=corpus.pages)
        order = np.argsort(-views, kind="stable")
        seen = order[: np.count_nonzero(views)]
        symbol_of = np.full(corpus.pages, NONE)
        symbol_of[seen] = np.arange(len(seen))
        return cls(corpus.names.gather(seen), views[seen], symbol_of)

    def symbol(self, page: str) -> int | None:
        """The symbol of a page; None if it was never viewed."""
        found = self.names.index_of(page)
        return None if found is None else int(found)

    @property
    def start(self) -> int:
        """The symbol of the start of a session."""
        return len(self.names)


@dataclass(frozen=True)
class Stream:
    """Sessions one after the other, each after a start.

    Attributes:
        symbols: Pages and starts; `NONE` for a page without a symbol. Shape (views + sessions,).
        place: How many symbols of its session are before each; shape (views + sessions,).
    """

    symbols: Ints
    place: Ints

    @classmethod
    def of(cls, corpus: Corpus, pages: Pages) -> "Stream":
        """The sessions of a corpus, whose pages have these symbols."""
        begin = corpus.offsets[:-1] + np.arange(corpus.sessions)
        place = np.arange(corpus.views + corpus.sessions) - np.repeat(begin, corpus.lengths + 1)
        symbols = np.full(len(place), pages.start)
        symbols[place > 0] = pages.symbol_of[corpus.codes]
        return cls(symbols, place)


def count(stream: Stream, width: int, longest: int) -> list[Grams]:
    """Count the n-grams of a stream, of one symbol and more, as far as there are any.

    Args:
        stream: Sessions without unknown pages.
        width: How many symbols there are.
        longest: No longer ones.
    """
    here = stream.symbols
    counts = np.bincount(here, minlength=width)
    starting = np.arange(width) == width - 1
    found = [Grams(np.arange(width), np.zeros(width, dtype=np.int32), counts, starting, width)]
    for length in range(2, longest + 1):
        at = np.flatnonzero(stream.place >= length - 1)
        if not len(at):
            break
        keys, first, ids, counts = _distinct(here[at - 1] * width + stream.symbols[at])
        first = at[first]
        found.append(Grams(keys, here[first].astype(np.int32), counts, stream.place[first] == length - 1, width))
        here = np.full(len(here), NONE)
        here[at] = ids
    return found


def _distinct(keys: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """The distinct keys, where one of each is, which of them each key is, and how many of each there are."""
    order = np.argsort(keys)
    ordered = keys[order]
    new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    at = np.flatnonzero(new)
    ids = np.empty(len(keys), dtype=np.int64)
    ids[order] = np.cumsum(new) - 1
    return ordered[at], order[at], ids, np.diff(np.append(at, len(keys)))


def spread(first: Ints, sizes: Ints) -> Ints:
    """The rows of spans, one span after the other, of which each begins at a row and has a size."""
    rows: Ints = np.arange(sizes.sum()) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)
    return rows


def ids(levels: list[Grams], symbols: Ints) -> list[Ints]:
    """The id of the n-gram of each length that ends at each symbol of a stream.

    `NONE` where it is not among the known ones; as no known one goes on to a start, none reaches over it.
    """
    found = [symbols][: len(levels)]
    for level in levels[1:]:
        before = np.concatenate(([NONE], found[-1][:-1]))
        found.append(level.find(before, symbols))
    return found
