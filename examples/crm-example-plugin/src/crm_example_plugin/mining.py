"""Counting; knows nothing of the command line or of files."""

import polars as pl


def section(page: pl.Expr, depth: int) -> pl.Expr:
    """The first `depth` parts of a page's path: `/shop/shoes?page=2` is `/shop` at depth 1."""
    path = page.str.split("?").list.first().str.strip_chars("/")
    return pl.lit("/") + path.str.split("/").list.head(depth).list.join("/")


def section_visits(sessions: pl.LazyFrame, depth: int) -> pl.LazyFrame:
    """Sessions and their views by date and section of the entry page, the columns of `section_visits`."""
    return (
        sessions.group_by(pl.col("start").dt.date().alias("date"), section(pl.col("entry"), depth).alias("section"))
        .agg(pl.len().cast(pl.Int64).alias("sessions"), pl.col("views").sum().cast(pl.Int64))
        .sort("date", "section")
    )
