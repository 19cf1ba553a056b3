"""Sessions and hits -> the table `behaviour`: what each visitor has viewed, looked for and put into the cart, by day.

A session's rows depend on nothing but this session and its hits, so any way to part a log into runs gives the same
table.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from crm.hookspecs import Miner
from crm.interest.contracts import BEHAVIOUR
from crm.site import CartRule, SiteConfig
from logparse.pages import glob_expression
from plugins.interest.queries import terms

LONGEST_DWELL: Final = timedelta(minutes=10)
"""Who stays longer has gone for a coffee."""

_SECOND: Final = 1_000_000


def miner_of(site: SiteConfig) -> Miner:
    """The miner, by the rules of the site."""

    def mine(sessions: pl.LazyFrame, _changed: Collection[date], hits: pl.LazyFrame) -> Mapping[str, pl.LazyFrame]:
        """The rows of `behaviour` for the sessions of some dates."""
        return {BEHAVIOUR.name: behaviour(sessions, hits, site).lazy()}

    return Miner("interest", (BEHAVIOUR.name,), mine, hits=True)


def behaviour(sessions: pl.LazyFrame, hits: pl.LazyFrame, site: SiteConfig) -> pl.DataFrame:
    """What was done in sessions.

    Args:
        sessions: Sessions of people (see the table `sessions`).
        hits: People's hits of the dates of these sessions and of the dates behind them.
        site: Which pages search, and which requests fill the cart.

    Returns:
        The table `behaviour`, sorted.
    """
    columns = ["date", "visitor", "customer", "start", "end", "path", "times"]
    spans = sessions.select(columns).collect().with_row_index("at")
    viewed = _views(spans)
    spans = spans.drop("path", "times")
    done = {"view": viewed}
    if site.searches:
        done["search"] = _searches(spans, hits, site)
    if site.carts and site.items:
        done["cart"] = _carts(spans, hits, viewed, site)
    return _counted(spans, done)


def _views(sessions: pl.DataFrame) -> pl.DataFrame:
    """Views in order: `at` (the number of the session), `what` (the page), `ts`, and `dwell` to the next, in µs."""
    rows = sessions.select("at", "path", "times").explode("path", "times", empty_as_null=False)
    rows = rows.select("at", pl.col("path").alias("what"), pl.col("times").alias("ts"))
    stay = (pl.col("ts").shift(-1) - pl.col("ts")).clip(timedelta(0), LONGEST_DWELL).dt.total_microseconds()
    goes_on = (pl.col("at") == pl.col("at").shift(-1)).fill_null(False)
    return rows.with_columns(pl.when(goes_on).then(stay).otherwise(0).alias("dwell"))


def _counted(spans: pl.DataFrame, done: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table of what was done, by kind; each distinct text is a number in the order of texts until the end."""
    whose = spans.select("date", "visitor", "customer").unique().sort("date", "visitor", "customer")
    owners = spans.join(whose.with_row_index("whose"), on=whose.columns, nulls_equal=True).sort("at")["whose"]
    names = pl.concat([rows["what"].unique() for rows in done.values()]).unique().sort()
    kinds = pl.Enum(sorted(done))
    parts = [
        rows.select(
            owners.gather(rows["at"]).alias("whose"),
            pl.lit(kind, dtype=kinds).alias("kind"),
            pl.col("what").cast(pl.Enum(names)),
            "dwell",
        )
        for kind, rows in done.items()
    ]
    key = ["whose", "kind", "what"]
    sums = pl.concat(parts).group_by(key).agg(pl.len().cast(pl.Int64).alias("count"), pl.col("dwell").sum()).sort(key)
    told = sums.select(pl.col("kind", "what").cast(pl.String), "count", (pl.col("dwell") / _SECOND).alias("dwell_s"))
    return pl.concat([whose[sums["whose"]], told], how="horizontal")


def _searches(spans: pl.DataFrame, hits: pl.LazyFrame, site: SiteConfig) -> pl.DataFrame:
    """Searches in sessions: `at`, `what` (the term), `dwell` (none)."""
    fine = pl.col("status").is_between(200, 299) | (pl.col("status") == 304)
    pages = pl.col("page").str.contains(glob_expression(tuple(rule.page for rule in site.searches)))
    asked = hits.filter(pages, fine, pl.col("method") == "GET", pl.col("kind").is_in(["page", "other"]))
    found = asked.filter(pl.col("query") != "").select("date", "visitor", "ts", "page", "query").collect()
    found = found.with_columns(terms(found, site.searches).alias("what")).filter(pl.col("what").is_not_null())
    return _within(spans, found).select("at", "what", pl.lit(0, dtype=pl.Int64).alias("dwell"))


def _carts(spans: pl.DataFrame, hits: pl.LazyFrame, viewed: pl.DataFrame, site: SiteConfig) -> pl.DataFrame:
    """What was put into carts: `at`, `what` (the page of the item viewed last), `dwell` (none)."""
    answered = (pl.col("status") < 400).fill_null(False)
    put = hits.filter(pl.any_horizontal(_puts(rule) for rule in site.carts), answered)
    found = _within(spans, put.select("date", "visitor", "ts").collect())
    pages = viewed["what"].unique()
    of_items = pages.filter(site.item_of(pages).is_not_null())
    shown = viewed.filter(pl.col("what").is_in(of_items.implode())).select("at", "ts", "what")
    last = shown.unique(["at", "ts"], keep="last", maintain_order=True).sort("ts", maintain_order=True)
    rows = found.select("at", "ts").sort("ts").join_asof(last, on="ts", by="at", check_sortedness=False)
    return rows.filter(pl.col("what").is_not_null()).select("at", "what", pl.lit(0, dtype=pl.Int64).alias("dwell"))


def _puts(rule: CartRule) -> pl.Expr:
    """Whether a hit puts something into the cart."""
    return (pl.col("method") == rule.method.upper()) & pl.col("path").str.contains(glob_expression((rule.path,)))


def _within(spans: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Hits that lie in a session of their visitor, with its number `at`.

    Only the date of a session and the one behind it are looked at: hits of others may not be at hand.
    """
    begun = spans.select("at", "visitor", "start", "end", pl.col("date").alias("day")).sort("start", "end", "at")
    found = hits.sort("ts").join_asof(begun, left_on="ts", right_on="start", by="visitor", check_sortedness=False)
    near = pl.col("date") <= pl.col("day") + timedelta(days=1)
    return found.filter(pl.col("ts") <= pl.col("end"), near)
