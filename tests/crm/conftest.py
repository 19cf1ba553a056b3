"""Plugins made for one test: installed distributions, built-in modules, single files."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from crm.discovery import Settings
from crm.lake_config import LakeConfig, S3Config
from crm.plugins import Plugin, PluginHost
from crm.storage.places import LocalPlace, Place

HEADER = """
import msgspec
from crm import Column, CommandRef, LogFormat, Miner, Reader, Table, Writer, hookimpl
"""


def table(name: str) -> str:
    """Source of a table's contract."""
    return f"Table('{name}', 'help', (Column('date', 'date', 'day'),), owner='test')"


class Site:
    """A folder on `sys.path` to which tests install plugins, and the messages of the hosts made from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def source(self, body: str) -> str:
        """A plugin module with what it needs from `crm` imported."""
        return HEADER + dedent(body)

    def adds_table(self, name: str) -> str:
        """A plugin that adds a table."""
        return f"@hookimpl\ndef tables(): return [{table(name)}]\n"

    def module(self, name: str, body: str) -> str:
        """Write a module, for a built-in plugin."""
        (self.folder / f"{name}.py").write_text(self.source(body), encoding="utf-8")
        return name

    def install(self, name: str, body: str, distribution: str = "", metadata: str = "dist-info") -> None:
        """Lay down what an installer leaves of a distribution with one plugin."""
        distribution = distribution or f"dist-{name}"
        module = self.module(f"installed_{name}_{distribution.replace('-', '_')}", body)
        info = self.folder / f"{distribution.replace('-', '_')}-1.2.{metadata}"
        info.mkdir()
        inner = "METADATA" if metadata == "dist-info" else "PKG-INFO"
        (info / inner).write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[crm]\n{name} = {module}\n")

    def host(self, *builtins: str, **settings: object) -> PluginHost:
        """All plugins; what the host says is kept in `said`."""
        return PluginHost(builtins, "9.9", Settings(**settings), self._hear)  # type: ignore[arg-type]  # options by name

    def plugin(self, host: PluginHost, name: str) -> Plugin:
        """The one plugin of this name."""
        (plugin,) = (plugin for plugin in host.plugins if plugin.name == name)
        return plugin

    def _hear(self, sentence: str, error: BaseException | None) -> None:
        self.said.append(sentence)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if name.startswith(("installed_", "builtin_", "crm_plugin_")):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "mine.py").write_text(site.source(site.adds_table("mine")))
    (folder / "mine.py").chmod(0o644)
    return folder


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Runs a test twice: with a place in a folder, and one in an object store."""
    if request.param == "folder":
        return LocalPlace(tmp_path / "lake")
    store = request.getfixturevalue("object_store")
    found = LakeConfig(store.new(), S3Config(endpoint=store.endpoint)).place()
    assert found is not None
    return found
