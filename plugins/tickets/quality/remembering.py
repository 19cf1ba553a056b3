"""What early warnings were told before: since when each cell stands out, and which ones are new."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from plugins.tickets.contracts import WARNINGS

if TYPE_CHECKING:
    from crm.workspace import Workspace

_KEY: Final = ("kind", "cell")


def told_before(workspace: "Workspace") -> pl.DataFrame:
    """`kind`, `cell`, `first` of the cells that stood out before."""
    return workspace.records.frame(WARNINGS.name, columns=[*_KEY, "first"])


def with_first(found: pl.DataFrame, before: pl.DataFrame, moment: datetime) -> pl.DataFrame:
    """Warnings with `new` and `first`, the new ones first.

    Args:
        found: `kind`, `cell` and others.
        before: What stood out before (`told_before`).
        moment: Until when tickets were looked at.
    """
    joined = found.join(before, on=_KEY, how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("first").is_null().alias("new"), pl.col("first").fill_null(pl.lit(moment)).alias("first")
    ).sort("new", descending=True, maintain_order=True)


def remember(workspace: "Workspace", found: pl.DataFrame, moment: datetime) -> None:
    """Keep that these cells stand out; who has kept one of them meanwhile keeps its first time.

    Args:
        workspace: The workspace.
        found: `kind`, `cell`, `lift`.
        moment: Until when tickets were looked at.
    """
    records = workspace.records
    with records.begin() as connection:
        before = records.frame(WARNINGS.name, columns=[*_KEY, "first", "last"], connection=connection)
        rows = (
            found.select(*_KEY, "lift")
            .join(before, on=_KEY, how="left")
            .with_columns(
                pl.min_horizontal("first", pl.lit(moment)).alias("first"),
                pl.max_horizontal("last", pl.lit(moment)).alias("last"),
            )
        )
        records.upsert(connection, WARNINGS.name, rows.select("kind", "cell", "first", "last", "lift"))
