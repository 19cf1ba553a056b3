"""By what a customer is known: names and numbers as keyed hashes, so that they are found without being readable.

A row says that what has this hash is of this customer. Kinds are `customer` (an id that the customer had before a
merge), `login`, `phone`, `email` and `idnumber`. Values are hashed as they are stored: in NFKC, phones in E.164,
e-mail addresses in small letters.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.tables import Column, Table

if TYPE_CHECKING:
    import polars as pl

    from crm.workspace import Workspace

IDENTITIES: Final = Table(
    "identities",
    "By what each customer is known, as keyed hashes.",
    (
        Column("kind", "string", "what it is: login, phone, email, idnumber, or customer for an id before a merge"),
        Column("hash", "int64", "keyed BLAKE2b of the value, 63 bits"),
        Column("customer", "string", "id of the customer", mask="name"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("kind", "hash", "customer"),
    indexes=(("customer",),),
    person="customer",
)

FORMER: Final = "customer"
"""The kind of an id that a customer had before a merge."""

_BITS: Final = 63


def hashed(key: bytes, kind: str, values: "Iterable[str | None]") -> list[int | None]:
    """Keyed hashes of values of one kind; null of null.

    Args:
        key: The workspace's key.
        kind: One of the kinds of identities; equal values of two kinds have nothing in common.
        values: As they are stored.
    """
    base = blake2b(digest_size=8, key=key, person=b"identity", salt=kind.encode()[:16])

    def one(value: str) -> int:
        state = base.copy()
        state.update(value.encode())
        return int.from_bytes(state.digest(), "big") >> (64 - _BITS)

    return [None if value is None else one(value) for value in values]


def find(workspace: "Workspace", connection: sa.Connection, kinds: "Iterable[str]", value: str) -> list[str]:
    """The customers that are known by a value, sorted.

    Args:
        workspace: The workspace, whose key is used.
        connection: To its records.
        kinds: As which kinds it may be known.
        value: As it is stored.
    """
    table = workspace.records.table(IDENTITIES.name)
    found: set[str] = set()
    for kind in kinds:
        (number,) = hashed(workspace.key, kind, [value])
        found |= set(
            connection.execute(
                sa.select(table.c.customer).where(table.c.kind == kind, table.c.hash == number)
            ).scalars()
        )
    return sorted(found)


def current_ids(workspace: "Workspace", ids: "pl.Series") -> "pl.Series":
    """Ids of customers as they are now: those that were merged into others become these.

    Args:
        workspace: The workspace.
        ids: Ids as orders, logs and others have them; null stays null.
    """
    import polars as pl

    if IDENTITIES.name not in workspace.tables:
        return ids
    table = workspace.records.table(IDENTITIES.name)
    with workspace.records.engine.connect() as connection:
        rows = connection.execute(sa.select(table.c.hash, table.c.customer).where(table.c.kind == FORMER)).all()
    if not rows:
        return ids
    former: dict[int | None, str] = dict(tuple(row) for row in rows)
    own = ids.unique().drop_nulls().to_list()
    now = {
        each: former[number]
        for each, number in zip(own, hashed(workspace.key, FORMER, own), strict=True)
        if number in former
    }
    return ids.replace(pl.Series(list(now), dtype=pl.String), pl.Series(list(now.values()), dtype=pl.String))
