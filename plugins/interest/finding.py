"""Words of a command -> which key is meant."""

from typing import TYPE_CHECKING, Final

import polars as pl

from crm.errors import UsageError
from crm.interest.contracts import BEHAVIOUR
from crm.interest.targets import LEVELS, categories_of, paths_of, tags_of
from crm.nearest import did_you_mean
from crm.site import SiteConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm.app import App

_NAMES: Final = {
    "1": "a category of level 1",
    "2": "a category of level 2",
    "3": "a category of level 3",
    "item": "an item",
    "tag": "a tag",
}


def known_keys(app: "App", items: pl.DataFrame) -> pl.DataFrame:
    """What an interest may be in: `level`, `key`, each once. Items, categories and tags of the catalogue, and the
    categories of pages that were viewed."""
    parts = [
        categories_of(items).select("level", "key"),
        items.select(pl.lit("item").alias("level"), pl.col("item").alias("key")),
        tags_of(items).select(pl.lit("tag").alias("level"), "key"),
    ]
    if BEHAVIOUR.name in app.tables:
        rows = app.workspace().scan(BEHAVIOUR.name).filter(pl.col("kind") != "search").select("what")
        pages = rows.unique().collect()["what"]
        parts.append(paths_of(app.config.get("site", SiteConfig).category_of(pages)).select("level", "key"))
    return pl.concat(parts).unique().sort("level", "key")


def keys_of(known: pl.DataFrame, words: "Sequence[str]", level: str | None) -> pl.DataFrame:
    """The keys that are meant: `level`, `key`, in the order in which they are named.

    Args:
        known: What there is: `level`, `key`.
        words: Keys as the user writes them.
        level: Their level; None to find it out.

    Raises:
        UsageError: there is no such key, or it may be of two levels.
    """
    there = known if level is None else known.filter(level=level)
    found = []
    for word in dict.fromkeys(words):
        levels = there.filter(key=word)["level"].to_list()
        if not levels:
            what = "category, item or tag" if level is None else _NAMES[level].split(" ", 1)[1]
            raise UsageError(
                f"there is no {what} `{word}`{did_you_mean(word, there['key'].unique().sort())}; "
                "`crm catalog list` shows what is offered"
            )
        if len(levels) > 1:
            several = " and ".join(_NAMES[each] for each in LEVELS if each in levels)
            raise UsageError(f"`{word}` is {several}; say which with --level")
        found.append((levels[0], word))
    return pl.DataFrame(found, {"level": pl.String, "key": pl.String}, orient="row")
