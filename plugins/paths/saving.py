"""Clusters of visitors, kept as segments `NAME-1`, `NAME-2`, ..."""

import re
from typing import TYPE_CHECKING

import polars as pl

from crm import segments
from crm.errors import UsageError

if TYPE_CHECKING:
    from crm.workspace import Workspace


def check_name(name: str) -> None:
    """See whether segments can be called after this.

    Raises:
        UsageError: they cannot.
    """
    if not re.fullmatch(r"\w(?:[\w.-]*\w)?", name):
        raise UsageError(f"--save: `{name}` is no name for segments; write letters, digits, and _ . - between them")


def save(workspace: "Workspace", name: str, visitors: pl.DataFrame) -> list[str]:
    """Make each cluster a segment; those that an earlier call has made under this name go. Returns their names.

    Args:
        workspace: The workspace, which nobody else may be writing to.
        name: What the names of the segments begin with.
        visitors: `cluster` (from 1) and `visitor`, a row each.

    Raises:
        Locked: somebody else is writing.
    """
    who = pl.format(f"{segments.VISITOR}{{}}", "visitor").alias("who")
    found = visitors.select(pl.format(f"{name}-{{}}", "cluster").alias("segment"), who)
    groups = dict(found.group_by("segment", maintain_order=True).agg("who").iter_rows())
    with workspace.lock():
        known = workspace.scan(segments.SEGMENT_MEMBERS.name).select(pl.col("segment").unique()).collect()["segment"]
        earlier = known.filter(known.str.contains(rf"^{re.escape(name)}-\d+$")).to_list()
        segments.replace(workspace, {**dict.fromkeys(earlier, ()), **groups}.items())
    return list(groups)
