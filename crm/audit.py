"""The audit log: who did what to personal data and when, each entry chained to the one before by a hash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from crm.access import user
from crm.tables import Column, Table

if TYPE_CHECKING:
    from crm.app import App
    from crm.records import Records

AUDIT = Table(
    "audit",
    "Who did what to personal data, and when; append-only, each entry chained to the one before.",
    (
        Column("entry", "int64", "number of the entry, from 1"),
        Column("ts", "timestamp", "when"),
        Column("who", "string", "the operating system's user"),
        Column("action", "string", "what was done: unmask, ..."),
        Column("what", "string", "to which table and columns"),
        Column("rows", "int64", "how many rows it concerned; null where nobody could know before", unit="rows"),
        Column("hash", "string", "SHA-256 of this entry and of the hash before it"),
    ),
    owner="crm",
    store="records",
    by_date=False,
    key=("entry",),
)


def record(app: "App", action: str, what: str, count: int | None) -> None:
    """Append an entry to the workspace's audit log; without a workspace there is nothing to protect.

    Args:
        app: The run of the program.
        action: What was done.
        what: To which table and columns.
        count: How many rows it concerned; None if that is not known.

    Raises:
        Unusable: the workspace cannot be used, so nothing may be shown that would have to be recorded.
    """
    if not (app.workspace_path / "version").exists():
        return
    records = app.workspace().records
    with records.begin() as connection:
        append(connection, records.table(AUDIT.name), action, what, count)


def append(connection: sa.Connection, table: sa.Table, action: str, what: str, count: int | None) -> int:
    """Append an entry within a transaction, so that a change and its entry are stored together.

    Args:
        connection: To the records, in a transaction that writes (`Records.begin`).
        table: The audit log: `records.table(AUDIT.name)`.
        action: What was done.
        what: To which table and columns; never a personal value.
        count: How many rows it concerned; None if that is not known.

    Returns:
        The number of the entry.
    """
    last = connection.execute(sa.select(table.c.entry, table.c.hash).order_by(table.c.entry.desc()).limit(1)).first()
    number, before = (int(last.entry) + 1, str(last.hash)) if last else (1, "")
    now = datetime.now(UTC).replace(tzinfo=None)
    fields = (number, now, _storable(user()), _storable(action), _storable(what), count)
    row = dict(zip(_COVERED, fields, strict=True))
    connection.execute(table.insert().values(**row, hash=_hash(before, fields)))
    return number


_COVERED: Final = tuple(column.name for column in AUDIT.columns if column.name != "hash")
"""The columns that the hash of an entry covers, together with the hash before it."""


def _storable(text: str) -> str:
    """A text as every database keeps it, so that the hash covers what is stored; names of files may be any bytes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _hash(before: str, fields: Sequence[object]) -> str:
    """SHA-256 of an entry and of the hash before it."""
    texts = (each.isoformat() if isinstance(each, datetime) else str(each) for each in fields)
    return sha256("\0".join([before, *texts]).encode()).hexdigest()


@dataclass(frozen=True)
class Checked:
    """What a check of the whole log has found.

    Attributes:
        entries: How many entries there are.
        head: The hash of the last one; empty without any. Kept elsewhere, it proves later that nothing was cut off.
        broken: What is wrong with the first entry that is; None if nothing is.
    """

    entries: int
    head: str
    broken: str | None = None


def check(rows: Iterable[Sequence[object]], head: str | None = None) -> Checked:
    """See that nothing was changed, taken out, put in, reordered, or, if a hash is given, cut off.

    Args:
        rows: The entries by number: the columns of the table in their order, times without a zone.
        head: The hash of an entry, as it was noted elsewhere.
    """
    before, count, heads = "", 0, {head} if head else set()
    for *fields, digest in rows:
        count += 1
        if fields[0] != count:
            return Checked(count, before, f"entry {count} is missing")
        if digest != _hash(before, fields):
            wrong = f"entry {count} was changed, or is not the one that followed entry {count - 1}"
            return Checked(count, before, wrong if count > 1 else "entry 1 was changed, or is not the first one")
        before = str(digest)
        heads.discard(before)
    return Checked(
        count, before, "no entry has the hash given: entries were cut off, or all written anew" if heads else None
    )


def verify(records: "Records", head: str | None = None) -> Checked:
    """Check the audit log of some records; the arguments and the result are those of `check`."""
    table = records.table(AUDIT.name)
    statement = sa.select(*(table.c[column.name] for column in AUDIT.columns)).order_by(table.c.entry)
    with records.engine.connect() as connection:
        return check(connection.execute(statement), head)
