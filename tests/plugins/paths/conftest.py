"""Slow and obviously right: what miners of paths must find. And corpora made of lists."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise
from typing import TypeAlias

import polars as pl
import pytest

from plugins.paths.corpus import Corpus
from plugins.paths.patterns import Patterns

Pattern: TypeAlias = tuple[str, ...]


class Oracle:
    """Every pattern and every itemset is tried."""

    @staticmethod
    def contains(session: Sequence[str], pattern: Sequence[str], gap: int | None = None) -> bool:
        """Whether a pattern stands in a session, with at most `gap` other views between two of its views."""
        ends = {at for at, page in enumerate(session) if page == pattern[0]}
        for page in pattern[1:]:
            ends = {
                at
                for at, viewed in enumerate(session)
                if viewed == page and any(end < at and (gap is None or at - end - 1 <= gap) for end in ends)
            }
        return bool(ends)

    @staticmethod
    def frequent(sessions: Sequence[Sequence[str]], minimum: int, gap: int | None = None) -> dict[Pattern, int]:
        """Every pattern in so many sessions, with their number."""
        every = {
            tuple(session[at] for at in places)
            for session in sessions
            for length in range(1, len(session) + 1)
            for places in combinations(range(len(session)), length)
            if gap is None or all(b - a - 1 <= gap for a, b in pairwise(places))
        }
        counts = {pattern: sum(Oracle.contains(session, pattern, gap) for session in sessions) for pattern in every}
        return {pattern: count for pattern, count in counts.items() if count >= minimum}

    @staticmethod
    def closed(found: dict[Pattern, int], gap: int | None = None) -> dict[Pattern, int]:
        """Those that no other with the same support contains."""
        return {
            pattern: count
            for pattern, count in found.items()
            if not any(o != pattern and count == found[o] and Oracle.contains(o, pattern, gap) for o in found)
        }

    @staticmethod
    def maximal(found: dict[Pattern, int], gap: int | None = None) -> dict[Pattern, int]:
        """Those that no other contains."""
        return {
            pattern: count
            for pattern, count in found.items()
            if not any(other != pattern and Oracle.contains(other, pattern, gap) for other in found)
        }

    @staticmethod
    def itemsets(baskets: Sequence[Iterable[str]], minimum: int) -> dict[Pattern, int]:
        """Every set of items in so many baskets, sorted, with their number."""
        whole = [sorted(set(basket)) for basket in baskets]
        every = {some for basket in whole for size in range(1, len(basket) + 1) for some in combinations(basket, size)}
        counts = {some: sum(set(some) <= set(basket) for basket in whole) for some in every}
        return {some: count for some, count in counts.items() if count >= minimum}


@pytest.fixture(scope="session")
def oracle() -> type[Oracle]:
    return Oracle


@pytest.fixture(scope="session")
def corpus_of() -> Callable[[Sequence[Sequence[str]]], Corpus]:
    def made(sessions: Sequence[Sequence[str]]) -> Corpus:
        return Corpus.of(pl.Series([list(session) for session in sessions], dtype=pl.List(pl.String)))

    return made


@pytest.fixture(scope="session")
def as_dict() -> Callable[[Patterns, Corpus], dict[Pattern, int]]:
    """Patterns by the names of their pages; none may be there twice."""

    def made(found: Patterns, corpus: Corpus) -> dict[Pattern, int]:
        rows = [
            (tuple(corpus.names[int(code)] for code in pages), int(support))
            for group, supports in found.groups.values()
            for pages, support in zip(group, supports, strict=True)
        ]
        assert len(dict(rows)) == len(rows) == found.count
        return dict(rows)

    return made
