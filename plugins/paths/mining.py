"""Sessions -> pages and transitions: plain functions over frames."""

from collections.abc import Collection, Mapping
from datetime import date

import polars as pl


def views(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row a view, in order.

    Args:
        sessions: `date`, `session`, `path` and `times` (see the table `sessions`).

    Returns:
        `date`, `session`, `page` (coded), `ts`, the `next` page and `next_ts` (null at the exit), and whether the
        view is the `first` of its session.
    """
    rows = sessions.select("date", "session", pl.col("path").alias("page"), pl.col("times").alias("ts"))
    rows = rows.explode("page", "ts").with_columns(pl.col("page").cast(pl.Categorical(pl.Categories.random())))
    same = pl.col("session") == pl.col("session").shift(-1)
    return rows.with_columns(
        pl.when(same).then(pl.col("page").shift(-1)).alias("next"),
        pl.when(same).then(pl.col("ts").shift(-1)).alias("next_ts"),
        (pl.col("session") != pl.col("session").shift(1)).fill_null(True).alias("first"),
    )


def pages(viewed: pl.LazyFrame) -> pl.LazyFrame:
    """The table `pages` from `views`."""
    last = pl.col("next_ts").is_null()
    dwell = (pl.col("next_ts") - pl.col("ts")).dt.total_microseconds() / 1e6
    return viewed.group_by("date", "page").agg(
        pl.len().cast(pl.Int64).alias("views"),
        pl.col("session").n_unique().cast(pl.Int64).alias("sessions"),
        pl.col("first").sum().cast(pl.Int64).alias("entries"),
        last.sum().cast(pl.Int64).alias("exits"),
        (pl.col("first") & last).sum().cast(pl.Int64).alias("bounces"),
        (~last).sum().cast(pl.Int64).alias("timed"),
        dwell.sum().alias("dwell_s"),
    )


def transitions(viewed: pl.LazyFrame) -> pl.LazyFrame:
    """The table `transitions` from `views`."""
    steps = viewed.filter(pl.col("next_ts").is_not_null())
    return steps.group_by("date", "page", "next").agg(
        pl.len().cast(pl.Int64).alias("count"), pl.col("session").n_unique().cast(pl.Int64).alias("sessions")
    )


def mine(sessions: pl.LazyFrame, _changed: Collection[date]) -> Mapping[str, pl.LazyFrame]:
    """The rows of `pages` and `transitions` for the sessions of some dates, sorted."""
    viewed = views(sessions).collect().lazy()
    return {
        "pages": pages(viewed).cast({"page": pl.String}).sort("date", "page"),
        "transitions": transitions(viewed).cast({"page": pl.String, "next": pl.String}).sort("date", "page", "next"),
    }


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


def transition_report(rows: pl.LazyFrame, exits: pl.LazyFrame) -> pl.LazyFrame:
    """Transitions summed over dates, most frequent first, with their probability.

    Args:
        rows: The table `transitions`.
        exits: The table `pages`; leaving the site counts among what follows a page.
    """
    sums = rows.group_by("page", "next").agg(pl.col("count", "sessions").sum())
    totals = exits.group_by("page").agg(pl.col("views").sum())
    return (
        sums.join(totals, on="page", how="left")
        .select("page", "next", "count", "sessions", (pl.col("count") / pl.col("views")).alias("probability"))
        .sort("count", "page", "next", descending=[True, False, False])
    )


def top_paths(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Whole paths of sessions, most frequent first, with their share of all sessions."""
    counted = sessions.group_by("path").agg(pl.len().cast(pl.Int64).alias("sessions"))
    text = pl.col("path").list.join(" > ")
    return (
        counted.with_columns(text.alias("text"))
        .select(
            "path",
            pl.col("path").list.len().cast(pl.Int64).alias("length"),
            "sessions",
            (pl.col("sessions") / pl.col("sessions").sum()).alias("share"),
            "text",
        )
        .sort("sessions", "text", descending=[True, False])
        .drop("text")
    )
