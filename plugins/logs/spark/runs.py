"""Sessions of hits that stream by, sorted: what belongs to an unfinished run is carried from batch to batch."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import numpy as np
import polars as pl

from logparse.rules import SessionRules
from logparse.sessions import INPUT, run_starts, sessions

LEAST_HITS = 200_000
"""About so many hits are cut into sessions at a time."""


def sessions_of(
    batches: Iterable[pl.DataFrame], rules: SessionRules, least: int = LEAST_HITS
) -> Iterator[pl.DataFrame]:
    """The sessions of hits that come in batches; where these are cut has no influence.

    Args:
        batches: Columns of `logparse.sessions.INPUT`, sorted as `logparse.sessions.sessions` wants them.
        rules: Where to cut.
        least: About so many hits are worked on at a time; a longer run is held whole.

    Yields:
        Sessions, by visitor and start; all their pages are of one Categorical, which is freed with them.
    """
    pages = pl.Categorical(pl.Categories.random())
    coded = (batch.select(*INPUT).with_columns(pl.col("page").cast(pages)) for batch in batches)
    for hits in whole_runs(coded, rules.idle, least):
        yield sessions(hits, rules)


def whole_runs(batches: Iterable[pl.DataFrame], idle: timedelta, least: int) -> Iterator[pl.DataFrame]:
    """The same hits, cut where runs begin, about `least` at a time.

    A batch is looked at once, however long the run is that it goes on with.

    Args:
        batches: `visitor` and `ts`, sorted by both, and any other columns.
        idle: A longer gap ends a run.
        least: So many hits at least, but for the last ones.
    """
    held: list[pl.DataFrame] = []
    count = 0
    for batch in batches:
        at = _last_start(held[-1] if held else None, batch, idle)
        if at is not None and count + at >= least:
            yield pl.concat([*held, batch[:at]])
            held, count = [batch[at:]], batch.height - at
        elif batch.height:
            held.append(batch)
            count += batch.height
    if held:
        yield pl.concat(held)


def _last_start(before: pl.DataFrame | None, batch: pl.DataFrame, idle: timedelta) -> int | None:
    """Where in a batch the last run begins; None where it only goes on with the run before."""
    if not batch.height:
        return None
    seam = batch.select("visitor", "ts")
    if before is not None:
        seam = pl.concat([before.select("visitor", "ts").tail(1), seam])
    starts = np.flatnonzero(run_starts(seam["visitor"], seam["ts"], idle)[seam.height - batch.height :])
    return int(starts[-1]) if len(starts) else None
