"""Robots by what they do: each run is judged as a whole, whatever its user agent says.

Nothing but the run itself is looked at, so a run that is made anew is judged anew, and no other run changes.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from logparse.rules import BehaviourRules

ROBOTS_TXT, NO_ASSETS, RATE = "robots.txt", "no assets", "inhuman rate"
"""The reasons; a run may have several, joined by ` + ` in this order."""

ASSET, ASKS = 1, 2
"""Bits of `signs`: the hit is an asset; it asks for /robots.txt."""

_BITS = tuple(enumerate((ROBOTS_TXT, NO_ASSETS, RATE)))
TEXTS = (None, *(" + ".join(reason for bit, reason in _BITS if code >> bit & 1) for code in range(1, 1 << len(_BITS))))
"""What is stored for each set of reasons, a bit each; null for people."""


def signs() -> pl.Expr:
    """What a hit says of who sent it, as bits (`ASSET`, `ASKS`), from `kind` and `page`."""
    asks = pl.col("page").str.contains(r"^[^/]*/robots\.txt(?:\?|$)").fill_null(False)
    asset = (pl.col("kind") == "asset").fill_null(False)
    return (asset.cast(pl.UInt8) * ASSET + asks.cast(pl.UInt8) * ASKS).alias("signs")


def reasons(hits: pl.DataFrame, run_start: npt.NDArray[np.bool_], rules: BehaviourRules) -> pl.Series:
    """Why each run is taken for a robot's.

    Args:
        hits: `ts`, `view` and `signs` of whole runs, each in the order of time; shape (n, any), n > 0.
        run_start: Which hits begin a run; shape (n,).
        rules: What gives a robot away.

    Returns:
        One of `TEXTS` a run, null for people; shape (runs,).
    """
    first = np.flatnonzero(run_start)
    said = np.bitwise_or.reduceat(hits["signs"].to_numpy(), first)
    viewed = np.flatnonzero(hits["view"].to_numpy())
    run = np.cumsum(run_start)[viewed] - 1
    found = np.zeros(len(first), dtype=np.uint8)
    if rules.robots_txt:
        found |= (said & ASKS != 0).astype(np.uint8)
    if rules.no_assets is not None:
        many = np.bincount(run, minlength=len(first)) >= rules.no_assets
        found |= (many & (said & ASSET == 0)).astype(np.uint8) << 1
    if rules.rate_views is not None:
        when = hits["ts"].dt.epoch("us").to_numpy()[viewed]
        found[_hasty(when, run, rules.rate_views, rules.rate_window)] |= 4
    return pl.Series("bot", TEXTS, dtype=pl.String).gather(found)


def _hasty(
    when: npt.NDArray[np.int64], run: npt.NDArray[np.int64], count: int, window: timedelta
) -> npt.NDArray[np.int64]:
    """The runs in which `count` views in a row lie no further apart than `window`; may repeat.

    Args:
        when: Times of the views in microseconds, in order within each run; shape (views,).
        run: The run of each view, ascending; shape (views,).
        count: How many views.
        window: From the first of them to the last.
    """
    begin, end = when[: max(0, len(when) - count + 1)], when[count - 1 :]
    runs = run[: len(begin)]
    within = (runs == run[count - 1 :]) & (end - begin <= window // timedelta(microseconds=1))
    return runs[np.flatnonzero(within)]
