"""Clusters of sessions, of visitors and of pages that are alike, and what is said of each.

A session or a visitor is made of the pages that it views, a page of the sessions that view it. How clusters are found
says `plugins.paths.partition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from scipy import sparse

from plugins.paths.corpus import Corpus, Ints
from plugins.paths.partition import DIGITS, Floats, Partition, clustered, counts, idf, likeness, weighted

DISTINGUISHING: Final = 5
"""How many pages are named that distinguish a cluster."""

SHOWN: Final = 10
"""How many pages of a cluster of pages are named."""

SEEN: Final = 2
"""In how many sessions a page must be to belong to a cluster: one session does not say what goes together."""


@dataclass(frozen=True)
class Clusters:
    """Clusters, and what is said of them.

    Attributes:
        found: How they were found; clusters go by falling size, then by the name of the page that is first in them.
        members: What belongs to them: ids of sessions or of visitors, or pages; shape (members,).
        likeness: The cosine of each member and the middle of its cluster; shape (members,).
        table: One row a cluster.
        left_out: How many sessions, or pages, belong to none.
    """

    found: Partition
    members: pl.Series
    likeness: Floats
    table: pl.DataFrame
    left_out: int

    def rows(self) -> pl.DataFrame:
        """One row a member: `cluster`, the member, `likeness`; in each cluster the most typical first."""
        columns = {"cluster": self.found.labels + 1, self.members.name: self.members, "likeness": self.likeness}
        return pl.DataFrame(columns).sort("cluster", -pl.col("likeness"), self.members.name)


def of_people(corpus: Corpus, who: pl.Series, numbers: Sequence[int], seed: int = 0) -> Clusters:
    """Clusters of sessions, or of visitors by all that they view.

    Of each cluster the table says its `size`, its `share` of all members, the `views` of a member (mean), the
    `coherence` (mean cosine of member and middle), what is `distinguishing` (pages whose share of its members exceeds
    their share of all others most) and what is `typical` (the path of its session that is nearest to the middle; of
    several the most frequent, then the first by name).

    Args:
        corpus: The views.
        who: The id of each session, or of its visitor; shape (sessions,). Sessions with null, or without a view, are
            left out.
        numbers: How many clusters there shall be; of several numbers the silhouette chooses.
        seed: Where chance begins.
    """
    used = np.flatnonzero((corpus.lengths > 0) & who.is_not_null().to_numpy())
    views = corpus.take(used)
    members, owner = _numbered(who.gather(used))
    viewed = counts(owner[views.session_of], views.codes, (len(members), views.pages))
    weights = idf(viewed)
    rows = weighted(viewed, weights)
    found = clustered(rows, numbers, seed)
    surplus = _surplus(viewed, found)
    found, order = _by_size(found, surplus.argmax(axis=1) if found.count else np.zeros(0, dtype=np.int64))
    labels, near = found.labels, likeness(rows, found.labels, rows, found.labels)
    sessions = weighted(counts(views.session_of, views.codes, (views.sessions, views.pages)), weights)
    table = _sizes(found, near).with_columns(
        pl.Series("views", np.bincount(labels, weights=viewed.sum(axis=1), minlength=found.count)) / pl.col("size"),
        pl.Series("distinguishing", _most(surplus[order], views.names, DISTINGUISHING), dtype=pl.List(pl.String)),
        _typical(views, labels[owner], likeness(rows, labels, sessions, labels[owner])),
    )
    columns = ("cluster", "size", "share", "views", "coherence", "distinguishing", "typical")
    return Clusters(found, members, near, table.select(columns), corpus.sessions - len(used))


def of_pages(corpus: Corpus, numbers: Sequence[int], seed: int = 0) -> Clusters:
    """Clusters of pages that the same sessions view.

    Of each cluster the table says its `size`, its `share` of all pages, the `sessions` that view any of it, the
    `coherence` (mean cosine of page and middle) and its most viewed `pages`.

    Args:
        corpus: The views.
        numbers: How many clusters there shall be; of several numbers the silhouette chooses.
        seed: Where chance begins.
    """
    every = counts(corpus.codes, corpus.session_of, (corpus.pages, corpus.sessions))
    every.data[:] = 1  # whether a session views the page, not how often
    within = np.diff(every.indptr)
    used = np.flatnonzero(within >= SEEN)
    viewing, names = every[used], corpus.names.gather(used).alias("page")
    rows = weighted(viewing, idf(viewing))
    found = clustered(rows, numbers, seed)
    having = np.where(found.labels == np.arange(found.count)[:, None], within[used], 0)
    found, order = _by_size(found, having.argmax(axis=1) if found.count else np.zeros(0, dtype=np.int64))
    near = likeness(rows, found.labels, rows, found.labels)
    table = _sizes(found, near).with_columns(
        pl.Series("sessions", np.diff(_together(viewing, found).indptr).astype(np.int64)),
        pl.Series("pages", _most(having[order], names, SHOWN), dtype=pl.List(pl.String)),
    )
    columns = ("cluster", "size", "share", "sessions", "coherence", "pages")
    return Clusters(found, names, near, table.select(columns), int((within > 0).sum()) - len(used))


def _numbered(who: pl.Series) -> tuple[pl.Series, Ints]:
    """The distinct ids in the order in which they first come, and where each id is among them."""
    _, first, codes = np.unique(who.rank("dense").to_numpy(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return who.gather(first[order]), place[codes]


def _together(occurrences: sparse.csr_array, found: Partition) -> sparse.csr_array:
    """How many rows of each cluster have each feature; shape (clusters, features)."""
    having = occurrences.copy()
    having.data[:] = 1
    places = found.labels, np.arange(len(found.labels))
    inside = sparse.coo_array((np.ones(len(found.labels)), places), shape=(found.count, len(found.labels)))
    return inside.tocsr() @ having


def _surplus(occurrences: sparse.csr_array, found: Partition) -> Floats:
    """Share of a cluster's rows that have a feature, less the share of all other rows; shape (clusters, features)."""
    inside = _together(occurrences, found).toarray()
    sizes = np.bincount(found.labels, minlength=found.count)[:, None]
    others = inside.sum(axis=0) - inside
    surplus: Floats = np.round(inside / sizes - others / np.maximum(sizes.sum() - sizes, 1), DIGITS)
    return surplus


def _by_size(found: Partition, first: Ints) -> tuple[Partition, Ints]:
    """Clusters by falling size, then by their first page; and where each was before."""
    order = np.lexsort((first, -np.bincount(found.labels, minlength=found.count)))
    place = np.empty(found.count, dtype=np.int64)
    place[order] = np.arange(found.count)
    return replace(found, labels=place[found.labels]), order


def _sizes(found: Partition, near: Floats) -> pl.DataFrame:
    """`cluster` (from 1), `size`, `share` and `coherence` of each cluster."""
    sizes = np.bincount(found.labels, minlength=found.count)
    sums = np.bincount(found.labels, weights=near, minlength=found.count)
    shares = sizes / max(1, sizes.sum())
    columns = {"cluster": np.arange(1, found.count + 1), "size": sizes, "share": shares, "coherence": sums / sizes}
    return pl.DataFrame(columns)


def _most(values: Floats | Ints, names: pl.Series, most: int) -> list[list[str]]:
    """The names of the highest values above 0 of each row, the highest first, and of equal ones the first by name."""
    best = np.argsort(-values, axis=1, kind="stable")[:, :most]
    return [names.gather(row[value[row] > 0]).to_list() for row, value in zip(best, values, strict=True)]


def _typical(views: Corpus, labels: Ints, nearness: Floats) -> pl.Series:
    """The path that is nearest to the middle of each cluster; of several the most frequent, then the first by name."""
    best = np.full(int(labels.max()) + 1 if len(labels) else 0, -np.inf)
    np.maximum.at(best, labels, nearness)
    nearest = np.flatnonzero(nearness == best[labels])
    paths = pl.DataFrame({"cluster": labels[nearest], "typical": views.take(nearest).paths()})
    counted = paths.group_by("cluster", "typical").len().sort("cluster", -pl.col("len").cast(pl.Int64), "typical")
    return counted.unique("cluster", keep="first", maintain_order=True).sort("cluster")["typical"]
