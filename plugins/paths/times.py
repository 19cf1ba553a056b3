"""Times: hits, views and visits by hour of the week, and how long pages are looked at."""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from plugins.paths.corpus import LOGGED, Codes, Corpus, Flags, Ints

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

QUANTILES: Final = {"median_s": 0.5, "p90_s": 0.1}
"""Columns of time on page, and the share of views that last longer."""

_EXACT: Final = 1e-9
"""How far a product of shares may be from the share that it is, by rounding."""

Reals = npt.NDArray[np.float64]


def by_hour(views: pl.Series, visits: pl.Series, hits: pl.Series | None, zone: str) -> pl.DataFrame:
    """What happens in each hour of the week.

    Args:
        views: When the views were.
        visits: When the sessions began.
        hits: When the hits were; None where nobody knows.
        zone: The time zone in which days and hours are.

    Returns:
        168 rows from Monday, midnight: `weekday` (1 to 7, ISO 8601), `day` (its name), `hour` (0 to 23), `hits`,
        `views` and `visits`. Where clocks are put back, both hours count as one.
    """
    return pl.DataFrame(
        {
            "weekday": np.repeat(np.arange(1, 8), 24),
            "day": np.repeat(DAYS, 24),
            "hour": np.tile(np.arange(24), 7),
            "hits": pl.repeat(None, 168, dtype=pl.Int64, eager=True) if hits is None else _counts(hits, zone),
            "views": _counts(views, zone),
            "visits": _counts(visits, zone),
        }
    )


def _counts(times: pl.Series, zone: str) -> Ints:
    """How many times are in each hour of the week; shape (168,)."""
    local = times.dt.convert_time_zone(zone)
    hours = (local.dt.weekday().cast(pl.Int64) - 1) * 24 + local.dt.hour()
    return np.bincount(hours.to_numpy(), minlength=168)


def dwell(corpus: Corpus, ends: Ints) -> tuple[Ints, Flags]:
    """How long each view lasted: until the next logged view of its session, or at least until the session's last hit.

    Args:
        corpus: Views with times.
        ends: When the last hit of each session was, in microseconds since 1970 UTC; shape (sessions,).

    Returns:
        Times in microseconds, -1 for inferred views, and whether they end with the next view; each of shape (views,).

    Raises:
        ValueError: there are views, and nobody knows when they were.
    """
    if corpus.times is None:
        if corpus.views:
            raise ValueError("time on page needs times")
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    logged = np.arange(corpus.views) if corpus.marks is None else np.flatnonzero(corpus.marks == LOGGED)
    session, times = corpus.session_of[logged], corpus.times[logged]
    timed, following = np.zeros(len(logged), dtype=np.bool_), ends[session]
    timed[:-1] = session[1:] == session[:-1]
    following[:-1] = np.where(timed[:-1], times[1:], following[:-1])
    lasted, seen = np.full(corpus.views, -1), np.zeros(corpus.views, dtype=np.bool_)
    lasted[logged], seen[logged] = np.maximum(following - times, 0), timed
    return lasted, seen


def time_on_page(names: pl.Series, codes: Codes, lasted: Ints, timed: Flags) -> pl.DataFrame:
    """How long pages are looked at, by Kaplan and Meier 1958, "Nonparametric estimation from incomplete observations".

    Of the last view of a session it is only known that it lasted at least to the session's last hit: it is censored.
    The share of views that last longer than t is estimated as S(t), the product over all times u <= t of
    1 - d(u) / n(u), where d(u) views end after u and n(u) last at least u. A quantile is the smallest time at which S
    is not above it.

    Args:
        names: The pages; shape (pages,).
        codes: Where the page of each view is in these; shape (views,).
        lasted: How long it lasted in microseconds; -1 where nobody knows, as for inferred views. Shape (views,).
        timed: Whether it ended then; else it lasted longer. Shape (views,).

    Returns:
        `page`, `views`, `timed`, `censored`, `median_s` and `p90_s` (in seconds; null where S never gets there); the
        most viewed first, then by name.
    """
    known = lasted >= 0
    views, ended = (np.bincount(codes[rows], minlength=len(names)) for rows in (slice(None), timed))
    page, time, share = _survival(codes[known], lasted[known], timed[known])
    found = pl.DataFrame(
        {
            "page": names,
            "views": views,
            "timed": ended,
            "censored": np.bincount(codes[known & ~timed], minlength=len(names)),
            **{name: _quantiles(page, time, share, most, len(names)) for name, most in QUANTILES.items()},
        }
    )
    return found.filter(pl.col("views") > 0).sort("views", "page", descending=[True, False])


def _survival(codes: Codes, lasted: Ints, timed: Flags) -> tuple[Codes, Ints, Reals]:
    """The estimated share of the views of a page that last longer than a time.

    Returns:
        Page, time and share, by page and time, for every time at which a view of it ends or is censored.
    """
    order = np.lexsort((lasted, codes))
    page, time, ends = codes[order], lasted[order], timed[order]
    new = np.ones(len(page), dtype=np.bool_)
    new[1:] = (page[1:] != page[:-1]) | (time[1:] != time[:-1])
    starts = np.flatnonzero(new)
    deaths = np.add.reduceat(ends.astype(np.int64), starts) if len(starts) else np.zeros(0, dtype=np.int64)
    behind = np.searchsorted(page, page[starts], side="right")
    steps = pl.DataFrame({"page": page[starts], "share": 1 - deaths / (behind - starts)})
    share = steps.select(pl.col("share").cum_prod().over("page")).to_series().to_numpy()
    return page[starts], time[starts], share


def _quantiles(page: Codes, time: Ints, share: Reals, most: float, pages: int) -> pl.Series:
    """The smallest time of each page at which the share is not above `most`, in seconds; shape (pages,)."""
    there = np.flatnonzero(share <= most + _EXACT)
    found = np.full(pages, np.nan)
    found[page[there[::-1]]] = time[there[::-1]] / 1e6
    return pl.Series(found).fill_nan(None)
