"""Terms that people look for, titles and tags: one writing of each, and which items of the catalogue a term fits."""

from typing import Final
from unicodedata import normalize

import polars as pl

from crm.catalog import LEVELS

LONGEST: Final = 200
"""So many characters of a term are kept."""

_BETWEEN: Final = "\n"
"""Between the texts of an item; no folded text has it, so no term reaches from one into the next."""


def fold(text: str) -> str:
    """A text in one writing: NFKC, case-folded, blanks in runs of one and none at the ends."""
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold()).split())


def folded(texts: pl.Series) -> pl.Series:
    """The same of texts, each distinct one once; null stays null."""
    texts = texts.cast(pl.String)
    old = texts.drop_nulls().unique()
    new = pl.Series([fold(text) for text in old.to_list()], dtype=pl.String)
    return texts.replace(old, new) if len(old) else texts


def fitting(terms: pl.Series, items: pl.DataFrame) -> pl.DataFrame:
    """Which items have a term in their title, a tag or the name of a category.

    All terms are looked for at once (Aho and Corasick 1975).

    Args:
        terms: Distinct terms as `fold` writes them.
        items: The catalogue as `crm.catalog.items` gives it.

    Returns:
        `term` and `item`, each pair once.
    """
    wanted = terms.drop_nulls().filter(terms.drop_nulls() != "")
    if not len(wanted) or not items.height:
        return pl.DataFrame(schema={"term": pl.String, "item": pl.String})
    text = pl.concat_str("title", pl.col("tags").list.join(_BETWEEN), *LEVELS, separator=_BETWEEN, ignore_nulls=True)
    # Folding takes line ends for blanks, so each text is folded by itself.
    apart = items.select("item", text.str.split(_BETWEEN).alias("text")).explode("text", empty_as_null=True)
    apart = apart.with_columns(folded(apart["text"])).filter(pl.col("text").is_not_null())
    found = pl.col("text").str.extract_many(wanted.unique().implode(), overlapping=True).alias("term")
    return apart.select("item", found).explode("term", empty_as_null=False).select("term", "item").unique()
