"""Pages and transitions of the sessions that the user wants."""

from typing import TYPE_CHECKING

import polars as pl

from plugins.paths import mining

if TYPE_CHECKING:
    from plugins.paths.source import Source


def pages_and_transitions(source: "Source") -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Rows like those of the tables `pages` and `transitions`.

    The tables are sums by date (UTC). Where these say it all they are read; else both are made anew from the sessions.
    """
    if source.is_plain:
        workspace, filters = source.workspace(), source.filters
        pages, transitions = (filters.between(workspace.scan(name), "date") for name in ("pages", "transitions"))
        return pages, transitions
    corpus = source.corpus(capped=False, ordered=True)
    viewed = mining.corpus_views(corpus)
    name = pl.lit(corpus.names, dtype=pl.String)
    pages = mining.pages(viewed).with_columns(name.gather("page").alias("page"))
    transitions = mining.transitions(viewed).with_columns(name.gather(each).alias(each) for each in ("page", "next"))
    return pages, transitions
