"""Whether a pattern has a longer one around it: the checks of BIDE, for many patterns at once.

Wang and Han 2004, "BIDE: Efficient Mining of Frequent Closed Sequences". A page can be put into a pattern, in front
of its i-th page, where it lies between the earliest end of what comes before and the latest place of the i-th page
(the i-th *maximum period*); if it can in every session that has the pattern, the pattern is not closed. With the
place of the i-th page in the earliest instance instead (*semi-maximum period*), no pattern that grows from it is
closed, and it need not grow.
"""

from dataclasses import dataclass

import numpy as np

from plugins.paths.corpus import Codes, Corpus, Flags, Ints
from plugins.paths.projection import Followers

SAMPLES = (4, 64)
"""The sessions of a pattern that are looked at before all others: most patterns fail there."""


@dataclass(frozen=True)
class Instances:
    """Sessions of some patterns, all of the same length.

    Attributes:
        pages: The patterns; shape (patterns, length).
        support: In how many sessions each is; shape (patterns,).
        pattern: The pattern of each instance, ascending; shape (instances,).
        session: Its session; shape (instances,).
    """

    pages: Codes
    support: Ints
    pattern: Ints
    session: Ints

    def only(self, wanted: Flags) -> "Instances":
        """Those of some of the patterns."""
        rows = np.flatnonzero(wanted[self.pattern])
        number = np.cumsum(wanted) - 1
        return Instances(self.pages[wanted], self.support[wanted], number[self.pattern[rows]], self.session[rows])

    def head(self, most: int) -> "Instances":
        """The first so many of each pattern; their support is as if there were no others."""
        starts = np.searchsorted(self.pattern, np.arange(len(self.support)))
        rows = np.flatnonzero(np.arange(len(self.pattern)) - starts[self.pattern] < most)
        return Instances(self.pages, np.minimum(self.support, most), self.pattern[rows], self.session[rows])


class Closure:
    """The sessions of a corpus, indexed for the checks.

    Args:
        corpus: The corpus.
        followers: What follows its views.
    """

    def __init__(self, corpus: Corpus, followers: Followers) -> None:
        self._followers = followers
        self._pages = max(corpus.pages, 1)
        self._width = int(corpus.lengths.max(initial=0)) + 2
        self._first = corpus.offsets[:-1]
        self._openings = np.searchsorted(followers.opening, corpus.offsets)
        group = corpus.session_of * self._pages + corpus.codes
        place = np.arange(corpus.views) - self._first[corpus.session_of] + 1
        keys = group * self._width + place
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        blocks, self._counts = np.unique(group, return_counts=True)
        self._block_pages = blocks % self._pages
        self._blocks = np.searchsorted(blocks // self._pages, np.arange(corpus.sessions + 1))

    def candidates(self, given: Instances) -> Flags:
        """Which patterns may have a page more, since some page is more often in each of their sessions than in them.

        What is not among them is closed as far as insertions go, and cannot be pruned; shape (patterns,).
        """
        found = np.ones(len(given.support), dtype=np.bool_)
        for most in (*SAMPLES, self._keys.size + 1):
            rest = given.only(found)
            if not len(rest.support):
                break
            found[found] = self._have_more(rest.head(most))
        return found

    def _have_more(self, given: Instances) -> Flags:
        """Which patterns have a page that each of their sessions has more often than they; shape (patterns,)."""
        patterns, pages = len(given.support), self._pages
        own = np.bincount((np.arange(patterns)[:, None] * pages + given.pages).ravel(), minlength=patterns * pages)
        row, at = ragged(self._blocks[given.session], self._blocks[given.session + 1])
        key = given.pattern[row] * pages + self._block_pages[at]
        sessions = np.bincount(key[self._counts[at] > own[key]], minlength=patterns * pages)
        found: Flags = (sessions.reshape(patterns, pages) == given.support[:, None]).any(axis=1)
        return found

    def insertable(self, given: Instances, need: Ints, *, earliest: bool) -> Flags:
        """Into which patterns a page can be put, before one of theirs, in so many of their sessions.

        Args:
            given: The patterns and all their sessions.
            need: In how many sessions; shape (patterns,).
            earliest: Only into the earliest instance of a pattern (the semi-maximum periods).

        Returns:
            Shape (patterns,).
        """
        found = np.zeros(len(given.support), dtype=np.bool_)
        ends = self._earliest(given)
        limits = self._latest(given, ends[-1] if earliest else None)
        for start, limit in zip(ends[:-1], limits, strict=True):
            wide = np.flatnonzero((limit - start > 1) & ~found[given.pattern])
            enough = np.bincount(given.pattern[wide], minlength=len(found)) >= need
            rows = wide[enough[given.pattern[wide]]]
            if len(rows):
                found |= self._common(given.pattern[rows], given.session[rows], start[rows], limit[rows], need)
        return found

    def _earliest(self, given: Instances) -> list[Ints]:
        """Where the patterns' beginnings end at the earliest: that of no page, of one, of two, ..."""
        ends = [self._first[given.session] - 1]
        for at in range(given.pages.shape[1]):
            ends.append(self._next(given.session, given.pages[given.pattern, at], ends[-1]))
        return ends

    def _latest(self, given: Instances, last: Ints | None) -> list[Ints]:
        """The latest places of each page of the patterns, the last of them at `last`, or wherever it comes last."""
        length = given.pages.shape[1]
        behind = self._first[given.session] + self._width - 2
        places = [last if last is not None else self._before(given.session, given.pages[given.pattern, -1], behind)]
        for at in range(length - 2, -1, -1):
            places.append(self._before(given.session, given.pages[given.pattern, at], places[-1]))
        return places[::-1]

    def _key(self, session: Ints, page: Codes, place: Ints) -> Ints:
        return (session * self._pages + page) * self._width + place - self._first[session] + 1

    def _next(self, session: Ints, page: Codes, after: Ints) -> Ints:
        """The first view of a page behind another view; it must be there."""
        return self._order[np.searchsorted(self._keys, self._key(session, page, after), side="right")]

    def _before(self, session: Ints, page: Codes, place: Ints) -> Ints:
        """The last view of a page before another view; it must be there."""
        return self._order[np.searchsorted(self._keys, self._key(session, page, place)) - 1]

    def _common(self, pattern: Ints, session: Ints, start: Ints, limit: Ints, need: Ints) -> Flags:
        """Of which patterns enough sessions have one page between `start` and `limit`; shape (patterns,)."""
        follow = self._followers
        outside = start < self._first[session]
        within = np.flatnonzero(~outside)
        row, at = ragged(follow.starts[start[within]], follow.starts[start[within] + 1])
        first_row, first_at = ragged(self._openings[session[outside]], self._openings[session[outside] + 1])
        places: Ints = np.concatenate((follow.places[at], follow.opening[first_at]))
        rows = np.concatenate((within[row], np.flatnonzero(outside)[first_row]))
        inside = places < limit[rows]
        keys = pattern[rows[inside]] * self._pages + follow.codes[places[inside]]
        sessions = np.bincount(keys, minlength=len(need) * self._pages).reshape(len(need), -1)
        enough: Flags = sessions >= need[:, None]
        return np.asarray(enough.any(axis=1))


def ragged(starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """All numbers from each start to its end, and the row of each; both of shape (numbers,)."""
    sizes = ends - starts
    row = np.repeat(np.arange(len(starts)), sizes)
    return row, np.arange(len(row)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
