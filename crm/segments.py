"""Named groups of visitors and customers. Several plugins write the table, and every plugin may read it."""

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.errors import UsageError
from crm.nearest import did_you_mean, one_of
from crm.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from crm.workspace import Workspace

VISITOR: Final = "visitor:"
"""Before the id of a visitor who is no known customer."""

SEGMENT_MEMBERS: Final = Table(
    "segment_members",
    "Who belongs to which segment.",
    (
        Column("segment", "string", "name of the segment"),
        Column("who", "string", "a customer, or `visitor:` and the id of a visitor", mask="name"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("segment", "who"),
    person="who",
)


def who() -> "pl.Expr":
    """Whose a session is: its customer, else its visitor."""
    import polars as pl

    return pl.coalesce("customer", pl.format(f"{VISITOR}{{}}", "visitor"))


def members(workspace: "Workspace", segment: str) -> "pl.Series":
    """Who belongs to a segment.

    Raises:
        UsageError: there is no such segment.
    """
    rows = workspace.scan(SEGMENT_MEMBERS.name).collect()
    found = rows.filter(segment=segment)["who"]
    if not len(found):
        known = rows["segment"].unique().sort().to_list()
        none = "there is none yet: `crm customers segment`, `crm push tiers` and `crm paths clusters` make some"
        there = f"there are: {one_of(known)}" if known else none
        raise UsageError(f"no segment `{segment}`{did_you_mean(segment, known)}; {there}")
    return found


def replace(workspace: "Workspace", segments: "Iterable[tuple[str, Iterable[str]]]") -> None:
    """Write the members of some segments, in one transaction; those that these had before go."""
    import polars as pl

    table = workspace.records.table(SEGMENT_MEMBERS.name)
    with workspace.records.begin() as connection:
        for segment, people in segments:
            connection.execute(sa.delete(table).where(table.c.segment == segment))
            rows = pl.DataFrame({"who": people}, schema={"who": pl.String}).select(
                pl.lit(segment).alias("segment"), "who"
            )
            workspace.records.append(connection, SEGMENT_MEMBERS.name, rows)
