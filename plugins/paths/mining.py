"""Sessions -> pages and transitions: plain functions over frames."""

from typing import Final

import polars as pl

from plugins.paths.corpus import LOGGED, Corpus

ENTRY: Final = "(entry)"
"""The state before the first view of a session."""

EXIT: Final = "(exit)"
"""The state behind the last view of a session."""


def views(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row a view, in order.

    Args:
        sessions: `date`, `session`, `path` and `times` (see the table `sessions`).

    Returns:
        See `steps`; pages are coded.
    """
    rows = sessions.select("date", "session", pl.col("path").alias("page"), pl.col("times").alias("ts"))
    return steps(rows.explode("page", "ts").with_columns(pl.col("page").cast(pl.Categorical(pl.Categories.random()))))


def corpus_views(corpus: Corpus) -> pl.LazyFrame:
    """The same for a corpus: the date is null, pages are codes, and an inferred view has no time of its own."""
    rows = pl.LazyFrame(
        {"session": corpus.session_of, "page": corpus.codes, "ts": corpus.when()},
        schema_overrides={"ts": pl.Datetime("us", "UTC")},
    ).with_columns(pl.lit(None, dtype=pl.Date).alias("date"))
    viewed = steps(rows)
    if corpus.marks is None:
        return viewed
    logged = pl.Series("logged", corpus.marks == LOGGED)
    return viewed.with_columns(logged).with_columns(pl.when("logged").then("ts").alias("ts"))


def steps(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What comes behind each view.

    Args:
        rows: One row a view, sessions whole and in order: `date`, `session`, `page`, `ts`.

    Returns:
        The same, with the `next` page and `next_ts` (null at the exit), and whether the view is the `first` and the
        `last` of its session.
    """
    same = pl.col("session") == pl.col("session").shift(-1)
    return rows.with_columns(
        pl.when(same).then(pl.col("page").shift(-1)).alias("next"),
        pl.when(same).then(pl.col("ts").shift(-1)).alias("next_ts"),
        (pl.col("session") != pl.col("session").shift(1)).fill_null(True).alias("first"),
        (~same).fill_null(True).alias("last"),
    )


def pages(viewed: pl.LazyFrame) -> pl.LazyFrame:
    """The table `pages` from `views`."""
    dwell = (pl.col("next_ts") - pl.col("ts")).dt.total_microseconds() / 1e6
    return viewed.group_by("date", "page").agg(
        pl.len().cast(pl.Int64).alias("views"),
        pl.col("session").n_unique().cast(pl.Int64).alias("sessions"),
        pl.col("first").sum().cast(pl.Int64).alias("entries"),
        pl.col("last").sum().cast(pl.Int64).alias("exits"),
        (pl.col("first") & pl.col("last")).sum().cast(pl.Int64).alias("bounces"),
        dwell.count().cast(pl.Int64).alias("timed"),
        dwell.sum().alias("dwell_s"),
    )


def transitions(viewed: pl.LazyFrame) -> pl.LazyFrame:
    """The table `transitions` from `views`."""
    return (
        viewed.filter(~pl.col("last"))
        .group_by("date", "page", "next")
        .agg(pl.len().cast(pl.Int64).alias("count"), pl.col("session").n_unique().cast(pl.Int64).alias("sessions"))
    )


def page_report(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Pages summed over dates, most viewed first, with rates and the mean time on page."""
    sums = rows.group_by("page").agg(
        pl.col("views", "sessions", "entries", "exits", "bounces", "timed", "dwell_s").sum()
    )
    return sums.select(
        "page",
        "views",
        "sessions",
        "entries",
        "exits",
        (pl.col("exits") / pl.col("views")).alias("exit_rate"),
        pl.when(pl.col("entries") > 0).then(pl.col("bounces") / pl.col("entries")).alias("bounce_rate"),
        pl.when(pl.col("timed") > 0).then(pl.col("dwell_s") / pl.col("timed")).alias("dwell_s"),
    ).sort("views", "page", descending=[True, False])


def transition_report(rows: pl.LazyFrame, viewed: pl.LazyFrame) -> pl.LazyFrame:
    """Transitions summed over dates, most frequent first: a Markov chain of first order.

    A session begins in the state `(entry)` and ends in the state `(exit)`, so the probabilities of what follows a state
    sum up to 1 (Sarukkai 2000, "Link prediction and path analysis using Markov chains").

    Args:
        rows: The table `transitions`.
        viewed: The table `pages`.
    """
    totals = viewed.group_by("page").agg(pl.col("views", "entries", "exits").sum())
    between = rows.group_by("page", "next").agg(pl.col("count", "sessions").sum()).join(totals, on="page", how="left")
    entries = totals.select(pl.lit(ENTRY).alias("page"), pl.col("page").alias("next"), pl.col("entries").alias("count"))
    exits = totals.select("page", pl.lit(EXIT).alias("next"), pl.col("exits").alias("count"), "views")
    ends = [entries.with_columns(pl.col("count").sum().alias("views")), exits]
    chain = pl.concat([between, *(end.with_columns(pl.col("count").alias("sessions")) for end in ends)], how="diagonal")
    return (
        chain.filter(pl.col("count") > 0)
        .select("page", "next", "count", "sessions", (pl.col("count") / pl.col("views")).alias("probability"))
        .sort("count", "page", "next", descending=[True, False, False])
    )


def flows(corpus: Corpus) -> pl.DataFrame:
    """From which page to which sessions go: `entry`, `exit`, `sessions`, `share` of all, the most first."""
    ends = corpus.offsets[1:] - 1
    codes = pl.DataFrame({"entry": corpus.codes[corpus.offsets[:-1]], "exit": corpus.codes[ends]})
    counted = codes.group_by("entry", "exit").agg(pl.len().cast(pl.Int64).alias("sessions"))
    named = counted.with_columns(corpus.names.gather(counted[name]).alias(name) for name in ("entry", "exit"))
    share = pl.col("sessions") / pl.lit(max(corpus.sessions, 1))
    return named.with_columns(share.alias("share")).sort("sessions", "entry", "exit", descending=[True, False, False])


def top_paths(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Whole paths of sessions, most frequent first, then by name, with their share of all sessions."""
    counted = sessions.group_by("path").agg(pl.len().cast(pl.Int64).alias("sessions"))
    return counted.sort("sessions", _text(), descending=[True, False]).select(
        "path",
        pl.col("path").list.len().cast(pl.Int64).alias("length"),
        "sessions",
        (pl.col("sessions") / pl.col("sessions").sum()).alias("share"),
    )


def daily_paths(sessions: pl.LazyFrame, most: int) -> pl.LazyFrame:
    """The table `top_paths`: so many paths of each date, the most frequent, then by name."""
    counted = sessions.group_by("date", "path").agg(pl.len().cast(pl.Int64).alias("sessions"))
    first = counted.sort("date", "sessions", _text(), descending=[False, True, False]).group_by(
        "date", maintain_order=True
    )
    length = pl.col("path").list.len().cast(pl.Int64).alias("length")
    return first.head(most).select("date", "path", length, "sessions")


def _text() -> pl.Expr:
    return pl.col("path").list.join(" > ")
