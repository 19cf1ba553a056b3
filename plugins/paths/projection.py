"""What follows each view of a session: the index by which patterns grow without copies of sessions."""

import math
from dataclasses import dataclass

import numpy as np

from plugins.paths.corpus import Codes, Corpus, Ints

MOST_FOLLOWERS = 150_000_000
"""So many fit in about 1.5 GB."""

MOST_OF_ONE = 100
"""Where sessions do not fit, one session may take this part of the room."""


@dataclass(frozen=True)
class Followers:
    """For each view, the pages that come later in its session, each at its first place there.

    The places behind view `p` are `places[starts[p]:starts[p + 1]]`, in order; two of them never have one page. So the
    pseudo-projection of PrefixSpan (Pei et al. 2004) onto a pattern that ends at `p` is this one slice. Its size is
    that of what there is, not of all pages.

    Attributes:
        codes: The page of each view; shape (views,).
        session: The session of each view; shape (views,).
        first: The first view of each session; shape (sessions,).
        opening: The views whose page has not come before in their session; shape (opening,).
        starts: Where the places behind each view begin; shape (views + 1,).
        places: Views; shape (followers,).
        pages: Their pages; shape (followers,).
        counts: How many follow each view; shape (views,).
    """

    codes: Codes
    session: Codes
    first: Ints
    opening: Ints
    starts: Ints
    places: Codes
    pages: Codes
    counts: Codes

    @classmethod
    def of(cls, corpus: Corpus) -> "Followers":
        """Index a corpus, which must have less than 2^31 views."""
        codes, session = corpus.codes, corpus.session_of
        before = previous(corpus)
        low = np.where(before < 0, corpus.offsets[session], before)
        counts = follower_counts(low)
        starts = np.concatenate(([0], np.cumsum(counts)))
        places = _places(corpus, low, starts)
        return cls(
            codes,
            session.astype(np.int32),
            corpus.offsets[:-1],
            np.flatnonzero(before < 0),
            starts,
            places,
            codes[places],
            counts.astype(np.int32),
        )


def previous(corpus: Corpus) -> Ints:
    """The last view before each that has the same page in the same session; -1 where there is none. Shape (views,)."""
    page = corpus.session_of * corpus.pages + corpus.codes
    order = np.argsort(page * (int(corpus.lengths.max(initial=0)) + 1) + corpus.place_of)
    same = page[order[1:]] == page[order[:-1]]
    found = np.full(corpus.views, -1, dtype=np.int64)
    found[order[1:]] = np.where(same, order[:-1], -1)
    return found


def follower_counts(low: Ints) -> Ints:
    """How many distinct pages follow each view, where view `q` is the first of its page behind `low[q]` to `q - 1`."""
    return np.cumsum(np.bincount(low, minlength=len(low)) - 1)


def _places(corpus: Corpus, low: Ints, starts: Ints) -> Codes:
    """The places behind each view, found distance by distance for all views at once."""
    places = np.empty(starts[-1], dtype=np.int32)
    free = starts[:-1].copy()
    left = corpus.offsets[1:][corpus.session_of] - 1 - np.arange(corpus.views)
    views, distance = np.flatnonzero(left > 0), 1
    while len(views):
        new = views[low[views + distance] <= views]
        places[free[new]] = new + distance
        free[new] += 1
        distance += 1
        views = views[left[views] >= distance]
    return places


def fitting(corpus: Corpus, most: int = MOST_FOLLOWERS) -> Corpus:
    """The newest sessions that have no more than so many followers, at least one session.

    Where not all fit, sessions that would take too much room alone are cut, so that others have some.
    """
    if _bound(corpus.lengths) <= most:
        return corpus
    longest = max(2, math.isqrt(2 * most // MOST_OF_ONE))
    corpus = corpus.first_views(longest)
    before = previous(corpus)
    counts = follower_counts(np.where(before < 0, corpus.offsets[corpus.session_of], before))
    sums = np.concatenate(([0], np.cumsum(counts)))[corpus.offsets]
    skipped = int(np.searchsorted(sums, sums[-1] - most))
    return corpus.newest(max(1, corpus.sessions - skipped))


def _bound(lengths: Ints) -> int:
    """No fewer followers than sessions of these lengths can have."""
    return int((lengths * (lengths - 1) // 2).sum())
