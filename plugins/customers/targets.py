"""The tables of this plugin as targets of an import: their fields, keys, and what is written with them."""

from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.consents import CONSENTS as CONSENTS_TABLE
from crm.forgotten import is_forgotten
from crm.identities import IDENTITIES, hashed
from crm.judging import Target
from plugins.customers.completing import as_they_are, customer_ids, order_ids
from plugins.customers.contracts import CUSTOMERS as CUSTOMERS_TABLE
from plugins.customers.contracts import ORDERS as ORDERS_TABLE
from plugins.customers.contracts import SURVEYS as SURVEYS_TABLE
from plugins.customers.fields import CONSENT_FIELDS, CUSTOMER_FIELDS, ORDER_FIELDS, SURVEY_FIELDS

if TYPE_CHECKING:
    from crm.workspace import Workspace

KNOWN_BY: Final = ("email", "idnumber", "login", "phone")
"""Fields of a customer that identities are made of, in the order in which they are stored."""
_SLICE: Final = 50_000
_ASKED: Final = 2_000
"""For so many customers is asked at once; a statement of SQLite has 32,766 parameters at most."""


def identities(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """By what customers are known, sorted as it is stored.

    Args:
        workspace: The workspace, whose key hashes.
        rows: Customers, with their fields.
    """
    return pl.concat(_of_kind(workspace, rows, kind) for kind in KNOWN_BY)


def _of_kind(workspace: "Workspace", rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    known = rows.select("customer", kind).drop_nulls()
    hashes = _hashes(workspace.key, kind, known[kind])
    return known.select(pl.lit(kind).alias("kind"), hashes, "customer").sort("hash", "customer")


def _hashes(key: bytes, kind: str, values: pl.Series) -> pl.Series:
    """The keyed hashes of values, slice by slice: as Python's objects, all of them would take much room."""
    none = pl.Series("hash", [], dtype=pl.Int64)
    slices = (values[at : at + _SLICE] for at in range(0, len(values), _SLICE))
    return pl.concat([none, *(pl.Series("hash", hashed(key, kind, part.to_list()), dtype=pl.Int64) for part in slices)])


def write_identities(workspace: "Workspace", connection: sa.Connection, rows: pl.DataFrame, known: pl.Series) -> None:
    """Write by what customers are known, in place of what they were known by before."""
    who = rows.select("customer", *KNOWN_BY)
    if known.any():
        _replace(workspace, connection, who.filter(known))
        who = who.filter(~known)
    for kind in KNOWN_BY:  # one after the other, which takes less room than all at once
        workspace.records.append(connection, IDENTITIES.name, _of_kind(workspace, who, kind))


def _replace(workspace: "Workspace", connection: sa.Connection, rows: pl.DataFrame) -> None:
    """The same of customers who are there; what has not changed is not written."""
    records, key = workspace.records, list(IDENTITIES.key)
    there, now = _known_by(workspace, connection, rows["customer"]), identities(workspace, rows)
    records.delete(connection, IDENTITIES.name, there.join(now, on=key, how="anti"))
    records.append(connection, IDENTITIES.name, now.join(there, on=key, how="anti", maintain_order="left"))


def _known_by(workspace: "Workspace", connection: sa.Connection, customers: pl.Series) -> pl.DataFrame:
    """By what customers are known now, former ids apart.

    They are asked for by id alone: asked for kinds too, SQLite would look through all of a kind for each of them.
    """
    column = workspace.records.table(IDENTITIES.name).c.customer
    parts = [
        workspace.records.frame(IDENTITIES.name, where=column.in_(some.to_list()), connection=connection)
        for some in (customers[at : at + _ASKED] for at in range(0, len(customers), _ASKED))
    ]
    return pl.concat(parts).filter(pl.col("kind").is_in(KNOWN_BY))


CUSTOMERS: Final = Target(
    CUSTOMERS_TABLE, "customer", CUSTOMER_FIELDS, customer_ids, barred=is_forgotten, written=write_identities
)
ORDERS: Final = Target(ORDERS_TABLE, "order", ORDER_FIELDS, order_ids, barred=is_forgotten)
SURVEYS: Final = Target(SURVEYS_TABLE, "answer", SURVEY_FIELDS, as_they_are, barred=is_forgotten)
CONSENTS: Final = Target(CONSENTS_TABLE, "consent", CONSENT_FIELDS, as_they_are, barred=is_forgotten)
