"""A workspace -> a backup of it: records and lake as they are at one moment."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from crm import __version__
from crm.audit import AUDIT, verify
from crm.errors import Unusable
from crm.records import Records
from crm.secrets import key_file
from crm.workspace import RECORDS_FILE, Workspace
from plugins.backup.archive import PART, Copies, Writer, part_of
from plugins.backup.content import LOG, data_files, lake_tables, of_lake, of_records
from plugins.backup.manifest import FORMAT, Contents, Manifest

FIELD_KEY: Final = "field.key"
CONFIG: Final = "crm.yaml"
_NOT_COPIED: Final = ("lake", "lock")


@dataclass(frozen=True)
class Made:
    """A backup that was made.

    Attributes:
        files: Where it is.
        failed: Where it could not be written, with the reasons.
        size: Its bytes.
        sha256: Their sum.
        manifest: What is in it.
        removed: Old backups that made way for it.
    """

    files: list[Path]
    failed: dict[Path, str]
    size: int
    sha256: str
    manifest: Manifest
    removed: list[Path]


def mark_of(key: bytes) -> str:
    """What the backups of a workspace have in their names: a mark of its key."""
    return blake2b(b"backup", digest_size=4, key=key).hexdigest()


def create(
    workspace: Workspace, targets: list[Path], config: Path | None, *, with_field_key: bool, keep: int | None
) -> Made:
    """Back up a workspace; whoever calls holds its lock, so that nobody changes the lake meanwhile.

    Args:
        workspace: The workspace.
        targets: Folders, each of which gets a copy.
        config: The configuration in force, which goes in; None for none.
        with_field_key: Whether the key of encrypted values goes in.
        keep: How many backups of this workspace each folder keeps; None for all.

    Raises:
        Unusable: something cannot be read, or no folder can be written.
    """
    _check(workspace, targets)
    mark, now = mark_of(workspace.key), datetime.now(UTC)
    for folder in targets:
        _sweep(folder, mark)
    name = f"crm-{mark}-{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z.tar"
    files = [folder / name for folder in targets]
    taken = next((file for file in files if file.exists()), None)
    if taken is not None:
        raise Unusable(f"{taken} is there already; try again")
    copies = Copies(files)
    try:
        with _records(workspace, copies.folder(), mark) as (file, tables, head):
            writer = Writer(copies)
            _add_files(writer, workspace, config, with_field_key=with_field_key)
            writer.add(RECORDS_FILE, file)
        tables |= _add_lake(writer, workspace)
        entries, created = tuple(writer.entries), now.isoformat(timespec="seconds")
        kind = "postgresql" if workspace.records.shared else "sqlite"
        manifest = Manifest(
            FORMAT, __version__, workspace.version, created, mark, kind, with_field_key, head, entries, tables
        )
        writer.close(manifest)
        done = copies.publish()
    finally:
        copies.discard()
    removed = [old for file in done for old in _pruned(file.parent, mark, keep)]
    return Made(done, copies.failed, copies.size, copies.sha256.hexdigest(), manifest, removed)


def _check(workspace: Workspace, targets: list[Path]) -> None:
    home = workspace.path.resolve()
    for folder in targets:
        if folder.is_file():
            raise Unusable(f"{folder} is a file; name a folder for the backup")
        if not folder.is_dir():
            raise Unusable(f"there is no folder {folder} for the backup; make it, or mount what it is on")
        if home == folder.resolve() or home in folder.resolve().parents:
            raise Unusable(f"the folder {folder} is within the workspace, and would be lost with it")


def _sweep(folder: Path, mark: str) -> None:
    """Delete what a backup of this workspace that was killed has left."""
    for file in folder.glob(f".crm-{mark}-*{PART}*"):
        with suppress(OSError):
            file.unlink()


def _pruned(folder: Path, mark: str, keep: int | None) -> list[Path]:
    """Delete all but the newest backups of this workspace."""
    old = sorted(folder.glob(f"crm-{mark}-*.tar"))[:-keep] if keep else []
    for file in old:
        file.unlink(missing_ok=True)
    return old


@contextmanager
def _records(workspace: Workspace, folder: Path, mark: str) -> Iterator[tuple[Path, dict[str, Contents], str]]:
    """All records in one SQLite file, which goes with the block; what is in them; the audit log's newest hash."""
    file = part_of(folder / f"crm-{mark}-{secrets.token_hex(4)}.db")
    try:
        file.touch(0o600, exist_ok=False)
        with closing(_sqlite(workspace.local)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
        snapshot = Records(file, workspace.tables)
        if workspace.records.shared:
            _copy_records(workspace.records, snapshot)
        yield file, *_contents(snapshot)
    except (sqlite3.Error, OSError) as error:
        raise Unusable(f"cannot copy the records of {workspace.path} to {folder}: {error}") from error
    finally:
        for each in folder.glob(f"{file.name}*"):
            with suppress(OSError):
                each.unlink()


def _sqlite(records: Records) -> sqlite3.Connection:
    records.count(AUDIT.name if AUDIT.name in records.contracts else next(iter(records.contracts)))
    return sqlite3.connect(f"{records.file.absolute().as_uri()}?mode=ro", uri=True)


def _copy_records(source: Records, target: Records) -> None:
    """Copy the tables of a database as they are at one moment."""
    with source.snapshot() as reader, target.begin() as writer:
        for name in source.contracts:
            for part in source.batches(name, connection=reader, raw=True):
                target.append(writer, name, part, raw=True)


def _contents(snapshot: Records) -> tuple[dict[str, Contents], str]:
    """What the copy of the records holds, and the audit log's newest hash; the copy is one file by itself again."""
    with snapshot.snapshot() as connection:
        tables = {name: of_records(snapshot, name, connection) for name in sorted(snapshot.contracts)}
    head = verify(snapshot).head if AUDIT.name in snapshot.contracts else ""
    with closing(sqlite3.connect(snapshot.file)) as driver:
        driver.execute("PRAGMA journal_mode=DELETE")
    return tables, head


def _add_files(writer: Writer, workspace: Workspace, config: Path | None, *, with_field_key: bool) -> None:
    """Add what lies in the workspace besides lake and records, and the keys of its values where that is wanted."""
    assert workspace.key  # it is made, if nobody has needed it yet
    field_key = key_file(workspace.path, workspace.protection)
    keys = {file.resolve(): file for file in sorted(field_key.parent.glob(f"{field_key.name}*")) if file.is_file()}
    for file in _others(workspace.path):
        name = str(file.relative_to(workspace.path))
        if file.resolve() not in keys and not (name == CONFIG and config is not None):
            writer.add(name, file)
    if config is not None:
        writer.add(CONFIG, config)
    if with_field_key:
        for file in keys.values():
            writer.add(FIELD_KEY + file.name.removeprefix(field_key.name), file)


def _others(home: Path) -> Iterator[Path]:
    for file in sorted(home.rglob("*")):
        first = file.relative_to(home).parts[0]
        if first in _NOT_COPIED or first.startswith(RECORDS_FILE) or "__pycache__" in file.parts:
            continue
        if file.is_file() and not file.is_symlink():
            yield file


def _add_lake(writer: Writer, workspace: Workspace) -> dict[str, Contents]:
    """Add the data files that the tables have now, and their logs."""
    tables = {}
    place = workspace.lake.place
    for name, table in lake_tables(place):
        wanted = {f"{name}/{path}": size for path, size, _ in data_files(table)}
        there = place.sizes(wanted)
        for path, size in wanted.items():
            if there.get(path) != size:
                raise Unusable(
                    f"the data file {place.uri(path)} is missing or damaged; restore it from an older backup"
                )
        logs = place.sizes(sorted(place.names(f"{name}/{LOG}")))
        for path, size in (wanted | logs).items():
            writer.add_from(f"lake/{path}", place, path, size)
        tables[name] = of_lake(table)
    return tables
