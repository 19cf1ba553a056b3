"""Secret values of all records brought into line with the configuration: encrypted, decrypted, or under a new key.

A new key waits beside the one in use (`crm.secrets.NEXT`) until all values are under it; both are tried meanwhile, so
nothing is lost whenever this is interrupted, and the next call goes on with it.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from crm.audit import AUDIT, append
from crm.errors import Unusable, UsageError
from crm.records import MARKS, Records
from crm.secrets import KEY_BYTES, NEXT, OLD, PREFIX, Cipher, key_file, read_key, sync_folder, write_key
from crm.storage.rows import outgoing
from crm.workspace import FIELD_KEY, key_mark

if TYPE_CHECKING:
    from crm.tables import Table
    from crm.workspace import Workspace


def encrypt(workspace: "Workspace", new: Path | None = None) -> dict[str, int]:
    """Bring all secret values into line; the caller holds the workspace's lock.

    Args:
        workspace: The workspace; its configuration says whether values are encrypted.
        new: File of a key that takes the place of the one in use; made if it is missing, and gone afterwards.

    Returns:
        How many rows that changed, by table.

    Raises:
        UsageError: there shall be a new key, and nothing is encrypted.
        Unusable: a key cannot be read or written, or another change of the key was interrupted.
    """
    file = key_file(workspace.path, workspace.protection)
    coming = file.with_name(file.name + NEXT)
    if new is not None:
        _prepare(workspace, new, coming)
    key = read_key(coming) if coming.exists() else None
    workspace.__dict__.pop("cipher", None)  # what was read before the new key was there
    wanted = (Cipher(key, str(coming)) if key else workspace.cipher) if workspace.protection.encrypt else None
    changed = _in_one(workspace, wanted)
    if key is not None:
        _in_place(file, coming, new)
        workspace.__dict__.pop("cipher", None)
    return changed


def _prepare(workspace: "Workspace", new: Path, coming: Path) -> None:
    """Put the new key beside the one in use."""
    if not workspace.protection.encrypt:
        raise UsageError(
            "--key-file is for values that are encrypted; `protection.encrypt` in the configuration is off"
        )
    if new.resolve() == key_file(workspace.path, workspace.protection).resolve():
        raise UsageError(f"--key-file: {new} holds the key in use; name another file")
    if coming.exists() and (not new.exists() or read_key(coming) != read_key(new)):
        raise Unusable(
            f"a change to the key in {coming} was interrupted; end it by `crm customers encrypt` without --key-file"
        )
    if not new.exists():
        write_key(new, secrets.token_bytes(KEY_BYTES))
    key = read_key(new)
    if workspace.cipher is not None and workspace.cipher.key == key:
        raise UsageError(f"--key-file: {new} holds the key in use")
    write_key(coming, key)


def _in_place(file: Path, coming: Path, new: Path | None) -> None:
    """Put the new key into its place; the old one stays beside it under another name, for old backups."""
    mark = Cipher(read_key(file)).prefix.removeprefix(PREFIX).replace("/", "_").replace("+", "-")
    write_key(file.with_name(f"{file.name}{OLD}{mark}"), read_key(file))
    coming.replace(file)
    sync_folder(file.parent)
    if new is not None:
        new.unlink(missing_ok=True)


def _in_one(workspace: "Workspace", wanted: Cipher | None) -> dict[str, int]:
    """Change all values in one transaction for each place where records are."""
    changed: dict[str, int] = {}
    if workspace.local is not workspace.records:
        with workspace.local.begin() as connection:
            changed |= _all_tables(workspace.local, connection, wanted)
    records = workspace.records
    with records.begin() as connection:
        changed |= _all_tables(records, connection, wanted)
        what = ", ".join(f"{name} {count}" for name, count in changed.items()) or "nothing to change"
        action = "decrypt" if wanted is None else "encrypt"
        append(connection, records.table(AUDIT.name), action, what, sum(changed.values()))
        if records.shared:
            _mark(connection, wanted)
    return changed


def _mark(connection: sa.Connection, wanted: Cipher | None) -> None:
    """Say to other workspaces that share these records which key they need."""
    connection.execute(sa.delete(MARKS).where(MARKS.c.name == FIELD_KEY))
    if wanted is not None:
        connection.execute(sa.insert(MARKS).values(name=FIELD_KEY, mark=key_mark(wanted.key)))


def _all_tables(records: Records, connection: sa.Connection, wanted: Cipher | None) -> dict[str, int]:
    counts = {name: _table(records, connection, contract, wanted) for name, contract in records.contracts.items()}
    return {name: count for name, count in counts.items() if count}


def _table(records: Records, connection: sa.Connection, contract: "Table", wanted: Cipher | None) -> int:
    """Write the rows anew of which a value is not as it should be.

    They are read by a connection of its own, which sees the table as it was before.
    """
    secret = [column.name for column in contract.columns if column.secret]
    if not secret:
        return 0
    table, count = records.table(contract.name), 0
    rule = sa.or_(*(_wrong(table.c[name], wanted) for name in secret))
    with records.snapshot() as reader:
        columns = [*contract.key, *secret]
        for rows in records.batches(contract.name, columns=columns, where=rule, connection=reader):
            records.database.write(connection, table, outgoing(contract, rows, wanted), "update")
            count += rows.height
    return count


def _wrong(column: sa.ColumnElement[str], wanted: Cipher | None) -> sa.ColumnElement[bool]:
    """Whether a value is not sealed as it should be."""
    if wanted is None:
        return sa.func.substr(column, 1, len(PREFIX)) == PREFIX
    return sa.func.substr(column, 1, len(wanted.prefix)) != wanted.prefix


def sealed(workspace: "Workspace") -> Mapping[str, int]:
    """How many rows of each table have a sealed value."""
    counts: dict[str, int] = {}
    for records in dict.fromkeys((workspace.records, workspace.local)):
        for name, contract in records.contracts.items():
            table = records.table(name)
            rules = [_wrong(table.c[column.name], None) for column in contract.columns if column.secret]
            if rules:
                query = sa.select(sa.func.count()).select_from(table).where(sa.or_(*rules))
                with records.engine.connect() as connection:
                    counts[name] = connection.execute(query).scalar_one()
    return counts
