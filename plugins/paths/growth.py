"""How patterns grow by one page: batches of patterns with the views at which they end."""

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from plugins.paths.corpus import Codes, Corpus, Flags, Ints
from plugins.paths.projection import Followers

BATCH = 1 << 16
"""About so many ends of patterns are grown at once: few enough to stay in a core's cache."""

ROOM = 1 << 22
"""So many views that follow others within a gap are looked at once."""

MOST_COUNTERS = 1 << 22
"""Patterns of a batch times pages, at most: so many numbers are counted at once."""


@dataclass(frozen=True)
class Batch:
    """Patterns of one length, and where they end.

    Attributes:
        pages: The patterns; shape (patterns, length).
        support: In how many sessions each is; shape (patterns,).
        pattern: The pattern of each end, from 0; shape (ends,).
        place: The view of each end; shape (ends,).
    """

    pages: Codes
    support: Ints
    pattern: Ints
    place: Codes

    def only(self, wanted: Flags) -> "Batch":
        """Some of the patterns."""
        if wanted.all():
            return self
        rows = np.flatnonzero(wanted.take(self.pattern))
        number = np.cumsum(wanted) - 1
        return Batch(
            self.pages[wanted], self.support[wanted], number.take(self.pattern.take(rows)), self.place.take(rows)
        )


class Growth(ABC):
    """What may stand behind a pattern, and where it ends then.

    Attributes:
        session: The session of each view; shape (views,).
        followers: What follows the views; None where gaps are limited.
    """

    def __init__(self, session: Codes, pages: int, followers: Followers | None) -> None:
        self.session, self.followers = session, followers
        self._pages = max(pages, 1)

    @abstractmethod
    def first(self, minimum: int) -> Batch:
        """The patterns of one page."""

    @abstractmethod
    def extended(self, batch: Batch, minimum: int) -> tuple[Ints, Ints, Codes]:
        """In how many sessions each page follows each pattern, and where.

        Returns:
            The number of sessions for each pattern and page, shape (patterns * pages,); where it is enough, for each
            end its pattern and page as an index into these, and the view.
        """

    @abstractmethod
    def growing(self, batch: Batch, minimum: int) -> Batch:
        """The patterns that may grow further, with the ends that matter for it."""

    def children(self, batch: Batch, counts: Ints, key: Ints, place: Codes, minimum: int) -> Batch:
        """The patterns that `extended` has found."""
        enough = counts >= minimum
        new = np.flatnonzero(enough)
        pages = np.column_stack((batch.pages[new // self._pages], new % self._pages)).astype(np.int32)
        return Batch(pages, counts[new], (np.cumsum(enough) - 1).take(key), place)

    def split(self, batch: Batch) -> list[Batch]:
        """The batch in parts of a good size."""
        patterns = len(batch.support)
        if not patterns:
            return []
        most = max(1, MOST_COUNTERS // self._pages)
        if patterns == 1 or (len(batch.place) <= BATCH and patterns <= most):
            return [batch]
        sizes = np.bincount(batch.pattern, minlength=patterns)
        ends = np.cumsum(sizes)
        group = np.maximum((ends - 1) // BATCH, np.arange(patterns) // most)
        cuts = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), patterns]
        order = np.argsort(_narrow(batch.pattern, patterns), kind="stable")
        pattern, place = batch.pattern.take(order), batch.place.take(order)
        starts = np.concatenate(([0], ends))[cuts]
        return [
            Batch(batch.pages[a:b], batch.support[a:b], pattern[x:y] - a, place[x:y])
            for a, b, x, y in zip(cuts[:-1], cuts[1:], starts[:-1], starts[1:], strict=True)
        ]


class Ungapped(Growth):
    """Any number of other views may lie between: the earliest end in a session says it all."""

    def __init__(self, corpus: Corpus) -> None:
        self._follow = Followers.of(corpus)
        super().__init__(self._follow.session, corpus.pages, self._follow)
        self._left = _narrow(self._follow.counts, int(self._follow.counts.max(initial=0)) + 1)

    def first(self, minimum: int) -> Batch:
        """The patterns of one page."""
        follow = self._follow
        pages = follow.codes[follow.opening]
        support = np.bincount(pages, minlength=self._pages)
        enough = support >= minimum
        rows = np.flatnonzero(enough[pages])
        number = np.cumsum(enough) - 1
        codes = np.flatnonzero(enough).astype(np.int32)
        return Batch(codes[:, None], support[codes], number[pages[rows]], follow.opening[rows].astype(np.int32))

    def extended(self, batch: Batch, minimum: int) -> tuple[Ints, Ints, Codes]:
        """In how many sessions each page follows each pattern, and where."""
        follow = self._follow
        left = self._left.take(batch.place)
        order = np.argsort(left, kind="stable")
        sizes = np.bincount(left, minlength=1)
        start = follow.starts.take(batch.place.take(order))
        pattern = batch.pattern.take(order) * self._pages
        total = int((sizes * np.arange(len(sizes))).sum())
        key, at = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
        done, below = 0, np.cumsum(sizes)
        for rank in range(len(sizes) - 1):  # the ends behind which more than `rank` pages follow
            rest = slice(int(below[rank]), None)
            part = slice(done, done + len(start) - int(below[rank]))
            np.add(start[rest], rank, out=at[part])
            np.add(follow.pages.take(at[part]), pattern[rest], out=key[part])
            done = part.stop
        counts = np.bincount(key, minlength=len(batch.support) * self._pages)
        kept = np.flatnonzero((counts >= minimum).take(key))
        return counts, key.take(kept), follow.places.take(at.take(kept))

    def growing(self, batch: Batch, minimum: int) -> Batch:
        """The patterns that may grow further, with the ends that matter for it."""
        rows = np.flatnonzero(self._left.take(batch.place))
        alive = Batch(batch.pages, batch.support, batch.pattern.take(rows), batch.place.take(rows))
        return alive.only(np.bincount(alive.pattern, minlength=len(batch.support)) >= minimum)


class Gapped(Growth):
    """At most so many other views may lie between two: every end in a session counts.

    Args:
        corpus: The sessions.
        gap: How many other views.
    """

    def __init__(self, corpus: Corpus, gap: int) -> None:
        super().__init__(corpus.session_of.astype(np.int32), corpus.pages, None)
        self._codes, self._gap = corpus.codes, gap
        self._left = (corpus.offsets[1:][corpus.session_of] - 1 - np.arange(corpus.views)).astype(np.int32)

    def first(self, minimum: int) -> Batch:
        """The patterns of one page."""
        views = np.arange(len(self._codes), dtype=np.int32)
        counts, key, place = self._enough([self._distinct(self._codes.astype(np.int64), views)], 1, minimum)
        whole = Batch(np.empty((1, 0), np.int32), np.zeros(1, np.int64), np.zeros(0, np.int64), views[:0])
        return self.children(whole, counts, key, place, minimum)

    def extended(self, batch: Batch, minimum: int) -> tuple[Ints, Ints, Codes]:
        """In how many sessions each page follows each pattern, and where."""
        order = np.argsort(batch.place, kind="stable")
        ends = Batch(batch.pages, batch.support, batch.pattern.take(order), batch.place.take(order))
        parts = [self._following(ends, start, end) for start, end in self._parts(ends.place)]
        return self._enough(parts, len(batch.support), minimum)

    def _parts(self, place: Codes) -> list[tuple[int, int]]:
        """Ends, sorted by view, in parts that are not too large; no session is in two of them."""
        session = self.session.take(place)
        new = np.flatnonzero(session[1:] != session[:-1]) + 1
        size = max(1, ROOM // (self._gap + 1))
        cuts = [0, *new[np.flatnonzero(np.diff(new // size, prepend=0))].tolist(), len(place)]
        return [(start, end) for start, end in itertools.pairwise(cuts) if end > start]

    def _following(self, batch: Batch, start: int, end: int) -> tuple[Ints, Codes]:
        """What follows some of the ends within the gap: pattern and page, and the view, each once, sorted."""
        pattern, place = batch.pattern[start:end], batch.place[start:end]
        left = self._left.take(place)
        keys, places = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)]
        for step in range(1, min(self._gap + 1, int(left.max(initial=0))) + 1):
            rows = np.flatnonzero(left >= step)
            places.append(place.take(rows) + np.int32(step))
            keys.append(pattern.take(rows) * self._pages + self._codes.take(places[-1]))
        return self._distinct(np.concatenate(keys), np.concatenate(places))

    def _distinct(self, key: Ints, place: Codes) -> tuple[Ints, Codes]:
        views = max(len(self._codes), 1)
        both = np.sort(key * views + place)
        both = both[np.flatnonzero(np.diff(both, prepend=-1))]
        return both // views, (both % views).astype(np.int32)

    def _enough(self, parts: list[tuple[Ints, Codes]], patterns: int, minimum: int) -> tuple[Ints, Ints, Codes]:
        """`extended` from its parts, none of which shares a session with another."""
        counts = np.zeros(patterns * self._pages, dtype=np.int64)
        for key, place in parts:
            session = self.session.take(place)
            new = np.ones(len(key), dtype=np.bool_)
            new[1:] = (key[1:] != key[:-1]) | (session[1:] != session[:-1])
            counts += np.bincount(key[new], minlength=len(counts))
        keys = [np.empty(0, dtype=np.int64), *(key for key, _ in parts)]
        places = [np.empty(0, dtype=np.int32), *(place for _, place in parts)]
        key, place = np.concatenate(keys), np.concatenate(places)
        enough = np.flatnonzero((counts >= minimum).take(key))
        return counts, key.take(enough), place.take(enough)

    def growing(self, batch: Batch, minimum: int) -> Batch:  # noqa: ARG002 - the signature is Growth's
        """The patterns that may grow further, with the ends that matter for it."""
        rows = np.flatnonzero(self._left.take(batch.place))
        return Batch(batch.pages, batch.support, batch.pattern.take(rows), batch.place.take(rows))


def _narrow(values: Ints | Codes, size: int) -> "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]":
    """Numbers below `size` in few bits, which NumPy sorts by radix."""
    return values.astype(np.uint8 if size <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.uint32)
