"""A path -> the plugin that is there: a package with an entry point, or a single file."""

import importlib
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm.discovery import Candidate, file_candidate
from crm.errors import Unusable
from crm.hookspecs import PROJECT
from crm.nearest import nearest

PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class Located:
    """A plugin that was found by its path.

    Attributes:
        candidate: What can be loaded.
        module: What Python imports, and from which folder.
        project: The table `project` of its pyproject.toml; empty for a single file.
    """

    candidate: Candidate
    module: tuple[str, Path]
    project: Mapping[str, Any]


def located(path: Path) -> list[Located]:
    """The plugins that are at a path: the entry points of a package, or the one of a single file.

    Raises:
        Unusable: there is none.
    """
    if not path.exists():
        raise Unusable(f"there is no file or folder {path}")
    if path.is_file() and path.suffix == ".py":
        return [Located(file_candidate(path), (path.stem, path.parent), {})]
    file = path / PYPROJECT if path.is_dir() else path
    if file.name != PYPROJECT or not file.is_file():
        raise Unusable(f"{path} is no plugin: name a folder with a {PYPROJECT}, or a single file .py")
    return list(_of_package(file))


def _of_package(file: Path) -> Iterator[Located]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Unusable(f"{file} cannot be read: {error}") from error
    project = document.get("project", {})
    groups = project.get("entry-points", {})
    points = groups.get(PROJECT, {})
    if not points:
        raise Unusable(
            f"{file} names no plugin{_instead(groups)}: add [project.entry-points.{PROJECT}] with a line "
            f'NAME = "MODULE"'
        )
    for name, target in points.items():
        module, _, attribute = str(target).partition(":")
        folder = _source(file.parent, module)
        candidate = Candidate(
            name, str(project.get("name", "?")), str(project.get("version", "")), _loader(module, attribute, folder)
        )
        yield Located(candidate, (module, folder), project)


def _instead(groups: Mapping[str, Any]) -> str:
    """A group of entry points that may be meant."""
    close = nearest(PROJECT, groups)
    return f", and `{close}` is another group" if close else ""


def _source(folder: Path, module: str) -> Path:
    """Where a module of a package lies, before it is installed.

    Raises:
        Unusable: nowhere.
    """
    first = module.partition(".")[0]
    for place in (folder / "src", folder):
        if (place / first / "__init__.py").is_file() or (place / f"{first}.py").is_file():
            return place
    raise Unusable(f"{folder / PYPROJECT} names the module {module}, and there is neither {first}/ nor src/{first}/")


def _loader(module: str, attribute: str, folder: Path) -> Callable[[], object]:
    def load() -> object:
        sys.path.insert(0, str(folder))  # before an installed one; commands are imported later, so it stays
        importlib.invalidate_caches()
        found: object = importlib.import_module(module)
        for name in filter(None, attribute.split(".")):
            found = getattr(found, name)
        return found

    return load
