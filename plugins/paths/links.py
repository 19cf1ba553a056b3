"""Links that would save clicks: pages that sessions reach from one another by detours only.

The question is that of Perkowitz and Etzioni 2000, "Towards adaptive web sites", and of Srikant and Yang 2001, "Mining
web logs to improve website organization"; the measure is ours. A session goes from a page to a target by a *detour* of
n clicks if the n-th view after one of the page is one of the target, n is the smallest such number in the session, and
n is 2 or more. A link from the page to the target would have saved n - 1 clicks.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from plugins.paths.corpus import LOGGED, Codes, Corpus, Ints

PAIRS: Final = 2_000_000
"""How many pairs of views are looked at together; more take more memory and no less time."""

VIA: Final = 3
"""How many of the pages between are named."""


def steps(corpus: Corpus, origins: Codes | None = None, names: pl.Series | None = None) -> pl.DataFrame:
    """The direct steps of a log: the links that are there.

    A view came from the page that its referrer names; where it names none of the site's, from the view before it.

    Args:
        corpus: The views as they were logged.
        origins: The page that each view's referrer names, -1 for none; shape (views,). None where no referrers are
            known.
        names: What to call each page; steps from and to null are left out. None for its own name. Shape (pages,).

    Returns:
        `page`, `target`, `direct`: how often; one row a pair of different names.
    """
    came = np.full(corpus.views, -1, dtype=np.int32)
    came[1:] = corpus.codes[:-1]
    came[corpus.offsets[:-1][corpus.lengths > 0]] = -1
    came = came if origins is None else np.where(origins >= 0, origins, came)
    told = came >= 0
    found = pl.DataFrame({"page": came[told], "target": corpus.codes[told]}).group_by("page", "target").len("direct")
    texts = corpus.names if names is None else names
    named = found.with_columns(texts.gather(found[column]).alias(column) for column in ("page", "target"))
    known = named.drop_nulls().filter(pl.col("page") != pl.col("target"))
    return known.group_by("page", "target").agg(pl.col("direct").sum().cast(pl.Int64))


def suggestions(
    corpus: Corpus, taken: pl.DataFrame, max_clicks: int = 5, min_sessions: int = 2, *, known: bool = False
) -> pl.DataFrame:
    """Links that would save clicks, those that would save most first.

    Args:
        corpus: The views. Where some are inferred, they are on the way, and never a target.
        taken: What `steps` gives: the links that are there.
        max_clicks: The longest detour that counts.
        min_sessions: Pairs with fewer sessions are left out.
        known: Pairs with a link that is there are listed too.

    Returns:
        `page`, `target`, `sessions` that go there by a detour and not once directly, `clicks` (the mean of each
        session's shortest detour), `saved` (the clicks less one, summed), `direct` (how often the log shows the
        step) and `via` (the pages that are between most often); one row a pair.
    """
    found = _counted(corpus, max_clicks).filter(pl.col("sessions") >= min_sessions)
    codes = found["pair"].to_numpy()
    found = found.with_columns(
        corpus.names.gather(codes // max(1, corpus.pages)).alias("page"),
        corpus.names.gather(codes % max(1, corpus.pages)).alias("target"),
        (pl.col("clicks") / pl.col("sessions")).alias("clicks"),
        (pl.col("clicks") - pl.col("sessions")).alias("saved"),
    )
    found = found.join(taken, on=("page", "target"), how="left").with_columns(pl.col("direct").fill_null(0))
    found = found if known else found.filter(pl.col("direct") == 0)
    found = found.join(_between(corpus, max_clicks, found["pair"]), on="pair", how="left")
    ordered = found.sort(-pl.col("saved"), -pl.col("sessions"), "page", "target")
    return ordered.select("page", "target", "sessions", "clicks", "saved", "direct", "via")


def _chunks(corpus: Corpus, max_clicks: int) -> Iterator[Corpus]:
    """The corpus in pieces of whole sessions, as long as `PAIRS` allows."""
    most = max(1, PAIRS // max_clicks)
    first = 0
    while first < corpus.sessions:
        behind = int(np.searchsorted(corpus.offsets, corpus.offsets[first] + most, side="right")) - 1
        behind = min(max(behind, first + 1), corpus.sessions)
        yield corpus.take(np.arange(first, behind))
        first = behind


def _pairs(corpus: Corpus, clicks: int) -> tuple[Ints, Ints]:
    """Views from which some other page was viewed so many clicks later, and these pairs of pages as numbers."""
    session, codes = corpus.session_of, corpus.codes.astype(np.int64)
    seen = (session[clicks:] == session[:-clicks]) & (codes[clicks:] != codes[:-clicks])
    at = np.flatnonzero(seen if corpus.marks is None else seen & (corpus.marks[clicks:] == LOGGED))
    return at, codes[at] * corpus.pages + codes[at + clicks]


def _counted(corpus: Corpus, max_clicks: int) -> pl.DataFrame:
    """`pair`, `sessions` that take a detour, and the `clicks` of these, summed."""
    parts = [pl.DataFrame(schema={"pair": pl.Int64, "sessions": pl.Int64, "clicks": pl.Int64})]
    for chunk in _chunks(corpus, max_clicks):
        pairs, lengths = _shortest(chunk, max_clicks)
        detours = pl.DataFrame({"pair": pairs, "clicks": lengths}).filter(pl.col("clicks") > 1)
        counted = detours.group_by("pair").agg(pl.len().cast(pl.Int64).alias("sessions"), pl.col("clicks").sum())
        parts = _folded([*parts, counted], "pair")
    return pl.concat(parts).group_by("pair").sum()


def _shortest(chunk: Corpus, max_clicks: int) -> tuple[Ints, Ints]:
    """The pairs of every session, each once, and the clicks of its shortest way."""
    used = np.unique(chunk.codes)  # as few pages as there are views, so that a key has room in 63 bits
    local = Corpus(
        chunk.names.gather(used), np.searchsorted(used, chunk.codes).astype(np.int32), chunk.offsets, None, chunk.marks
    )
    keys = []
    for clicks in range(1, max_clicks + 1):
        at, pairs = _pairs(local, clicks)
        keys.append((local.session_of[at] * local.pages**2 + pairs) * (max_clicks + 1) + clicks)
    ways = np.sort(np.concatenate(keys))
    theirs, lengths = np.divmod(ways, max_clicks + 1)
    first = np.flatnonzero(np.diff(theirs, prepend=-1))
    pages, targets = np.divmod(theirs[first] % max(1, local.pages**2), max(1, local.pages))
    return used[pages].astype(np.int64) * chunk.pages + used[targets], lengths[first]


def _between(corpus: Corpus, max_clicks: int, wanted: pl.Series) -> pl.DataFrame:
    """`pair` and `via`, the pages that are most often on the shortest detour; one row for each of the wanted pairs."""
    parts = [pl.DataFrame(schema={"pair": pl.Int64, "via": pl.Int32, "count": pl.Int64})]
    for chunk in _chunks(corpus, max_clicks) if len(wanted) else ():
        ways = _ways(chunk, max_clicks, wanted.to_frame())
        pages = [
            ways.filter(pl.col("clicks") > nth).select("session", "pair", (pl.col("at") + nth).alias("via"))
            for nth in range(1, max_clicks)
        ]
        passed = pl.concat(pages)
        passed = passed.with_columns(pl.Series("via", chunk.codes[passed["via"].to_numpy()])).unique()
        counted = passed.group_by("pair", "via").agg(pl.len().cast(pl.Int64).alias("count"))
        parts = _folded([*parts, counted], "pair", "via")
    every = pl.concat(parts).group_by("pair", "via").sum().sort("pair", -pl.col("count"), "via")
    most = every.group_by("pair", maintain_order=True).head(VIA)
    named = most.with_columns(corpus.names.gather(most["via"]).alias("via"))
    return named.group_by("pair", maintain_order=True).agg("via")


def _ways(chunk: Corpus, max_clicks: int, wanted: pl.DataFrame) -> pl.DataFrame:
    """The shortest ways for some pairs: `session`, `pair`, `clicks`, and `at`, the view where it begins."""
    parts = []
    for clicks in range(1, max_clicks + 1):
        at, pairs = _pairs(chunk, clicks)
        found = pl.DataFrame({"pair": pairs, "at": at}).join(wanted, on="pair", how="semi", maintain_order="left")
        parts.append(found.with_columns(pl.lit(clicks, dtype=pl.Int64).alias("clicks")))
    every = pl.concat(parts)
    every = every.with_columns(pl.Series("session", chunk.session_of[every["at"].to_numpy()]))
    return every.unique(("session", "pair"), keep="first", maintain_order=True)


def _folded(parts: list[pl.DataFrame], *keys: str) -> list[pl.DataFrame]:
    """The same sums in fewer rows, when there are many."""
    many = len(parts) > 1 and sum(part.height for part in parts[1:]) > max(PAIRS, parts[0].height)
    return [pl.concat(parts).group_by(*keys).sum()] if many else parts
