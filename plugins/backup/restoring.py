"""A backup -> a workspace: unpacked, compared with what the backup says of itself, without people forgotten since."""

import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec
import polars as pl

from crm.audit import AUDIT, append
from crm.errors import Unusable
from crm.forgetting import replay
from crm.forgotten import FORGOTTEN
from crm.lake_config import LakeConfig
from crm.protection import ProtectionConfig, RecordsConfig
from crm.records import Records
from crm.secrets import key_file
from crm.storage.places import LocalPlace
from crm.tables import Table
from crm.workspace import RECORDS_FILE, Workspace
from plugins.backup.archive import sync_folder, unpack
from plugins.backup.checking import compare, contents, known, refuse
from plugins.backup.manifest import Contents, Manifest
from plugins.backup.moving import to_place
from plugins.backup.snapshot import CONFIG, mark_of

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Restored:
    """A workspace that was brought back.

    Attributes:
        manifest: What the backup says of itself.
        tables: What the tables held before people who were forgotten were erased again.
        erased: How many rows were erased again, by table.
        newer: Whether a list of people who were forgotten since was found.
        encrypts: Whether its configuration has values encrypted.
    """

    manifest: Manifest
    tables: Mapping[str, Contents]
    erased: Mapping[str, int]
    newer: bool
    encrypts: bool


@dataclass(frozen=True)
class Settings:
    """How the workspace that comes back is configured.

    Attributes:
        file: Its configuration.
        where: Where its records go.
        lake: Where its lake goes.
        protection: Which values are kept encrypted.
    """

    file: Path
    where: RecordsConfig
    protection: ProtectionConfig
    lake: LakeConfig


@dataclass(frozen=True)
class Witness:
    """Who knows which people were forgotten since a backup was made.

    Attributes:
        place: A workspace, or a newer backup; None if nobody does.
        named: Whether the user has named it; else it is a workspace that is there, and may be another one.
    """

    place: Path | None
    named: bool


def restore(
    backup: Path,
    target: Path,
    tables: Mapping[str, Table],
    settings: Settings | None,
    witness: Witness,
    warn: Callable[[str], None],
) -> Restored:
    """Bring a backup back; it appears under its name once it is whole, proved and without who was forgotten.

    Args:
        backup: The backup.
        target: The folder of the workspace; it does not exist or is empty.
        tables: The contracts of all tables.
        settings: How the workspace is configured; None for the configuration in the backup.
        witness: Who has a newer list of people who were forgotten.
        warn: Tells the user that such a list is there and cannot be read.

    Raises:
        Unusable: the backup is not whole, or something is in the way.
    """
    if FORGOTTEN.name not in tables:
        raise Unusable(
            "nothing can be restored while the plugin that lists who was forgotten is missing, or they would come "
            "back; see `crm plugins list`"
        )
    _see_room(target)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(mode=0o700, parents=True)
        manifest, found = unpack(backup, lambda name: part / name)
        refuse(backup, manifest, found)
        workspace = _configured(part, tables, settings)
        held = contents(Records(part / RECORDS_FILE, known(manifest, tables)), LocalPlace(part / "lake"), manifest)
        compare(backup, manifest, held)
        newer = _newer_list(witness, workspace, tables, warn)
        listed = held[FORGOTTEN.name].rows if FORGOTTEN.name in held else 0
        if listed or (newer is not None and newer.height):
            _see_key(workspace, backup)
        to_place(workspace, manifest, backup)
        _to_database(workspace, manifest, backup)
        with workspace.lock():
            erased = _erase(workspace, newer, backup)
        (part / "lock").unlink(missing_ok=True)
        for folder in [each for each in part.rglob("*") if each.is_dir()]:
            sync_folder(folder)
        part.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise Unusable(f"cannot restore to {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Restored(manifest, held, erased, newer is not None, workspace.protection.encrypt)


def _see_room(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise Unusable(f"{target} is no folder")
    if target.is_dir() and any(target.iterdir()):
        raise Unusable(f"the folder {target} is not empty; name a new one, to which the backup is brought back")


def _configured(part: Path, tables: Mapping[str, Table], settings: Settings | None) -> Workspace:
    """The workspace that was unpacked, with its configuration.

    Raises:
        Unusable: the one in the backup keeps records or lake elsewhere, which may be the very ones that are in use.
    """
    file = part / CONFIG
    if settings is not None:
        file.unlink(missing_ok=True)
        shutil.copyfile(settings.file, file)
        return Workspace.open(part, tables, where=settings.where, protection=settings.protection, lake=settings.lake)
    if _said(file, "records", RecordsConfig).url is not None:
        raise Unusable(
            "the configuration in the backup keeps the records in a database (`records.url`), which may be in use; say "
            "where they go by `crm -c FILE backup restore`: FILE names an empty database, or none to keep them in the "
            "folder"
        )
    if _said(file, "lake", LakeConfig).url is not None:
        raise Unusable(
            "the configuration in the backup keeps the lake elsewhere (`lake.url`), where it may be in use; say where "
            "it goes by `crm -c FILE backup restore`: FILE names an empty place, or none to keep it in the folder"
        )
    return Workspace.open(part, tables, protection=_said(file, "protection", ProtectionConfig))


def _to_database(workspace: Workspace, manifest: Manifest, backup: Path) -> None:
    """Bring the records into the database that the configuration names, in one transaction, and compare them.

    Raises:
        Unusable: it holds records already.
    """
    target = workspace.records
    if not target.shared:
        return
    names = [name for name in target.contracts if name in manifest.tables]
    source = Records(workspace.path / RECORDS_FILE, known(manifest, workspace.tables))
    with source.snapshot() as reader, target.begin() as writer:
        taken = next((name for name in target.contracts if target.count(name, connection=writer)), None)
        if taken is not None:
            raise Unusable(
                f"the database {target.place} holds records already, in the table {taken}; name an empty one"
            )
        for name in names:
            for rows in source.batches(name, connection=reader, raw=True):
                target.append(writer, name, rows, raw=True)
    held = contents(target, LocalPlace(workspace.path / "lake"), manifest)
    compare(backup, manifest, {name: held[name] for name in names})
    with source.begin() as connection:
        for name in names:
            source.table(name).drop(connection)
    with source.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")  # what was in them is not to lie in free pages


def _newer_list(
    witness: Witness, workspace: Workspace, tables: Mapping[str, Table], warn: Callable[[str], None]
) -> pl.DataFrame | None:
    """The list of people who were forgotten that a workspace, or a newer backup, has; None if nobody has one.

    Raises:
        Unusable: the one that the user named cannot be read, or was made with another key.
    """
    if witness.place is None:
        return None
    try:
        mark, rows = _list_of(witness.place, workspace, tables)
    except Unusable as error:
        if witness.named:
            raise
        warn(f"who was forgotten since the backup was made is not known: {error}")
        return None
    if mark == mark_of(workspace.key):
        return rows
    if witness.named:
        raise Unusable(
            f"{witness.place} was made with another key than the backup, so its list of people who were forgotten is "
            "of no use here; name the right one (--forgotten)"
        )
    return None


def _list_of(place: Path, workspace: Workspace, tables: Mapping[str, Table]) -> tuple[str, pl.DataFrame]:
    """The mark of a workspace, or of that which a backup is of, and its list of people who were forgotten."""
    if place.is_dir():
        where, lake = _said(place / CONFIG, "records", RecordsConfig), _said(place / CONFIG, "lake", LakeConfig)
        other = Workspace.open(place, tables, where=where, lake=lake)
        return mark_of(other.key), other.records.frame(FORGOTTEN.name)
    with TemporaryDirectory(prefix=".crm-forgotten-", dir=workspace.path) as name:
        file = Path(name) / RECORDS_FILE
        manifest, found = unpack(place, lambda inside: file if inside == RECORDS_FILE else None)
        refuse(place, manifest, found)
        return manifest.workspace, Records(file, {FORGOTTEN.name: FORGOTTEN}).frame(FORGOTTEN.name)


def _said(file: Path, section: str, kind: type[S]) -> S:
    """A section of a configuration; its defaults where there is none."""
    from crm.yamlfile import read_mapping

    said = read_mapping(file).get(section) if file.is_file() else None
    return msgspec.convert(said or {}, kind)


def _erase(workspace: Workspace, newer: pl.DataFrame | None, backup: Path) -> Mapping[str, int]:
    """Erase who was forgotten, by the list in the backup and a newer one; the audit log tells of all that."""
    records = workspace.records
    with records.begin() as connection:
        if newer is not None and newer.height:
            records.upsert(connection, FORGOTTEN.name, newer)
        append(connection, records.table(AUDIT.name), "restore", backup.name, None)
    return replay(workspace).tables


def _see_key(workspace: Workspace, backup: Path) -> None:
    """See that encrypted values can be read, for somebody must be looked for in them.

    Raises:
        Unusable: the key is neither in the backup nor where the configuration says.
    """
    key = key_file(workspace.path, workspace.protection)
    if workspace.protection.encrypt and not key.exists():
        raise Unusable(
            f"{backup}: to erase again who was forgotten takes the key of encrypted values, and it is not there; "
            "name a copy of it in a configuration (`protection: {encrypt: true, key_file: /FOLDER/field.key}`),"
            " and restore by `crm -c FILE backup restore`"
        )
