"""The list of people who were forgotten: keyed hashes of what they alone were known by.

By it an import knows them, and they are erased again when a backup has brought them back (`crm.forgetting`). It tells
nothing without the workspace's key.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.audit import AUDIT, append
from crm.identities import FORMER, hashed
from crm.tables import Column, Table
from crm.whose import forms

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace

FORGOTTEN: Final = Table(
    "forgotten",
    "Who was forgotten: keyed hashes of what they were known by, so that they are known if they come back.",
    (
        Column("kind", "string", "what it is: customer for an id, login, phone, email or idnumber"),
        Column("hash", "int64", "keyed BLAKE2b of the value, 63 bits"),
        Column("ts", "timestamp", "when the person was forgotten"),
        Column("entry", "int64", "number of the entry of the audit log that tells of it"),
        Column("tables", "string", "how many rows that concerned, by table, as a JSON object"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("kind", "hash"),
)

_KINDS: Final = (FORMER, "login", "phone", "email", "idnumber")


def is_forgotten(workspace: "Workspace", rows: "pl.DataFrame") -> "pl.Series":
    """Which rows are of people who were forgotten, one boolean a row.

    A row is, if its `customer` was; or if its login, phone, e-mail or id number was that of such a person alone, and
    its `customer` is nobody who is there: a number may have passed to somebody else in the family.

    Args:
        workspace: The workspace.
        rows: `customer`, and any of `login`, `phone`, `email`, `idnumber`, as they are stored.
    """
    import polars as pl

    from crm.erasing import customers_among

    barred = pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows.height)
    known = listed(workspace)
    alike = barred
    for kind in _KINDS:
        if kind in rows.columns and kind in known:
            found = among(workspace, kind, rows[kind], known[kind])
            barred, alike = (barred | found, alike) if kind == FORMER else (barred, alike | found)
    suspects = alike & ~barred
    if not suspects.any():
        return barred
    ids = rows.filter(suspects)[FORMER].drop_nulls().unique().to_list()
    with workspace.records.engine.connect() as connection:
        there = customers_among(workspace.records, connection, ids)
    return barred | (suspects & ~rows[FORMER].is_in(list(there)).fill_null(False))


def listed(workspace: "Workspace") -> dict[str, list[int]]:
    """The hashes of those who were forgotten, by kind."""
    rows = workspace.records.frame(FORGOTTEN.name, columns=["kind", "hash"])
    return {str(kind): found["hash"].to_list() for (kind,), found in rows.group_by("kind")}


def among(workspace: "Workspace", kind: str, values: "pl.Series", wanted: Sequence[int]) -> "pl.Series":
    """Which values have one of some hashes."""
    import polars as pl

    distinct = values.drop_nulls().unique()
    hashes = pl.Series(hashed(workspace.key, kind, distinct), dtype=pl.Int64)
    return values.is_in(distinct.filter(hashes.is_in(list(wanted))).implode()).fill_null(False)


def was_forgotten(workspace: "Workspace", text: str, region: str = "CN") -> bool:
    """Whether what is written, an id, say, or a phone number in any writing, was that of somebody who was forgotten."""
    with workspace.records.engine.connect() as connection:
        return bool(_entries(workspace, connection, text, region))


def readmit(workspace: "Workspace", texts: Iterable[str], region: str = "CN") -> int:
    """Take people off the list of those who were forgotten, by anything that they were known by; returns how many.

    What was erased stays so; but an import takes these people again.
    """
    records = workspace.records
    table = records.table(FORGOTTEN.name)
    with records.begin() as connection:
        entries = {entry for text in texts for entry in _entries(workspace, connection, text, region)}
        if entries:
            gone = connection.execute(sa.delete(table).where(table.c.entry.in_(sorted(entries)))).rowcount
            which = ", ".join(map(str, sorted(entries)))
            append(connection, records.table(AUDIT.name), "readmit", f"forgotten by entry {which}", gone)
    return len(entries)


def _entries(workspace: "Workspace", connection: sa.Connection, text: str, region: str) -> set[int]:
    """The entries of the audit log by which a person was forgotten who was known by a text."""
    table = workspace.records.table(FORGOTTEN.name)
    writings = list(dict.fromkeys([text, text.strip(), *forms(text, region)]))
    ways = [sa.and_(table.c.kind == kind, table.c.hash.in_(hashed(workspace.key, kind, writings))) for kind in _KINDS]
    return set(connection.execute(sa.select(table.c.entry).where(sa.or_(*ways))).scalars())


def take(workspace: "Workspace", rows: "pl.DataFrame") -> int:
    """Put those whom another list has, of the same workspace at another time, on this one; returns how many hashes.

    Args:
        workspace: The workspace.
        rows: The table `forgotten` of the other.

    Raises:
        PolarsError: they are no such table.
    """
    import polars as pl

    from crm.schema import polars_schema

    records = workspace.records
    if rows.schema.get("ts") == pl.String:
        rows = rows.with_columns(pl.col("ts").str.to_datetime(time_unit="us", time_zone="UTC"))
    given = rows.select(pl.col(name).cast(kind) for name, kind in polars_schema(FORGOTTEN).items())
    gaps = pl.any_horizontal(pl.col("kind", "hash", "ts", "entry").is_null())
    if given.filter(gaps | ~pl.col("kind").is_in(_KINDS)).height:
        raise pl.exceptions.InvalidOperationError("a row that no list of people has")
    with records.begin() as connection:
        there = records.frame(FORGOTTEN.name, columns=["kind", "hash"], connection=connection)
        new = given.join(there, on=["kind", "hash"], how="anti").unique(["kind", "hash"], keep="first")
        if new.height:
            records.append(connection, FORGOTTEN.name, new)
            append(connection, records.table(AUDIT.name), "take", "a list of who was forgotten", new.height)
    return new.height
