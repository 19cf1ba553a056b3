"""Funnels: how many sessions go how far along some steps.

A session reaches step k if views that fit the steps 1 to k stand in it in this order. For each step and view the latest
view of step 1 is kept from which the step is reached there; a running maximum over all views gives it, since views are
numbered session by session. What begins latest also takes the shortest time, so it is the one that a limit of time lets
pass if it lets any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from logparse.pages import glob_expression
from plugins.paths.corpus import Corpus, Flags, Ints

CATEGORY = "category:"
"""Before the name of a category, in a step."""

EXIT = "(exit)"
"""What follows the last view of a session."""


@dataclass(frozen=True)
class Reach:
    """Where a step is reached.

    Attributes:
        views: The views that reach it, rising; shape (n,).
        first: The first of them in each session, -1 for none; shape (sessions,).
        last: The last of them in each session, -1 for none; shape (sessions,).
    """

    views: Ints
    first: Ints
    last: Ints

    @property
    def sessions(self) -> Flags:
        """Which sessions reach it; shape (sessions,)."""
        return self.first >= 0


def fitting(step: str, pages: pl.Series, categories: pl.Series | None = None) -> Flags:
    """The pages that fit a step.

    Args:
        step: A page, or pages with `*` for anything, or `category:` and a category, with `*` or without; or several of
            these between `|`.
        pages: The pages; shape (pages,).
        categories: Their categories, null for those without; needed only where a step names one. Shape (pages,).

    Returns:
        Shape (pages,).
    """
    exact = (pages == step).to_numpy()
    if exact.any():
        return exact
    found = np.zeros(len(pages), dtype=np.bool_)
    for part in step.split("|"):
        named = part.startswith(CATEGORY) and categories is not None
        names = categories if named and categories is not None else pages
        pattern = glob_expression((part.removeprefix(CATEGORY) if named else part,))
        found |= names.str.contains(pattern).fill_null(False).to_numpy()
    return found


def reached(corpus: Corpus, steps: Sequence[Flags], *, within: int | None = None, strict: bool = False) -> list[Reach]:
    """Where each step is reached.

    Args:
        corpus: The views.
        steps: Which pages fit each step; each of shape (pages,).
        within: The longest time from the view of the first step to that of any other, in microseconds; None for any.
        strict: The steps follow each other directly, with no view between them.

    Raises:
        ValueError: there is a limit of time, and the times are not known.
    """
    if within is not None and corpus.times is None:
        raise ValueError("a limit of time needs times")
    first = np.repeat(corpus.offsets[:-1], corpus.lengths)
    found = []
    begins = np.arange(corpus.views)
    for number, fits in enumerate(steps):
        if number:
            before = np.full(corpus.views, -1)
            before[1:] = begins[:-1] if strict else np.maximum.accumulate(begins)[:-1]
            begins = np.where(before >= first, before, -1)
        begins = np.where(fits[corpus.codes], begins, -1)
        if number and within is not None and corpus.times is not None:
            begins[corpus.times - corpus.times[begins] > within] = -1
        found.append(_reach(corpus, np.flatnonzero(begins >= 0)))
    return found


def _different(visitors: pl.Series) -> int | None:
    """How many visitors; None where nobody knows who they are."""
    return None if len(visitors) and visitors.null_count() == len(visitors) else visitors.n_unique()


def funnel(
    corpus: Corpus, visitors: pl.Series, names: Sequence[str], steps: Sequence[Reach], *, within: int | None = None
) -> pl.DataFrame:
    """A row a step, from where its steps are reached.

    Args:
        corpus: The views.
        visitors: Whose each session is; shape (sessions,).
        names: What the steps are called.
        steps: What `reached` gives.
        within: As there.

    Returns:
        `step` (from 1), `name`, `sessions` and `visitors` that reach it, `conversion` (the share of the sessions of
        step 1) and `step_conversion` (that of the step before), `median_s` (the median time from the first view of
        the step before to the first of this one, in seconds), `lost` (sessions that go no further) and `lost_to`
        (the pages that most of them viewed right after their last view of the step, with their number).
    """
    counts = [int(step.sessions.sum()) for step in steps]
    lost = [here.sessions & ~after.sessions for here, after in pairwise(steps)]
    return pl.DataFrame(
        {
            "step": range(1, len(steps) + 1),
            "name": names,
            "sessions": counts,
            "visitors": [_different(visitors.filter(pl.Series(step.sessions))) for step in steps],
            "conversion": [_share(count, counts[0]) for count in counts],
            "step_conversion": [None, *(_share(after, before) for before, after in pairwise(counts))],
            "median_s": [None, *(_median(corpus, before, after, within) for before, after in pairwise(steps))],
            "lost": [*(int(gone.sum()) for gone in lost), None],
            "lost_to": [*(_next(corpus, steps[n].last[gone]) for n, gone in enumerate(lost)), None],
        },
        schema_overrides={
            **dict.fromkeys(("step", "sessions", "visitors", "lost"), pl.Int64),
            **dict.fromkeys(("conversion", "step_conversion", "median_s"), pl.Float64),
            "lost_to": pl.String,
        },
    )


def _reach(corpus: Corpus, views: Ints) -> Reach:
    """The first and the last of some views in each session."""
    session = corpus.session_of[views]
    first, last = np.full(corpus.sessions, -1), np.full(corpus.sessions, -1)
    first[session[::-1]] = views[::-1]
    last[session] = views
    return Reach(views, first, last)


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _median(corpus: Corpus, before: Reach, after: Reach, within: int | None) -> float | None:
    """The median time in seconds from the first view of a step, `within` that time, to the first of the next."""
    if corpus.times is None or not after.sessions.any():
        return None
    views, ends = before.views, after.first[corpus.session_of[before.views]]
    times = corpus.times[ends] - corpus.times[views]
    fits = (ends > views) & (times <= within if within is not None else True)
    longest = np.full(corpus.sessions, -1)
    # The first view that fits is the one that took longest, and the one that is written last.
    longest[corpus.session_of[views[fits]][::-1]] = times[fits][::-1]
    return float(np.median(longest[after.sessions])) / 1e6


def _next(corpus: Corpus, views: Ints) -> str:
    """The most frequent pages right after some views: `(exit) 12, / 5`."""
    if not len(views):
        return ""
    ended = np.append(corpus.offsets[1:], 0)[corpus.session_of[views]] == views + 1
    exits = int(ended.sum())
    counts = np.bincount(corpus.codes[views[~ended] + 1], minlength=corpus.pages)
    most = np.argsort(-counts, kind="stable")[:3]
    rows = [(count, corpus.names[code]) for code, count in zip(most.tolist(), counts[most].tolist(), strict=True)]
    # Codes are in the order of names, and an exit stands before pages of the same number.
    ranked = sorted([(exits, EXIT), *rows], key=lambda row: -row[0])[:3]
    return ", ".join(f"{name} {count}" for count, name in ranked if count)
