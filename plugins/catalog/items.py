"""Rows of files -> items of the catalogue: paths of categories taken apart, tags in one form, and what is wrong."""

from typing import TYPE_CHECKING, Final

import polars as pl

from crm.catalog import CATALOG, LEVELS, SEPARATOR, TAG_SEPARATOR
from crm.judging import Target
from plugins.catalog.fields import CATEGORY, FIELDS

if TYPE_CHECKING:
    from crm.workspace import Workspace

_BETWEEN: Final = r"\s*(?:->|[/>|›»→])\s*"
"""Signs between the names of a path, once letters of full width have become ordinary ones."""
_TAGS: Final = r"[|,;、]"
_STAND_IN: Final = "∕"
"""Stands for the separator of paths within a name."""


def completed(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Items with their categories as names of levels, and with their tags in one form.

    Args:
        rows: With all fields. Where no level is named, the path in `category` is taken apart.
    """
    named = pl.any_horizontal(pl.col(LEVELS).is_not_null())
    parts = pl.col(CATEGORY.name).str.replace_all(_BETWEEN, SEPARATOR).str.strip_chars(SEPARATOR).str.split(SEPARATOR)
    levels = [
        pl.when(named)
        .then(pl.col(name).str.replace_all(SEPARATOR, _STAND_IN, literal=True))
        .otherwise(parts.list.get(at, null_on_oob=True).str.strip_chars())
        .replace("", None)
        .alias(name)
        for at, name in enumerate(LEVELS)
    ]
    deep = pl.when(named).then(0).otherwise(parts.list.len()).fill_null(0).alias(_DEPTH)
    return rows.with_columns(*levels, deep, _tags())


_DEPTH: Final = " depth"


def _tags() -> pl.Expr:
    each = pl.col("tags").str.replace_all(_TAGS, TAG_SEPARATOR).str.split(TAG_SEPARATOR)
    bare = each.list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls().unique(maintain_order=True))
    return bare.list.join(TAG_SEPARATOR).replace("", None).alias("tags")


def faults(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """What is wrong with items: `row` (index), `column`, `reason`, `severity` (reject or warn).

    Args:
        rows: As `completed` has made them.
    """
    one, two, three = (pl.col(name) for name in LEVELS)
    return pl.concat(
        rows.with_row_index("row")
        .filter(wrong)
        .select(
            pl.col("row").cast(pl.UInt32),
            column=pl.lit(column),
            reason=pl.lit(reason),
            severity=pl.lit(severity),
        )
        for column, wrong, reason, severity in (
            (CATEGORY.name, pl.col(_DEPTH) > len(LEVELS), "has more than three levels", "reject"),
            ("level2", two.is_not_null() & one.is_null(), "has no category of level 1 above it", "reject"),
            ("level3", three.is_not_null() & two.is_null(), "has no category of level 2 above it", "reject"),
            ("level3", (three == one) & (three != two), "is a category within itself", "reject"),
            ("until", pl.col("until") <= pl.col("since"), "is not after `since`", "reject"),
            ("price", pl.col("price") < 0, "is less than nothing", "reject"),
            ("level1", one.is_null(), "without a category, so no interest in one leads to it", "warn"),
        )
    )


CATALOG_TARGET: Final = Target(CATALOG, "item", FIELDS, completed, check=faults)
