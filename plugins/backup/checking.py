"""Whether a backup is whole, and what a workspace holds that it does not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from crm.errors import Unusable
from crm.records import Records
from crm.storage.places import LocalPlace, Place
from crm.tables import Table
from crm.workspace import RECORDS_FILE, Workspace
from plugins.backup.archive import faults, unpack
from plugins.backup.content import LOG, data_files, lake_tables, of_lake, of_records
from plugins.backup.manifest import Contents, Entry, Manifest


@dataclass(frozen=True)
class Checked:
    """A backup that was read from its beginning to its end.

    Attributes:
        manifest: What it says of itself.
        tables: What its tables were found to hold.
    """

    manifest: Manifest
    tables: Mapping[str, Contents]


def check(file: Path, tables: Mapping[str, Table]) -> Checked:
    """Read a backup, take all sums anew, and open its tables.

    Args:
        file: The backup.
        tables: The contracts of all tables.

    Raises:
        Unusable: it is not whole; the sentence names the first fault.
    """
    with TemporaryDirectory(prefix=".crm-verify-", dir=_writable(file.parent)) as name:
        folder = Path(name)

        def where(inside: str) -> Path | None:
            return folder / inside if inside == RECORDS_FILE or f"/{LOG}/" in inside else None

        manifest, found = unpack(file, where)
        refuse(file, manifest, found)
        _see_data_files(file, folder, manifest)
        held = contents(Records(folder / RECORDS_FILE, known(manifest, tables)), LocalPlace(folder / "lake"), manifest)
    compare(file, manifest, held)
    return Checked(manifest, held)


def _writable(folder: Path) -> Path | None:
    """Where a backup lies, there is room for a part of it; elsewhere if nothing can be written there."""
    return folder if os.access(folder, os.W_OK) else None


def refuse(file: Path, manifest: Manifest, found: list[Entry]) -> None:
    """See that the files are those of the manifest.

    Raises:
        Unusable: they are not.
    """
    wrong = list(faults(manifest, found))
    if wrong:
        more = f", and {len(wrong) - 1} more faults" if len(wrong) > 1 else ""
        raise Unusable(f"the backup {file} is damaged: {wrong[0]}{more}; take another one")


def known(manifest: Manifest, tables: Mapping[str, Table]) -> dict[str, Table]:
    """The contracts of the tables that a backup has."""
    return {name: table for name, table in tables.items() if name in manifest.tables}


def contents(records: Records, lake: Place, manifest: Manifest) -> dict[str, Contents]:
    """What the tables hold that a manifest names and whose contracts are known."""
    with records.snapshot() as connection:
        held = {name: of_records(records, name, connection) for name in records.contracts}
    return held | {name: of_lake(table) for name, table in lake_tables(lake) if name in manifest.tables}


def compare(file: Path, manifest: Manifest, held: Mapping[str, Contents]) -> None:
    """See that tables hold what the manifest says.

    Raises:
        Unusable: one does not.
    """
    for name, expected in manifest.tables.items():
        if name in held and held[name] != expected:
            raise Unusable(
                f"the table {name} of the backup {file} holds {held[name].rows:,} rows, which are not the "
                f"{expected.rows:,} that its manifest tells of; take another backup"
            )


def _see_data_files(file: Path, folder: Path, manifest: Manifest) -> None:
    sizes = {entry.name: entry.size for entry in manifest.files}
    for name, table in lake_tables(LocalPlace(folder / "lake")):
        for path, size, _ in data_files(table):
            if sizes.get(f"lake/{name}/{path}") != size:
                raise Unusable(f"the backup {file} lacks the data file {path} of the table {name}; take another one")


def workspace_contents(workspace: Workspace) -> dict[str, Contents]:
    """What the tables of a workspace hold now."""
    held: dict[str, Contents] = {}
    for records in {id(each): each for each in (workspace.local, workspace.records)}.values():
        with records.snapshot() as connection:
            held |= {name: of_records(records, name, connection) for name in records.contracts}
    return held | {name: of_lake(table) for name, table in lake_tables(workspace.lake.place)}
