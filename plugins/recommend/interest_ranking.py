"""Items by the interest in their categories, their tags and themselves (`crm.interest.model`)."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from crm.interest.config import InterestConfig
from crm.interest.model import interests
from plugins.recommend.base import ItemRanker
from plugins.recommend.bounds import NotNegative
from plugins.recommend.interactions import (
    FIRST_KIND,
    KINDS,
    Bools,
    Floats,
    Interactions,
    Ints,
    Profiles,
    Sparse,
    codes,
)

_LEVELS: Final = {"1": "category1", "2": "category2", "3": "category3"}
_NARROW: Final = {"item": 0, "tag": 1, "1": 2, "2": 3, "3": 4}
"""What a reason names first: the larger number."""

_STANCES: Final = {"wanted": 1.0, "unwanted": -1.0}
"""What is added to a weight for what somebody has said; all weights together are less than 1."""

_TINY: Final = 1e-6
"""What popularity adds: it orders items that fit equally well, and no others."""

_EPOCH: Final = date(1970, 1, 1)
_FALLBACK_KIND: Final = "view"


class InterestRanking(ItemRanker):
    """Items by the interest in their categories of level 3, 2 and 1, in their tags, and in themselves.

    The score is the sum of each interest's weight times the factor of its level; that of tags is shared by an item's
    tags. Interests are worked out of the events, or given by `inform`, which knows more: searches, pages of categories,
    and what people have said.

    Args:
        factors: Of level 3, 2, 1, tags, and the item itself.
        config: How interests are worked out of events.
    """

    def __init__(
        self,
        factors: tuple[NotNegative, NotNegative, NotNegative, NotNegative, NotNegative] = (1.0, 0.5, 0.25, 0.5, 0.5),
        config: InterestConfig | None = None,
    ) -> None:
        self.factors = factors
        self.config = config

    def _learn(self, known: Interactions) -> None:
        by_level = dict(zip(("3", "2", "1", "tag", "item"), self.factors, strict=True))
        links = _links(known.catalogue).with_columns(
            (pl.col("share") * pl.col("level").replace_strict(by_level, return_dtype=pl.Float64)).alias("factor")
        )
        self.keys_ = links.select("level", "key").unique().sort("level", "key").with_row_index("target")
        links = links.join(self.keys_, on=["level", "key"])
        entries = links.select("row", "target").to_numpy().astype(np.int64).T
        shape = (len(known.items), self.keys_.height)
        self.links_ = sp.csr_matrix((links["factor"].to_numpy(), (entries[0], entries[1])), shape)

    def know(self, known: Interactions) -> Self:
        """Know these people, by their events."""
        super().know(known)
        found = _of_events(known, self.config or InterestConfig())
        return self._set(found.with_columns(pl.lit(None, dtype=pl.String).alias("stance")))

    def inform(self, interests: pl.DataFrame) -> Self:
        """Take these interests instead: `who`, `level`, `key`, `weight`, `stance`."""
        return self._set(interests)

    def _set(self, found: pl.DataFrame) -> Self:
        said = pl.col("stance").replace_strict(_STANCES, default=0.0, return_dtype=pl.Float64).fill_null(0.0)
        rows = found.select(pl.col("who").cast(pl.String), "level", "key", pl.col("weight") + said)
        rows = rows.join(self.keys_, on=["level", "key"])
        self.people_ = rows["who"].unique().sort()
        shape = (len(self.people_), self.keys_.height)
        entries = (codes(rows["who"], self.people_), rows["target"].cast(pl.Int64).to_numpy())
        self.interests_ = sp.csr_matrix((rows["weight"].to_numpy(), entries), shape)
        return self

    def _of(self, people: pl.Series) -> Sparse:
        """The interests of people, none of strangers; shape (people, keys)."""
        stranger = sp.csr_matrix((1, self.keys_.height))
        return sp.vstack([self.interests_, stranger], format="csr")[codes(people, self.people_)]

    def knows(self, profiles: Profiles) -> Bools:
        """Who has interests, or has taken something up; shape (people,)."""
        return (codes(profiles.people, self.people_) >= 0) | super().knows(profiles)

    def evidence(self, profiles: Profiles) -> Floats:
        """Interests times what items are about; shape (people, items)."""
        found: Floats = (self._of(profiles.people) @ self.links_.T).toarray()
        return np.where(found == 0, 0.0, found + _TINY * self.popularity_)

    def reasons(self, profiles: Profiles, rows: Ints, columns: Ints, titles: pl.Series) -> pl.Series:
        """The narrowest category of interest that an item is in, else a tag; the arguments are those of the base."""
        fits = self._of(profiles.people)[rows].multiply(self.links_[columns]).tocoo()
        narrow = self.keys_["level"].replace_strict(_NARROW, return_dtype=pl.Int64).to_numpy()[fits.col]
        best = np.full(len(rows), -1, dtype=np.int64)
        order = np.lexsort((fits.data, narrow, fits.row))
        order = order[fits.data[order] > 0]
        best[fits.row[order]] = fits.col[order]
        words = self._words(titles)
        said = words.gather(np.maximum(best, 0))
        return pl.select(pl.when(pl.Series(best >= 0)).then(said)).to_series()

    def _words(self, titles: pl.Series) -> pl.Series:
        """What is said of each key; an item goes by its title; shape (keys,), one text where there is no key."""
        names = pl.DataFrame({"key": self.known_.items, "title": titles}).with_columns(pl.lit("item").alias("level"))
        keys = self.keys_.join(names, on=["level", "key"], how="left", maintain_order="left")
        said = keys.select(pl.format("fits your interest in {}", pl.coalesce("title", "key")).alias("said"))["said"]
        return said if len(said) else pl.Series([""])


def _links(catalogue: pl.DataFrame) -> pl.DataFrame:
    """What each item is about: `row`, `level`, `key`, `share` (of tags one by their number, else 1)."""
    rows = catalogue.with_row_index("row")
    one = pl.lit(1.0).alias("share")
    found = [rows.select("row", pl.lit("item").alias("level"), pl.col("item").alias("key"), one)]
    for level, name in _LEVELS.items():
        if name in rows.columns:
            there = rows.filter(pl.col(name).is_not_null())
            found.append(there.select("row", pl.lit(level).alias("level"), pl.col(name).alias("key"), one))
    if "tags" in rows.columns:
        tagged = rows.select("row", pl.col("tags").list.unique(maintain_order=True).alias("key"))
        tagged = tagged.with_columns((1 / pl.col("key").list.len()).alias("share")).explode("key", empty_as_null=True)
        tagged = tagged.filter(pl.col("key").is_not_null())
        found.append(tagged.select("row", pl.lit("tag").alias("level"), "key", "share"))
    return pl.concat([each.with_columns(pl.col("row").cast(pl.Int64)) for each in found])


def _of_events(known: Interactions, config: InterestConfig) -> pl.DataFrame:
    """Interests by what people have taken up: an item once, with the time of somebody's newest event of it."""
    entries = known.profiles.weights.tocoo()
    kinds = pl.Series(known.profiles.kinds.data.astype(np.int64) - FIRST_KIND)
    names = pl.select(pl.when(kinds >= 0).then(pl.Series(KINDS).gather(kinds.clip(0)))).to_series()
    by_kind = config.weights.by_kind()
    days = np.where(np.isfinite(known.newest), known.newest, np.nan)
    last = float(np.nanmax(days)) if np.isfinite(days).any() else 0.0
    as_of = (datetime.fromtimestamp(0, UTC) + timedelta(days=last)).date()
    events = pl.DataFrame(
        {
            "who": known.profiles.people.gather(entries.row),
            "date": pl.Series(np.floor(np.nan_to_num(days, nan=last)).astype(np.int32)).cast(pl.Date),
            "kind": names.fill_null(_FALLBACK_KIND),
            "item": known.items.gather(entries.col),
            "category": pl.Series([None] * len(entries.row), dtype=pl.String),
            "term": pl.Series([None] * len(entries.row), dtype=pl.String),
        }
    )
    per_event = events["kind"].replace_strict(by_kind, return_dtype=pl.Float64)
    count = pl.Series(entries.data) / per_event
    events = events.with_columns(pl.when(per_event > 0).then(count).otherwise(0.0).alias("count"))
    return interests(events, _as_catalogue(known.catalogue), config, as_of)


def _as_catalogue(catalogue: pl.DataFrame) -> pl.DataFrame:
    """A catalogue with the columns that interests are made of, empty where it lacks them."""
    texts = [
        name for name in ("title", "level1", "level2", "level3", *_LEVELS.values()) if name not in catalogue.columns
    ]
    found = catalogue.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in texts)
    if "tags" not in found.columns:
        return found.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("tags"))
    return found.with_columns(pl.col("tags").fill_null([]))
