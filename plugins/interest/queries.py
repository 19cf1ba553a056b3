"""What people look for: queries of search pages -> terms."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import polars as pl

from crm.interest.terms import LONGEST, fold
from crm.site import SearchRule
from logparse.pages import glob_expression

_CHARSETS: Final = ("utf-8", "gb18030")
"""Old Chinese sites encode queries in the second, or in GBK and GB 2312, which are parts of it."""


def terms(requests: pl.DataFrame, rules: Sequence[SearchRule]) -> pl.Series:
    """The term that each request looks for; null where it looks for none. Shape (requests,).

    Of several rules that fit a page, the first whose parameter is there and not empty counts.

    Args:
        requests: `page` and `query`, as hits have them.
        rules: The section `site.searches`.
    """
    if not rules:
        return pl.Series("term", [None], dtype=pl.String).new_from_index(0, requests.height)
    said = [
        pl.when(pl.col("page").str.contains(glob_expression((rule.page,)))).then(_value(rule.parameter))
        for rule in rules
    ]
    known = requests.select("page", "query").unique().with_columns(pl.coalesce(said).alias("raw"))
    raws = known["raw"].drop_nulls().unique()
    clean = pl.Series([term(text) for text in raws.to_list()], dtype=pl.String)
    known = known.with_columns(pl.col("raw").replace(raws, clean).alias("term"))
    rows = requests.join(known, on=["page", "query"], how="left", nulls_equal=True, maintain_order="left")
    return rows.select(pl.when(pl.col("term") != "").then("term").alias("term")).to_series()


def _value(parameter: str) -> pl.Expr:
    """What the query says for a parameter, still encoded; null where it says nothing."""
    found = pl.col("query").str.extract(rf"(?:^|&){re.escape(parameter)}=([^&]+)")
    return pl.when(found.str.contains(r"[^+]")).then(found)


def term(raw: str) -> str:
    """A value of a query as a term: decoded, in one writing, cut; empty where its bytes are no text."""
    data = unquote_to_bytes(raw.replace("+", " "))
    for charset in _CHARSETS:
        try:
            return fold(fold(data.decode(charset))[:LONGEST])
        except UnicodeDecodeError:
            continue
    return ""
