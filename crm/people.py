"""Names in logs -> the people they are: an id as it is now, else the one customer who has this login.

Links are looked up whenever rows are read, so what a visitor did before the first login joins the customer by itself.
"""

from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.identities import FORMER, IDENTITIES, hashed
from crm.segments import VISITOR

if TYPE_CHECKING:
    from crm.workspace import Workspace

_LOGIN: Final = "login"


def owners(workspace: "Workspace", names: pl.Series, ids: pl.Series | None = None) -> pl.DataFrame:
    """Who is meant by names as sessions have them.

    Args:
        workspace: The workspace.
        names: Logins, or ids of customers; shape (names,).
        ids: The ids of customers that there are; None for those of the table of customers.

    Returns:
        `customer`, a name, and `who` it is; without names that no customer has. A login of two customers tells neither.
    """
    rest = names.alias("customer").drop_nulls().unique().to_frame()
    if IDENTITIES.name not in workspace.tables:  # the plugin that keeps customers is not loaded
        return pl.DataFrame(schema={"customer": pl.String, "who": pl.String})
    if ids is None:
        ids = workspace.records.frame("customers", columns=["customer"])["customer"]
    by_id = rest.join(ids.alias("customer").to_frame(), on="customer").select(
        "customer", pl.col("customer").alias("who")
    )
    rest = rest.join(by_id, on="customer", how="anti")
    known = _known(workspace)
    found = [by_id]
    for kind in (_LOGIN, FORMER):
        numbers = pl.Series("hash", hashed(workspace.key, kind, rest["customer"]), dtype=pl.Int64)
        of_kind = known.filter(kind=kind).unique("hash", keep="none")
        some = rest.with_columns(numbers).join(of_kind, on="hash").select("customer", pl.col("owner").alias("who"))
        found.append(some)
        rest = rest.join(some, on="customer", how="anti")
    return pl.concat(found)


def _known(workspace: "Workspace") -> pl.DataFrame:
    table = workspace.records.table(IDENTITIES.name)
    wanted = sa.select(table.c.kind, table.c.hash, table.c.customer).where(table.c.kind.in_([_LOGIN, FORMER]))
    with workspace.records.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(wanted).all()]
    return pl.DataFrame(rows, {"kind": pl.String, "hash": pl.Int64, "owner": pl.String}, orient="row")


def whose(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of visitors with a column `who`: the customer who is meant, else `visitor:` and the visitor's id.

    A row with a login is the customer's who has it; a login that no customer has stands for itself. A row without one
    is the customer's as whom the visitor has logged in, if that is one alone: of several nobody can tell whose it was.

    Args:
        workspace: The workspace.
        rows: With `visitor` and `customer` (the login of the session, null without one).
    """
    pairs = rows.select("visitor", "customer").unique()
    known = owners(workspace, pairs["customer"])
    named = pairs.filter(pl.col("customer").is_not_null()).join(known, on="customer", how="left")
    named = named.with_columns(pl.coalesce("who", "customer"))
    alone = named.select("visitor", pl.col("who").alias("alone")).unique().unique("visitor", keep="none")
    links = (
        pairs.join(named, on=["visitor", "customer"], how="left")
        .join(alone, on="visitor", how="left")
        .select(
            "visitor",
            "customer",
            pl.coalesce("who", "alone", pl.format(f"{VISITOR}{{}}", "visitor")).alias("who"),
        )
    )
    return rows.join(links, on=["visitor", "customer"], how="left", nulls_equal=True, maintain_order="left")
