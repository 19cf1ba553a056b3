"""A lake that was unpacked into a workspace -> the place that the configuration names."""

import shutil
from pathlib import Path

from crm.errors import Unusable
from crm.storage.owner import claim
from crm.storage.places import LocalPlace, Place
from crm.workspace import Workspace, key_mark
from plugins.backup.content import LOG, lake_tables, of_lake
from plugins.backup.manifest import Manifest


def to_place(workspace: Workspace, manifest: Manifest, backup: Path) -> None:
    """Bring the lake to the place that the configuration names, if it names one, and compare it.

    Data files come before the logs that name them, so that a table is whole as soon as it is there.

    Raises:
        Unusable: a lake is there already, or what has come is not what the backup holds.
    """
    target = workspace.lake_place
    if not target.shared:
        return
    target.reach()
    taken = next((name for folder in target.folders() for name in target.names(folder)), None)
    if taken is not None:
        raise Unusable(f"the place {target.name} for the lake holds files already, such as {taken}; name an empty one")
    claim(target, key_mark(workspace.key))
    source = LocalPlace(workspace.path / "lake")
    for name in sorted(source.names(""), key=lambda name: (f"/{LOG}/" in name, name)):
        _copy(source, target, name)
    held = {name: of_lake(table) for name, table in lake_tables(target)}
    wanted = {name: contents for name, contents in manifest.tables.items() if contents.store == "lake"}
    if held != wanted:
        raise Unusable(f"the lake in {target.name} is not that of the backup {backup}; empty the place, and try again")
    shutil.rmtree(workspace.path / "lake", ignore_errors=True)


def _copy(source: LocalPlace, target: Place, path: str) -> None:
    with source.open(path) as file:
        target.write(path, file.read())
