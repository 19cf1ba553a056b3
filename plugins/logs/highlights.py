"""The first rows of miners' tables, for the summary of a run; a table that no plugin keeps is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.cells import visible
from crm.width import shorten

if TYPE_CHECKING:
    from crm.lake import Lake

LONGEST_LIST = 5
WIDEST = 100


@dataclass(frozen=True)
class Highlight:
    """A list of the summary.

    Attributes:
        title: What stands above it.
        table: The table.
        text: What is listed.
        number: By which column, the largest first; of a table by date it is summed up. A float is a share.
        only: Which rows.
        ties: Of equal numbers, those with more of this come first.
        least: Only larger numbers.
    """

    title: str
    table: str
    text: pl.Expr
    number: str
    only: pl.Expr | bool = True
    ties: str | None = None
    least: int = 0


HIGHLIGHTS: Final = (
    Highlight("most viewed pages", "pages", pl.col("page"), "views"),
    Highlight("entry pages", "pages", pl.col("page"), "entries"),
    Highlight("exit pages", "pages", pl.col("page"), "exits"),
    Highlight("transitions", "transitions", pl.format("{} > {}", "page", "next"), "count"),
    Highlight("whole paths", "top_paths", pl.col("path").list.join(" > "), "sessions", pl.col("length") > 1, least=1),
    Highlight("patterns, other views between or not", "patterns", pl.col("pattern"), "support"),
    Highlight("rules", "rules", pl.format("{} => {}", "antecedent", "consequent"), "confidence", ties="support"),
)


def lists(lake: "Lake", dates: list[date]) -> Iterator[str]:
    """The lists, each with an empty line before it.

    Args:
        lake: The lake.
        dates: Of tables by date, only these.
    """
    for highlight in HIGHLIGHTS:
        if highlight.table in lake.contracts:
            yield from _list(highlight, lake, dates)


def _list(highlight: Highlight, lake: "Lake", dates: list[date]) -> Iterator[str]:
    contract = lake.contracts[highlight.table]
    rows = lake.scan(highlight.table, dates=dates if contract.by_date else None).filter(highlight.only)
    ties = pl.col(highlight.ties) if highlight.ties else pl.lit(0)
    listed = rows.select(highlight.text.alias("text"), pl.col(highlight.number).alias("number"), ties.alias("ties"))
    found = listed.group_by("text").agg(pl.col("number", "ties").sum()).filter(pl.col("number") > highlight.least)
    first = found.sort("number", "ties", "text", descending=[True, True, False]).head(LONGEST_LIST).collect()
    if first.height:
        yield ""
        yield highlight.title
        numbers = [f"{number:.0%}" if isinstance(number, float) else f"{number:,}" for number in first["number"]]
        width = max(map(len, numbers))
        texts = (shorten(visible(text), WIDEST) for text in first["text"])
        yield from (f"  {number:>{width}}  {text}" for number, text in zip(numbers, texts, strict=True))
