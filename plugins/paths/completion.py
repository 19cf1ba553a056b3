"""Path completion: the views that a browser showed out of its cache, inferred from referrers.

Cooley, Mobasher and Srivastava 1999, "Data preparation for mining World Wide Web browsing patterns". Each session has
a history, as its browser has: a stack of pages. A view whose referrer is the page on top, or is not known, goes on top.
One whose referrer lies deeper was reached by going back: each page that was passed on the way is viewed once more, down
to the referrer, and what lies above it is forgotten. A referrer that is nowhere in the history is a page that was
viewed elsewhere, in another tab or out of a cache: it is viewed once, then the view itself. A view of the page on top
that does not come from there is that page loaded anew: it changes nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from plugins.paths.corpus import BACK, CACHED, LOGGED, Codes, Corpus, Flags, Ints, Marks


def complete(corpus: Corpus, referrers: Codes) -> Corpus:
    """Add the views that referrers show. Those that are there stay as they are, in their order.

    Args:
        corpus: The views of sessions, all of them logged.
        referrers: Code of the page that each view came from; -1 for none, another site's, or one that no session has.
            Shape (views,).

    Returns:
        The corpus with the added views, marked `BACK` or `CACHED`, each right before the view that shows it and with
        its time, but none before the first view of a session. They are at most three times as many as the views.
    """
    before = _before(corpus)
    reloads = (corpus.codes == before) & (referrers != before)
    odd = (before >= 0) & (referrers >= 0) & (referrers != before) & ~reloads
    concerned = np.flatnonzero(np.bincount(corpus.session_of[odd], minlength=corpus.sessions))
    if not len(concerned):
        return corpus
    added = _Histories.of(corpus, np.where(odd, referrers, -1), ~reloads, concerned).walk()
    return _inserted(corpus, added)


def inferred(corpus: Corpus) -> tuple[int, int]:
    """How many views were added by going back, and out of a cache."""
    if corpus.marks is None:
        return 0, 0
    return int((corpus.marks == BACK).sum()), int((corpus.marks == CACHED).sum())


def _before(corpus: Corpus) -> Codes:
    """Code of the page of the view before, which is on top of the history; -1 for first views. Shape (views,)."""
    before = np.full(corpus.views, -1, dtype=np.int32)
    before[1:] = corpus.codes[:-1]
    before[corpus.offsets[:-1][corpus.lengths > 0]] = -1
    return before


@dataclass(frozen=True)
class _Added:
    """Views to add, in any order, those before one view in theirs: before which, of which page, marked how."""

    views: Ints
    pages: Ints
    marks: Marks


@dataclass(frozen=True)
class _Histories:
    """The histories of sessions, which are walked in lockstep: the n-th view of all of them at once.

    A *pair* is a session and a page of it, as a number. Each session has a stretch of slots for its stack.

    Attributes:
        rows: Views of the sessions in the corpus, session by session, the longest session first; shape (n,).
        starts: Where each session begins in these; shape (m,).
        lengths: How many views it has, falling; shape (m,).
        pages: The page of each pair; shape (pairs,).
        pairs: The pair of each view; shape (n,).
        sources: The pair of the page that a view came from by another way than a link on top; else -1. Shape (n,).
        pushed: Whether a view goes on top; shape (n,).
        tops: The slot of the page on top of each session; shape (m,).
        stack: The pair in each slot; shape (2 n,).
        under: The next lower slot with the same pair, -1 for none; shape (2 n,).
        latest: The highest slot of each pair that is in its session's history, -1 for none; shape (pairs,).
    """

    rows: Ints
    starts: Ints
    lengths: Ints
    pages: Ints
    pairs: Ints
    sources: Ints
    pushed: Flags
    tops: Ints
    stack: Ints
    under: Ints
    latest: Ints

    @classmethod
    def of(cls, corpus: Corpus, referrers: Codes, pushed: Flags, sessions: Ints) -> "_Histories":
        """The empty histories of some sessions."""
        sessions = sessions[np.argsort(-corpus.lengths[sessions], kind="stable")]
        lengths = corpus.lengths[sessions]
        starts = np.cumsum(lengths) - lengths
        count = int(lengths.sum())
        rows = np.arange(count) + np.repeat(corpus.offsets[sessions] - starts, lengths)
        whose = np.repeat(np.arange(len(sessions)) * corpus.pages, lengths)
        came = np.flatnonzero(referrers[rows] >= 0)
        keys = np.concatenate((whose + corpus.codes[rows], whose[came] + referrers[rows[came]]))
        distinct, numbers = np.unique(keys, return_inverse=True)
        sources = np.full(count, -1)
        sources[came] = numbers[count:]
        empty = np.full(2 * count, -1)
        return cls(
            rows,
            starts,
            lengths,
            distinct % corpus.pages,
            numbers[:count],
            sources,
            pushed[rows],
            2 * starts - 1,
            empty,
            empty.copy(),
            np.full(len(distinct), -1),
        )

    def walk(self) -> _Added:
        """Go through the views; the histories are worn out then."""
        parts: list[_Added] = []
        alive = np.searchsorted(-self.lengths, -np.arange(self.lengths[0]), side="left")
        for n, sessions in enumerate(alive.tolist()):
            views = self.starts[:sessions] + n
            sources = self.sources[views]
            came = np.flatnonzero(sources >= 0)
            if len(came):
                slots = self.latest[sources[came]]
                deeper = slots >= 0
                parts.append(self._back(came[deeper], views[came[deeper]], slots[deeper]))
                parts.append(self._elsewhere(came[~deeper], views[came[~deeper]]))
            up = np.flatnonzero(self.pushed[views])
            self._push(up, self.pairs[views[up]])
        return _Added(
            np.concatenate([part.views for part in parts]),
            np.concatenate([part.pages for part in parts]),
            np.concatenate([part.marks for part in parts]),
        )

    def _push(self, sessions: Ints, pairs: Ints) -> None:
        self.tops[sessions] += 1
        slots = self.tops[sessions]
        self.stack[slots] = pairs
        self.under[slots] = self.latest[pairs]
        self.latest[pairs] = slots

    def _back(self, sessions: Ints, views: Ints, slots: Ints) -> _Added:
        """Go back to slots below the top."""
        counts = self.tops[sessions] - slots
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        left = np.repeat(self.tops[sessions], counts) - nth
        # From the top down: of two slots with one pair the lower is written last, and that is what stays.
        self.latest[self.stack[left]] = self.under[left]
        self.tops[sessions] = slots
        shown = self.pages[self.stack[left - 1]]
        return _Added(np.repeat(self.rows[views], counts), shown, np.full(len(left), BACK, dtype=np.uint8))

    def _elsewhere(self, sessions: Ints, views: Ints) -> _Added:
        """Put pages on top that are nowhere in the history."""
        pairs = self.sources[views]
        self._push(sessions, pairs)
        return _Added(self.rows[views], self.pages[pairs], np.full(len(views), CACHED, dtype=np.uint8))


def _inserted(corpus: Corpus, added: _Added) -> Corpus:
    """The corpus with views before those that show them."""
    order = np.argsort(added.views, kind="stable")
    before = added.views[order]
    places = before + np.arange(len(before))
    total = corpus.views + len(before)
    logged = np.ones(total, dtype=np.bool_)
    logged[places] = False
    codes = np.empty(total, dtype=np.int32)
    codes[logged], codes[places] = corpus.codes, added.pages[order]
    marks = np.full(total, LOGGED, dtype=np.uint8)
    marks[places] = added.marks[order]
    times = None
    if corpus.times is not None:
        times = np.empty(total, dtype=np.int64)
        times[logged], times[places] = corpus.times, corpus.times[before]
    offsets = corpus.offsets + np.searchsorted(before, corpus.offsets, side="left")
    return replace(corpus, codes=codes, offsets=offsets, times=times, marks=marks)
