"""The ledger as others see it, who neither hold the lock nor change it: what was read of each source."""

import json
from typing import TYPE_CHECKING

import polars as pl

from logparse.charsets import UTF8
from logparse.kernel import Account

if TYPE_CHECKING:
    from crm.workspace import Workspace

TIME = pl.Datetime("us", "UTC")
STATUS: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Int64,
    "name": pl.String,
    "format": pl.String,
    "charset": pl.String,
    "tz": pl.String,
    "lines": pl.Int64,
    "hits": pl.Int64,
    "filtered": pl.Int64,
    "rejected": pl.Int64,
    "blank": pl.Int64,
    "offset": pl.Int64,
    "first": TIME,
    "last": TIME,
    "last_run": TIME,
}
"""Columns of `crm logs status`."""


def rows(workspace: "Workspace") -> pl.DataFrame:
    """The rows of the ledger that count, with `started` of their run, by source and run.

    That leaves out those of a run that has not committed its hits, and those of sources dropped since.
    """
    committed = workspace.lake.transaction("hits")
    runs = workspace.local.frame("runs").filter(pl.col("run") <= committed)
    found = workspace.local.frame("sources").filter(pl.col("run") <= committed)
    for run, dropped in runs.filter(pl.col("kind") == "drop").select("run", "dropped").iter_rows():
        found = found.filter(~(pl.col("source").is_in(json.loads(dropped)) & (pl.col("run") < run)))
    return found.join(runs.select("run", "started"), on="run", how="left").sort("source", "run")


def robots_list(workspace: "Workspace") -> str | None:
    """The list of robots by which the stored hits are marked; None before the first run."""
    runs = workspace.local.frame("runs").filter(pl.col("run") <= workspace.lake.transaction("hits"))
    rules = runs.filter(pl.col("rules") != "").sort("run")["rules"]
    return json.loads(rules[-1])["robots"]["list"] if len(rules) else None


def by_source(ledger: pl.DataFrame) -> pl.DataFrame:
    """One row a source (columns `STATUS`) from what `rows` returns."""
    counted = ledger.with_columns(
        pl.col(name).map_elements(_total, return_dtype=pl.Int64) for name in ("filtered", "rejected")
    )
    return (
        counted.group_by("source", maintain_order=True)
        .agg(
            pl.col("name", "format", "offset").last(),
            pl.col("charset").last().fill_null(UTF8),
            pl.col("tz").last().replace("", None),
            pl.col("lines", "hits", "filtered", "rejected", "blank").sum(),
            pl.col("first_ts").min().alias("first"),
            pl.col("newest_ts").max().alias("last"),
            pl.col("started").max().dt.truncate("1s").alias("last_run"),
        )
        .select(*STATUS)
    )


def total(ledger: pl.DataFrame) -> Account:
    """Where all lines of all sources went."""
    columns = ledger.select("lines", "hits", "blank", "filtered", "rejected").iter_rows()
    accounts = (
        Account(lines, hits, blank, json.loads(filtered), json.loads(rejected))
        for lines, hits, blank, filtered, rejected in columns
    )
    return sum(accounts, Account())


def _total(counts: str) -> int:
    return sum(json.loads(counts).values())
