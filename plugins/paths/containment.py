"""Which patterns are contained in others, once all frequent ones are known.

A pattern is contained in another as it is in a session: its pages stand there in order; where gaps are limited, with
no more than so many others between two.

Without a limit, a pattern that another contains is contained in one that is a page longer and lies between the two,
hence is no less frequent than the other: so each pattern's parts that are a page shorter are enough to look at. With
a limit, a page more in the middle may make a pattern more frequent or less. Then only beginnings and ends can be
treated like this, and what they leave is compared pair by pair.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from plugins.paths.corpus import Codes, Flags, Ints
from plugins.paths.trie import Groups, Trie

Bits = npt.NDArray[np.uint64]

PAIRS = 1 << 21
"""So many pairs of patterns are compared at once."""


def uncontained(groups: Groups, gap: int | None, *, same_support: bool) -> dict[int, tuple[Codes, Ints]]:
    """The patterns that no other contains.

    Args:
        groups: All frequent patterns by length, each group sorted, each pattern with its support.
        gap: How many other pages may lie between two; None for any number.
        same_support: Only in those that are as frequent (closed patterns); else in any (maximal ones).
    """
    kept = _without_parts(groups, same_support, ends_only=gap is not None)
    return kept if gap is None else _compared(kept, gap, same_support)


def _without_parts(groups: Groups, same_support: bool, *, ends_only: bool) -> dict[int, tuple[Codes, Ints]]:
    """The patterns that are not a part of one that is a page longer."""
    trie, out = Trie(groups), {}
    for length in sorted(groups):
        pages, support = groups[length]
        kept = np.ones(len(support), dtype=np.bool_)
        if length + 1 in groups:
            longer, as_often = groups[length + 1]
            for part in _parts(longer, ends_only):
                at = trie.find(part)
                kept[at[support[at] == as_often] if same_support else at] = False
        out[length] = pages[kept], support[kept]
    return out


def _parts(pages: Codes, ends_only: bool) -> Iterator[Codes]:
    """The patterns without one of their pages: any, or only the first or the last."""
    last = pages.shape[1] - 1
    yield from (np.delete(pages, at, axis=1) for at in range(last + 1) if not ends_only or at in (0, last))


def _compared(groups: Groups, gap: int, same_support: bool) -> dict[int, tuple[Codes, Ints]]:
    """The patterns that are in none of the longer ones, each compared with each."""
    lengths, out = sorted(groups), {}
    for at, length in enumerate(lengths):
        pages, support = groups[length]
        inside = np.zeros(len(support), dtype=np.bool_)
        for longer in lengths[at + 1 :]:
            left = np.flatnonzero(~inside)
            inside[left] = _inside(groups[longer], (pages[left], support[left]), gap, same_support)
        out[length] = pages[~inside], support[~inside]
    return out


def _inside(longer: tuple[Codes, Ints], short: tuple[Codes, Ints], gap: int, same_support: bool) -> Flags:
    """Which of the short patterns stand in one of the longer ones; shape (short,)."""
    found = np.zeros(len(short[1]), dtype=np.bool_)
    signs, wanted = _signs(longer[0]), _signs(short[0])
    step = max(1, PAIRS // max(len(longer[1]), 1))
    for start in range(0, len(found), step):
        rows = slice(start, start + step)
        pairs = (wanted[rows, None] & ~signs[None, :]) == 0
        if same_support:
            pairs &= short[1][rows, None] == longer[1][None, :]
        which, whole = np.nonzero(pairs)
        inside = _embedded(longer[0][whole], short[0][rows][which], gap)
        found[start + which[inside]] = True
    return found


def _signs(pages: Codes) -> Bits:
    """A set of pages as bits, some pages sharing one: what lacks a bit of another cannot contain it."""
    bits = np.left_shift(np.uint64(1), (pages % 64).astype(np.uint64))
    found: Bits = np.bitwise_or.reduce(bits, axis=1)
    return found


def _embedded(longer: Codes, short: Codes, gap: int) -> Flags:
    """Whether each short pattern stands in the longer one beside it; shape (pairs,)."""
    ends = longer == short[:, :1]  # where its beginning can end
    for at in range(1, short.shape[1]):
        reached = np.zeros_like(ends)
        for step in range(1, gap + 2):
            reached[:, step:] |= ends[:, :-step]
        ends = reached & (longer == short[:, at : at + 1])
    found: Flags = ends.any(axis=1)
    return found
