"""Where plugins come from: built-in modules, installed distributions, single files in a folder.

Nothing here runs a plugin's code before `Candidate.load` is called, so a blocked plugin is never imported.
"""

import importlib.machinery
import importlib.util
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm.errors import Unusable
from crm.hookspecs import PROJECT

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from types import ModuleType

BLOCK_VARIABLE = "CRM_BLOCK_PLUGINS"
"""Environment variable with the names of plugins that are not loaded, separated by commas."""

DISTRIBUTION = "crm-toolkit"
"""The distribution of the built-in plugins."""

SINGLE_FILE = "crm_plugin_"
"""How the names of modules begin that are plugins of one file."""


@dataclass(frozen=True)
class Candidate:
    """A plugin that could be loaded.

    Attributes:
        name: What `block` and `crm plugins list` call it.
        distribution: Where it was installed from; for a single file its path.
        version: The distribution's version; empty for a single file.
        load: Imports the plugin and returns its module or object.
        builtin: Whether it is a part of this program.
    """

    name: str
    distribution: str
    version: str
    load: Callable[[], object]
    builtin: bool = False


@dataclass(frozen=True)
class Settings:
    """Which plugins to load.

    `problem` says why the configuration file cannot tell; then only the built-in plugins are loaded,
    because a plugin that the file blocks must not run.
    """

    folder: Path | None = None
    block: frozenset[str] = frozenset()
    problem: str = ""


def read_settings(config_file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Take the section `plugins` from the configuration file, and what the environment blocks.

    The other sections are not looked at: `crm.config.load` checks them when a command needs them.
    """
    blocked = frozenset(name.strip() for name in environ.get(BLOCK_VARIABLE, "").split(",") if name.strip())
    if config_file is None or not config_file.is_file():
        return Settings(block=blocked)
    from crm.yamlfile import read_mapping

    try:
        section = read_mapping(config_file).get("plugins")
        if section is None:
            return Settings(block=blocked)
        from crm.plugin_settings import parse

        settings = parse(section)
    except Unusable as error:
        return Settings(block=blocked, problem=str(error))
    except ValueError as error:
        reason = " ".join(str(error).split())
        return Settings(block=blocked, problem=f"{config_file}: {reason}")
    folder = None
    if settings.folder is not None:
        folder = config_file.parent / Path(settings.folder).expanduser()
    return Settings(folder=folder, block=blocked.union(settings.block))


def builtin_candidates(modules: Sequence[str], version: str) -> Iterator[Candidate]:
    """The modules that are a part of the program, named by the last part of the module's name."""
    for module in modules:
        name = module.rpartition(".")[2]
        yield Candidate(name, DISTRIBUTION, version, _importer(module), builtin=True)


def _importer(module: str) -> Callable[[], object]:
    return lambda: importlib.import_module(module)


def entry_point_candidates() -> Iterator[Candidate]:
    """Installed plugins: the entry points of the group `crm`, sorted by name, then by distribution."""
    if not _may_have_entry_points():
        return
    from importlib.metadata import entry_points

    found = [(point.name, *_origin(point), point) for point in entry_points(group=PROJECT)]
    for name, distribution, version, point in sorted(found, key=lambda entry: entry[:3]):
        yield Candidate(name, distribution, version, point.load)


def _origin(point: "EntryPoint") -> tuple[str, str]:
    if point.dist is None:
        return "?", ""
    return point.dist.name, point.dist.version


def _may_have_entry_points() -> bool:
    """Whether asking importlib.metadata could bring a plugin.

    Importing it and reading every distribution's metadata takes longer than all the rest of `crm --help`,
    so first the files that it would read are searched for the group's name. Finders of other kinds (zip
    files, eggs, import hooks) cannot be searched like that: then it is asked.
    """
    if any(hasattr(finder, "find_distributions") for finder in _foreign_finders()):
        return True
    return any(_mentions_group(entry or os.curdir) for entry in dict.fromkeys(sys.path))


def _foreign_finders() -> list[object]:
    own = importlib.machinery.PathFinder
    return [finder for finder in sys.meta_path if finder is not own]


def _mentions_group(entry: str) -> bool:
    if os.path.isfile(entry) or entry.endswith(".egg"):
        return True
    try:
        names = os.listdir(entry)
    except OSError:
        return False
    files = (
        os.path.join(entry, name, "entry_points.txt") for name in names if name.endswith((".dist-info", ".egg-info"))
    )
    return any(f"[{PROJECT}]".encode() in _contents(file) for file in files)


def _contents(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def is_single_file(module: str) -> bool:
    """Whether a module, by its name, is a plugin of one file, which only this program can import."""
    return module.startswith(SINGLE_FILE)


def file_candidates(folder: Path) -> Iterator[Candidate]:
    """Single-file plugins `*.py` of a folder, in the order of their names.

    A folder that cannot be used is one candidate whose `load` raises the reason.
    """
    try:
        _check_owner(folder)
        files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("."))
    except OSError as error:
        yield Candidate(str(folder), str(folder), "", _raiser(error))
        return
    yield from map(file_candidate, files)


def file_candidate(file: Path) -> Candidate:
    """The plugin of a single file."""
    return Candidate(f"{SINGLE_FILE}{file.stem}", str(file), "", _file_importer(file))


def _raiser(error: Exception) -> Callable[[], object]:
    def load() -> object:
        raise error

    return load


def _check_owner(path: Path) -> None:
    """Refuse what another user could have written: plugins run with all the rights of the caller."""
    status = path.stat()
    if status.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{path} belongs to another user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"others may write to {path}: `chmod go-w` it")


class _SourceOnly(importlib.machinery.SourceFileLoader):
    """Reads no compiled file: `__pycache__` may be writable by others even where the source is not."""

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _file_importer(file: Path) -> Callable[[], object]:
    def load() -> "ModuleType":
        _check_owner(file)
        name = f"{SINGLE_FILE}{file.stem}"
        spec = importlib.util.spec_from_loader(name, _SourceOnly(name, str(file)))
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is not a Python module")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load
