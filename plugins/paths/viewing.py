"""Paths as a table with one row a view."""

import numpy as np
import polars as pl

from plugins.paths.corpus import MARKS, Corpus


def listed(sessions: pl.DataFrame, corpus: Corpus) -> pl.DataFrame:
    """The views of sessions in order.

    Args:
        sessions: `session` and `visitor` of each; shape (sessions,).
        corpus: Their views.

    Returns:
        `session`, `visitor`, `n` (from 1 in each session), `page`, `ts` (null where nobody knows) and `inferred` (null
        for views that were logged, else a name of `MARKS`); one row a view.
    """
    marks = np.zeros(corpus.views, dtype=np.uint8) if corpus.marks is None else corpus.marks
    rows = pl.Series(corpus.session_of)
    return pl.DataFrame(
        {
            "session": sessions["session"].gather(rows),
            "visitor": sessions["visitor"].gather(rows),
            "n": corpus.place_of + 1,
            "page": corpus.names.gather(pl.Series(corpus.codes)),
            "ts": corpus.when(),
            "inferred": pl.Series(marks).replace_strict(MARKS, default=None, return_dtype=pl.String),
        }
    )
