"""Merges of customers in the workspace: done, listed and undone, each in one transaction with all that hangs on it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.errors import NothingFound, Refused
from crm.identities import FORMER, IDENTITIES, hashed
from crm.schema import polars_schema
from crm.whose import all_ids
from plugins.customers.contracts import APART, CUSTOMERS, MERGES
from plugins.customers.merging import KEY, as_rows, merge, never_together, without
from plugins.customers.targets import identities

if TYPE_CHECKING:
    from crm.workspace import Workspace

_MERGED: Final = "merged"


def apply(
    workspace: "Workspace", connection: sa.Connection, groups: pl.DataFrame, sure: pl.DataFrame | None
) -> tuple[int, int, int]:
    """Put the records of each group together.

    Args:
        workspace: The workspace.
        connection: To its records, in a transaction.
        groups: `customer` and `person`; a person with one record is left alone.
        sure: `customer` and `probability`, how likely each is of its group; None where a person has said so.

    Returns:
        How many persons were put together, of how many records, and how many groups were left alone because a person
        has told two of their records apart.
    """
    records = workspace.records
    groups, refused = never_together(groups, records.frame(APART.name))
    several = groups.filter(pl.len().over("person") > 1)
    if not several.height:
        return 0, 0, refused
    customers = records.frame(CUSTOMERS.name)
    made = merge(customers, several)
    number = sa.select(sa.func.coalesce(sa.func.max(records.table(MERGES.name).c.merge), 0))
    first = int(connection.execute(number).scalar_one()) + 1
    rows = made.merged.with_columns(
        merge=pl.int_range(first, first + pl.len(), dtype=pl.Int64),
        ts=pl.lit(datetime.now(UTC).replace(tzinfo=None)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        undone=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        probability=pl.lit(None, dtype=pl.Float64),
    )
    if sure is not None:
        likely = sure.select(pl.col(KEY).alias(_MERGED), pl.col("probability").alias("found"))
        rows = rows.join(likely, on=_MERGED, how="left", maintain_order="left").with_columns(
            probability=pl.col("found")
        )
    records.append(connection, MERGES.name, rows.select(*polars_schema(MERGES)))
    records.delete(connection, CUSTOMERS.name, rows.select(pl.col(_MERGED).alias(KEY)))
    records.upsert(connection, CUSTOMERS.name, made.survivors.select(*polars_schema(CUSTOMERS)))
    _move_identities(workspace, connection, rows.select(KEY, _MERGED))
    return made.survivors.height, rows.height + made.survivors.height, refused


def _move_identities(workspace: "Workspace", connection: sa.Connection, moves: pl.DataFrame) -> None:
    """What the merged records were known by is now of those who stay, and their ids are former ones of these."""
    records = workspace.records
    known = records.frame(IDENTITIES.name)
    theirs = known.join(moves, left_on="customer", right_on=_MERGED)
    records.delete(connection, IDENTITIES.name, theirs.select("kind", "hash", "customer"))
    moved = theirs.select("kind", "hash", pl.col("customer_right").alias("customer"))
    former = moves.select(
        pl.lit(FORMER).alias("kind"),
        pl.Series("hash", hashed(workspace.key, FORMER, moves[_MERGED]), dtype=pl.Int64),
        "customer",
    )
    records.upsert(connection, IDENTITIES.name, pl.concat([moved, former]).unique(maintain_order=True))


def undo(workspace: "Workspace", connection: sa.Connection, number: int) -> tuple[str, str]:
    """Take a merge back: the record is there again, and the other is without what it took from it.

    Returns:
        The ids of the customer that stayed and of the one that is there again.

    Raises:
        NothingFound: there is no such merge.
        Refused: it is undone already, or the customer that stayed has been merged into another one since.
    """
    records, table = workspace.records, workspace.records.table(MERGES.name)
    found = records.frame(MERGES.name, where=table.c.merge == number)
    if not found.height:
        raise NothingFound(f"there is no merge {number}; `crm customers merges` lists them")
    row = found.row(0, named=True)
    if row["undone"] is not None:
        raise Refused(f"merge {number} has been undone already")
    people = records.table(CUSTOMERS.name)
    now = records.frame(CUSTOMERS.name, where=people.c.customer == row[KEY])
    if not now.height:
        raise Refused(f"merge {number} cannot be undone: {_why(workspace, row[KEY])}")
    back = as_rows(found["record"], polars_schema(CUSTOMERS))
    rest = without(now, back, row["origins"] or "{}", row[_MERGED])
    records.upsert(connection, CUSTOMERS.name, pl.concat([rest, back]))
    connection.execute(
        sa.update(table).where(table.c.merge == number).values(undone=datetime.now(UTC).replace(tzinfo=None))
    )
    known = records.table(IDENTITIES.name)
    connection.execute(sa.delete(known).where(known.c.customer.in_([row[KEY], row[_MERGED]])))
    for each, own in ((row[KEY], rest), (row[_MERGED], back)):
        records.append(connection, IDENTITIES.name, _all_known(workspace, connection, each, own))
    return row[KEY], row[_MERGED]


def _why(workspace: "Workspace", customer: str) -> str:
    table = workspace.records.table(MERGES.name)
    later = workspace.records.frame(MERGES.name, where=(table.c.merged == customer) & table.c.undone.is_(None))
    if later.height:
        return f"the record that stayed was itself put to another by merge {later['merge'][-1]}; undo that first"
    return "the record that stayed is no longer there"


def _all_known(workspace: "Workspace", connection: sa.Connection, customer: str, own: pl.DataFrame) -> pl.DataFrame:
    """By what a customer is known: by its own row, and by the rows and ids of all records that were put to it."""
    records, table = workspace.records, workspace.records.table(MERGES.name)
    parts, waiting = [identities(workspace, own)], [customer]
    while waiting:
        here = waiting.pop()
        rows = connection.execute(
            sa.select(table.c.merge, table.c.merged).where(table.c.customer == here, table.c.undone.is_(None))
        ).all()
        for merge_number, merged in rows:
            held = records.frame(MERGES.name, where=table.c.merge == merge_number)
            theirs = identities(workspace, as_rows(held["record"], polars_schema(CUSTOMERS)))
            (former,) = hashed(workspace.key, FORMER, [merged])
            alias = pl.DataFrame({"kind": [FORMER], "hash": [former], "customer": [customer]}, schema=theirs.schema)
            parts += [theirs.with_columns(pl.lit(customer).alias("customer")), alias]
            waiting.append(merged)
    return pl.concat(parts).unique(maintain_order=True)


def logins(workspace: "Workspace", customer: str) -> list[str]:
    """The names by which a customer logs in, also those of the records that were put to it."""
    records = workspace.records
    people, table = records.table(CUSTOMERS.name), records.table(MERGES.name)
    found = records.frame(CUSTOMERS.name, columns=["login"], where=people.c.customer == customer)["login"].to_list()
    with records.engine.connect() as connection:
        ids = all_ids(workspace, connection, customer)
    held = records.frame(MERGES.name, columns=["record"], where=table.c.customer.in_(ids) & table.c.undone.is_(None))
    rows = as_rows(held["record"], polars_schema(CUSTOMERS))
    return list(dict.fromkeys(name for name in (*found, *rows["login"]) if name is not None))
