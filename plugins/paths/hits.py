"""The hits of sessions: which hit each view was, and which hits belong to a session at all."""

import numpy as np
import numpy.typing as npt
import polars as pl

from logparse.sessions import is_view
from plugins.paths.corpus import Ints

Words = npt.NDArray[np.uint64]

_MARK = pl.struct("visitor", "ts", "page").hash().alias("mark")
"""What tells a view, in 64 bits, so that two of ten million hardly share one."""


def referrers_of(hits: pl.LazyFrame, sessions: pl.DataFrame) -> pl.Series:
    """The referrer of every view of sessions, session by session and in order; null where none was logged.

    Args:
        hits: The table `hits`.
        sessions: Rows of the table `sessions`.

    Returns:
        Texts; shape (views,).
    """
    views = sessions.select("visitor", pl.col("times").alias("ts"), pl.col("path").alias("page")).explode("ts", "page")
    viewed = _near(hits.filter(is_view()), sessions).select(_MARK, "referrer", "source", "line").collect()
    order = np.lexsort([viewed[name].to_numpy() for name in ("line", "source", "mark")])
    places = _places(viewed["mark"].to_numpy(), order, views.select(_MARK)["mark"].to_numpy())
    rows = pl.Series(np.where(places >= 0, places, 0)).set(pl.Series(places < 0), None)
    return viewed["referrer"].gather(rows)


def hits_of(hits: pl.LazyFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """The hits that belong to sessions: of the same visitor, from the start to the end, none of robots by name.

    Args:
        hits: The table `hits`.
        sessions: Rows of the table `sessions`.

    Returns:
        `session` and `ts`, in the order of time.
    """
    spans = sessions.lazy().select("visitor", "session", "end", pl.col("start").alias("ts")).sort("ts")
    theirs = _near(hits, sessions).filter(pl.col("bot").is_null()).select("visitor", "ts").sort("ts")
    placed = theirs.join_asof(spans, on="ts", by="visitor", check_sortedness=False)
    return placed.filter(pl.col("ts") <= pl.col("end")).select("session", "ts").collect()


def logged_hosts(hits: pl.LazyFrame) -> pl.Series:
    """The virtual hosts that views were logged with, without those that hardly any was.

    A client may name any host; one that answers views is the site's own, unless they are fewer than one in a thousand.
    """
    counts = hits.filter(is_view() & pl.col("host").is_not_null()).group_by("host").agg(pl.len().alias("views"))
    return counts.filter(pl.col("views") * 1000 >= pl.col("views").sum()).select("host").collect().to_series()


def _near(hits: pl.LazyFrame, sessions: pl.DataFrame) -> pl.LazyFrame:
    """The hits of the dates, and of the visitors, of sessions."""
    first, last = sessions["start"].dt.date().min(), sessions["end"].dt.date().max()
    visitors = sessions.lazy().select("visitor").unique()
    return hits.filter(pl.col("date").is_between(first, last)).join(visitors, on="visitor", how="semi")


def _places(known: Words, order: Ints, asked: Words) -> Ints:
    """Where the n-th of equal values of `asked` is in `known`: at the n-th of its values; -1 if there is none.

    Args:
        known: Values; shape (n,).
        order: What sorts them, equal ones in the order in which they count; shape (n,).
        asked: Values; shape (m,).
    """
    wanted = np.argsort(asked, kind="stable")
    there, here = known[order], asked[wanted]
    nth = np.arange(len(here)) - np.searchsorted(here, here)
    at = np.searchsorted(there, here) + nth
    fits = at < len(there)
    fits[fits] = there[at[fits]] == here[fits]
    places = np.full(len(asked), -1)
    places[wanted[fits]] = order[at[fits]]
    return places
