"""Sequences of pages that many sessions share: PrefixSpan on integer arrays.

Pei et al. 2004, "Mining Sequential Patterns by Pattern-Growth: The PrefixSpan Approach". A pattern grows at its end.
Of each session that has it, only the earliest view at which it can end is kept (pseudo-projection), and what follows
that view is looked up in `plugins.paths.projection`. Not one pattern is grown at a time but a batch of them, so that
the work is done by few operations on long arrays; batches are worked on by one thread a core.

Closed and maximal patterns are told from the frequent ones once these are known (`plugins.paths.containment`). Where
there are too many of them, as where long sessions repeat each other, patterns are judged, and those that lead to no
closed one left alone, while they grow (`plugins.paths.closure`).
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

import numpy as np
import polars as pl

from plugins.paths.closure import Closure, Instances
from plugins.paths.containment import uncontained
from plugins.paths.corpus import Codes, Corpus, Flags, Ints
from plugins.paths.growth import Batch, Gapped, Growth, Ungapped

Kind = Literal["frequent", "closed", "maximal"]

TASKS_A_CORE = 8
"""Work is cut into so many tasks a core, since no two are as long."""

FEW = 1_000_000
"""Up to so many frequent patterns, closed and maximal ones are told from them."""

COST_OF_JUDGING = 10
"""A candidate that is judged while it grows counts as so many."""


@dataclass(frozen=True)
class Wanted:
    """Which patterns to find.

    Attributes:
        minimum: In how many sessions at least; 1 or more.
        kind: All frequent ones; closed: those that no longer pattern contains in as many sessions; maximal: those
            that no longer frequent pattern contains.
        max_length: Most pages of a pattern; None for any. Longer ones count where they contain others, unless gaps are
            limited.
        max_gap: Most other views between two views of a pattern; None for any, 0 for none.
        min_length: Shorter ones are not returned.
        top: The most frequent so many; None for all.
        most: No more than so many grow, and are kept: `minimum` rises until they fit.
    """

    minimum: int
    kind: Kind = "frequent"
    max_length: int | None = None
    max_gap: int | None = None
    min_length: int = 1
    top: int | None = None
    most: int = 1_000_000


@dataclass(frozen=True)
class Patterns:
    """Patterns by their length.

    Attributes:
        groups: For each length, the pages of the patterns, shape (patterns, length), in the order of their codes, and
            in how many sessions each is, shape (patterns,).
        minimum: All patterns with this support are here, and none with less: what was asked for, or more where that
            would have been too many.
    """

    groups: dict[int, tuple[Codes, Ints]]
    minimum: int

    @property
    def count(self) -> int:
        """How many patterns."""
        return sum(len(support) for _, support in self.groups.values())

    def frame(self, names: pl.Series, sessions: int, separator: str = " > ") -> pl.DataFrame:
        """`pattern`, `length`, `support`, `share`; most frequent first, then by name.

        Args:
            names: The pages' names by code; shape (pages,).
            sessions: Of how many sessions the share is.
            separator: What stands between the pages of a pattern.
        """
        nothing = (np.empty((0, 1), dtype=np.int32), np.empty(0, dtype=np.int64))
        groups = self.groups or {1: nothing}
        found = pl.concat([_texts(names, pages, support, separator) for pages, support in groups.values()])
        share = pl.Series("share", found["support"].to_numpy() / max(sessions, 1))
        return found.with_columns(share).sort(["support", "pattern"], descending=[True, False])


def texts(names: pl.Series, pages: Codes, separator: str) -> pl.Series:
    """Sequences of pages as texts.

    Args:
        names: The pages' names by code; shape (pages,).
        pages: Shape (sequences, length), with a length of at least 1.
        separator: What stands between the pages.
    """
    columns = pl.DataFrame([names.gather(pages[:, at]).alias(str(at)) for at in range(pages.shape[1])])
    return columns.select(pl.concat_str(pl.all(), separator=separator)).to_series()


def _texts(names: pl.Series, pages: Codes, support: Ints, separator: str) -> pl.DataFrame:
    """`pattern`, `length` and `support` of patterns of one length."""
    return pl.select(
        texts(names, pages, separator).alias("pattern"),
        pl.lit(pages.shape[1], dtype=pl.Int64).alias("length"),
        pl.Series("support", support, dtype=pl.Int64),
    )


class Floor:
    """The support that a pattern must have; it rises while there are more candidates, or patterns, than are wanted.

    Candidates are patterns that grow; those that are wanted, such as the closed ones, are among them. Where it ends
    depends on the patterns alone, not on the order in which they are found: it rises above `s` only if too many have
    `s` or more, and until the rest fits.
    """

    def __init__(self, wanted: Wanted, sessions: int) -> None:
        self.value = wanted.minimum
        cost = 1 if wanted.kind == "frequent" else COST_OF_JUDGING
        self._candidates = _Tally(sessions, max(1, wanted.most // cost))
        # Of maximal patterns, a higher support makes others, so that the most frequent are not those of a higher one.
        top = wanted.top if wanted.kind != "maximal" else None
        self._wanted = _Tally(sessions, top) if top is not None else None
        self._lock = Lock()

    def grown(self, supports: Ints) -> None:
        """Count candidates."""
        with self._lock:
            if self._candidates.add(supports, self.value):
                reaching = self._candidates.reaching()
                self.value = max(self.value, int(np.argmax(reaching <= self._candidates.limit)))
                self._candidates.above(self.value)

    def found(self, supports: Ints) -> None:
        """Count patterns that are wanted."""
        tally = self._wanted
        if tally is not None:
            with self._lock:
                if tally.add(supports, self.value):
                    enough = np.flatnonzero(tally.reaching() >= tally.limit)
                    self.value = max(self.value, int(enough[-1]) if len(enough) else 0)
                    tally.above(self.value)


class _Tally:
    """How many patterns have which support; added up only once there are more than a limit.

    Args:
        sessions: The highest support.
        limit: How many patterns are allowed, or wanted.
    """

    def __init__(self, sessions: int, limit: int) -> None:
        self.limit = limit
        self._counts = np.zeros(sessions + 2, dtype=np.int64)
        self._new: list[Ints] = []
        self._held = 0

    def add(self, supports: Ints, minimum: int) -> bool:
        """Count patterns; whether there are more than the limit with this support or more."""
        self._new.append(supports)
        self._held += len(supports)
        if self._held <= self.limit:
            return False
        self._counts += np.bincount(np.concatenate(self._new), minlength=len(self._counts))
        self._new.clear()
        self.above(minimum)
        return self._held > self.limit

    def reaching(self) -> Ints:
        """How many have each support or more; shape (sessions + 2,)."""
        return np.cumsum(self._counts[::-1])[::-1]

    def above(self, minimum: int) -> None:
        """Those below a support do not count any more."""
        self._held = int(self._counts[minimum:].sum())


def mine(corpus: Corpus, wanted: Wanted) -> Patterns:
    """Find the patterns of a corpus.

    Args:
        corpus: The sessions; fewer than 2^31 views.
        wanted: Which patterns.

    Returns:
        Exactly these, whatever the number of threads.
    """
    kind = wanted.kind
    if kind != "frequent":
        every = replace(wanted, kind="frequent", min_length=1, top=None)
        if wanted.max_gap is not None:
            return _uncontained(_pass(corpus, every), wanted)
        longer = wanted.max_length + 1 if wanted.max_length else None  # a pattern as long as allowed may be in one
        few = replace(every, most=min(FEW, wanted.most), max_length=longer)
        found = _pass(corpus, few) if wanted.top is None else None
        if found and found.minimum == wanted.minimum:
            return _uncontained(found, wanted)
    found = _pass(corpus, wanted)
    while kind == "maximal" and found.minimum > wanted.minimum:  # what is maximal has changed with it
        wanted = replace(wanted, minimum=found.minimum)
        found = _pass(corpus, wanted)
    return found


def _uncontained(found: Patterns, wanted: Wanted) -> Patterns:
    """The closed or maximal ones among all frequent patterns."""
    groups = uncontained(found.groups, wanted.max_gap, same_support=wanted.kind == "closed")
    most = wanted.max_length or max(groups, default=0)
    kept = {length: group for length, group in groups.items() if wanted.min_length <= length <= most}
    return Patterns(kept, found.minimum)


def _pass(corpus: Corpus, wanted: Wanted) -> Patterns:
    """Grow the patterns of a corpus once; closed and maximal ones are judged while they grow."""
    floor = Floor(wanted, corpus.sessions)
    codes: Codes = np.arange(corpus.pages, dtype=np.int32)
    if wanted.max_gap is None:
        corpus, codes = _frequent_pages(corpus, floor.value)
    gap = _limiting(wanted.max_gap, corpus)
    growth: Growth = Ungapped(corpus) if gap is None else Gapped(corpus, gap)
    pieces = _Miner(corpus, wanted, growth, floor).run()
    groups = _together(((codes[pages], support) for pages, support in pieces), floor.value)
    return Patterns(groups, floor.value)


def _limiting(gap: int | None, corpus: Corpus) -> int | None:
    """The gap; None where no two views of a session are further apart."""
    return None if gap is None or gap >= int(corpus.lengths.max(initial=0)) - 2 else gap


def _frequent_pages(corpus: Corpus, minimum: int) -> tuple[Corpus, Codes]:
    """The corpus without views of pages in too few sessions, its pages coded anew, and their old codes."""
    frequent = np.bincount(corpus.visited() % max(corpus.pages, 1), minlength=corpus.pages) >= minimum
    if frequent.all():
        return corpus, np.arange(corpus.pages, dtype=np.int32)
    number = (np.cumsum(frequent) - 1).astype(np.int32)
    kept = corpus.keep(frequent[corpus.codes])
    codes = np.flatnonzero(frequent).astype(np.int32)
    return replace(kept, names=corpus.names.gather(codes), codes=number[kept.codes]), codes


def _together(found: Iterable[tuple[Codes, Ints]], minimum: int) -> dict[int, tuple[Codes, Ints]]:
    """Patterns that were found in pieces, by length, each length sorted; without those below the minimum."""
    pieces: dict[int, list[tuple[Codes, Ints]]] = {}
    for pages, support in found:
        kept = support >= minimum
        if kept.any():
            pieces.setdefault(pages.shape[1], []).append((pages[kept], support[kept]))
    groups = {}
    for length, parts in sorted(pieces.items()):
        pages = np.concatenate([part for part, _ in parts])
        order = np.lexsort(pages.T[::-1])
        groups[length] = pages[order], np.concatenate([support for _, support in parts])[order]
    return groups


class _Miner:
    """Grows patterns batch by batch until none is left that can grow.

    Args:
        corpus: The sessions.
        wanted: Which patterns.
        growth: How patterns grow.
        floor: The support that they must have.
    """

    def __init__(self, corpus: Corpus, wanted: Wanted, growth: Growth, floor: Floor) -> None:
        self._wanted, self._growth, self._floor = wanted, growth, floor
        self._minimum = wanted.minimum
        judged = wanted.kind != "frequent" and growth.followers is not None
        self._closure = Closure(corpus, growth.followers) if judged and growth.followers else None

    def run(self) -> list[tuple[Codes, Ints]]:
        """All patterns, in pieces."""
        found: list[tuple[Codes, Ints]] = []
        cores = len(os.sched_getaffinity(0))
        tasks = self._growth.split(self._begun(self._growth.first(self._floor.value), found))
        while tasks and len(tasks) < cores * TASKS_A_CORE and cores > 1:
            tasks = [each for task in tasks for each in self._grown(task, found)]
        with ThreadPoolExecutor(cores) as pool:
            for part in pool.map(self._descended, sorted(tasks, key=lambda task: -len(task.place))):
                found += part
        return found

    def _descended(self, task: Batch) -> list[tuple[Codes, Ints]]:
        """All that grows from a batch, depth first."""
        found: list[tuple[Codes, Ints]] = []
        stack = [task]
        while stack:
            stack += self._grown(stack.pop(), found)
        return found

    def _grown(self, batch: Batch, found: list[tuple[Codes, Ints]]) -> list[Batch]:
        """Grow the patterns of a batch by one page; what grows from it, in batches of a good size."""
        minimum = self._floor.value  # for all of this step: others may raise it meanwhile
        batch = batch.only(batch.support >= minimum)
        instances = self._instances(batch) if self._closure else None
        if self._closure and instances:
            open_ = self._closure.candidates(instances)
            pruned = open_.copy()
            some = instances.only(open_)
            pruned[open_] = self._closure.insertable(some, some.support, earliest=True)
            batch, instances, open_ = batch.only(~pruned), instances.only(~pruned), open_[~pruned]
        if not len(batch.support):
            return []
        if self._closure:
            self._floor.grown(batch.support)
        counts, key, place = self._growth.extended(batch, minimum)
        if self._closure and instances:
            self._take(found, batch.pages, batch.support, self._judged(instances, open_, counts))
        if batch.pages.shape[1] == self._wanted.max_length or not len(key):
            return []
        return self._growth.split(self._begun(self._growth.children(batch, counts, key, place, minimum), found))

    def _begun(self, batch: Batch, found: list[tuple[Codes, Ints]]) -> Batch:
        """A batch of new patterns: they are found now, or when they are judged."""
        if self._closure is not None:
            return batch
        self._floor.grown(batch.support)
        self._take(found, batch.pages, batch.support, np.ones(len(batch.support), dtype=np.bool_))
        return self._growth.growing(batch, self._floor.value)

    def _take(self, found: list[tuple[Codes, Ints]], pages: Codes, support: Ints, wanted: Flags) -> None:
        if wanted.any() and pages.shape[1] >= self._wanted.min_length:
            found.append((pages[wanted], support[wanted]))
            self._floor.found(support[wanted])

    def _instances(self, batch: Batch) -> Instances:
        order = np.argsort(batch.pattern, kind="stable")
        session = self._growth.session[batch.place[order]].astype(np.int64)
        return Instances(batch.pages, batch.support, batch.pattern[order], session)

    def _judged(self, given: Instances, open_: Flags, counts: Ints) -> Flags:
        """Which patterns are closed, or maximal: no page behind them, and none before one of theirs."""
        assert self._closure is not None
        need = given.support if self._wanted.kind == "closed" else np.full(len(given.support), self._minimum)
        alone: Flags = counts.reshape(len(need), -1).max(axis=1, initial=0) < need
        asked = alone & open_ if self._wanted.kind == "closed" else alone
        alone[asked] = ~self._closure.insertable(given.only(asked), need[asked], earliest=False)
        return alone
