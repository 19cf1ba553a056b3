"""Sets of pages that many sessions share.

A set has one order if all pages have one. So an itemset is a sequential pattern of sessions that hold each page once,
in this order, and the miner of patterns finds it (in the manner of Pei et al. 2001, H-Mine). The rarest page comes
first: then what is left behind it is short.
"""

from dataclasses import replace

import numpy as np

from plugins.paths.corpus import Codes, Corpus, Ints
from plugins.paths.patterns import Kind, Patterns, Wanted, mine

SEPARATOR = ", "
"""Between the pages of a set in a text."""


def itemsets(
    corpus: Corpus,
    minimum: int,
    kind: Kind = "frequent",
    *,
    max_items: int | None = None,
    min_items: int = 1,
    top: int | None = None,
    most: int = 1_000_000,
) -> Patterns:
    """Find sets of pages.

    Args:
        corpus: The sessions.
        minimum: In how many sessions at least.
        kind: All frequent sets, closed ones (no larger set is in as many sessions), or maximal ones (no larger set is
            frequent).
        max_items: Most pages of a set; None for any.
        min_items: Smaller ones are not returned.
        top: The most frequent so many, and others that are as frequent; None for all.
        most: No more than so many are kept: `minimum` rises until they fit.

    Returns:
        The sets; the pages of each by name.
    """
    ordered, codes = _by_rarity(corpus)
    wanted = Wanted(minimum, kind, max_length=max_items, min_length=min_items, top=top, most=most)
    found = mine(ordered, wanted)
    return replace(
        found, groups={size: _by_name(codes[pages], support) for size, (pages, support) in found.groups.items()}
    )


def _by_rarity(corpus: Corpus) -> tuple[Corpus, Codes]:
    """Sessions that hold each page once, the rarest first, with pages coded so; and the old codes of pages."""
    pages = max(corpus.pages, 1)
    distinct = corpus.visited()
    codes = np.argsort(np.bincount(distinct % pages, minlength=pages), kind="stable").astype(np.int32)
    rank = np.empty(pages, dtype=np.int64)
    rank[codes] = np.arange(pages)
    rows = np.sort(distinct - distinct % pages + rank[distinct % pages])
    offsets = np.searchsorted(rows, np.arange(corpus.sessions + 1) * pages)
    names = corpus.names.gather(codes[: corpus.pages])
    return Corpus(names, (rows % pages).astype(np.int32), offsets), codes


def _by_name(pages: Codes, support: Ints) -> tuple[Codes, Ints]:
    """Sets with their pages in the order of names, and sorted by them."""
    pages = np.sort(pages, axis=1)
    order = np.lexsort(pages.T[::-1])
    return pages[order], support[order]
