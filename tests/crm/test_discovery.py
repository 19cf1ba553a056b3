"""Where plugins come from, in which order, and which are not loaded."""

import os
import py_compile
import sys
import zipfile
from importlib.metadata import entry_points
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm import discovery
from crm.discovery import Settings, read_settings

if TYPE_CHECKING:
    from tests.crm.conftest import Site


class TestOrder:
    def test_builtins_come_first_then_installed_plugins_by_name_then_files_by_name(
        self, site: "Site", tmp_path: Path
    ) -> None:
        site.install("zeta", site.adds_table("t_zeta"))
        site.install("alpha", site.adds_table("t_alpha"))
        builtins = [
            site.module("builtin_z", site.adds_table("t_z")),
            site.module("builtin_a", site.adds_table("t_a")),
        ]
        folder = tmp_path / "files"
        folder.mkdir(mode=0o755)
        for stem in ("two", "one"):
            (folder / f"{stem}.py").write_text(site.source(site.adds_table(f"t_{stem}")))
        host = site.host(*builtins, folder=folder)
        expected = ["builtin_z", "builtin_a", "alpha", "zeta", "crm_plugin_one", "crm_plugin_two"]
        assert [plugin.name for plugin in host.plugins] == expected
        assert list(host.tables()) == ["t_z", "t_a", "t_alpha", "t_zeta", "t_one", "t_two"]
        assert site.said == []

    def test_a_plugin_tells_where_it_came_from_and_which_hooks_it_has(self, site: "Site") -> None:
        site.install("alpha", site.adds_table("t") + "@hookimpl\ndef miners(): return []\n")
        alpha = site.plugin(site.host(), "alpha")
        assert (alpha.distribution, alpha.version, alpha.state) == ("dist-alpha", "1.2", "loaded")
        assert alpha.hooks == ("miners", "tables")

    def test_of_two_distributions_with_one_name_the_later_fails(self, site: "Site") -> None:
        site.install("same", site.adds_table("a"), distribution="b-dist")
        site.install("same", site.adds_table("b"), distribution="a-dist")
        host = site.host()
        assert [(p.distribution, p.state) for p in host.plugins] == [
            ("a-dist", "loaded"),
            ("b-dist", "failed"),
        ]
        assert "another plugin is called 'same'" in host.plugins[1].reason


class TestDiscovery:
    """The search of the metadata files must find whatever importlib.metadata would."""

    @pytest.mark.parametrize("metadata", ["dist-info", "egg-info"])
    def test_finds_what_importlib_metadata_finds(self, site: "Site", metadata: str) -> None:
        site.install("found", site.adds_table("t"), metadata=metadata)
        assert "found" in {point.name for point in entry_points(group="crm")}
        assert "found" in {plugin.name for plugin in site.host().plugins}

    def test_finds_a_plugin_inside_a_zip_file(
        self, site: "Site", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with zipfile.ZipFile(tmp_path / "plugins.zip", "w") as archive:
            archive.writestr("installed_zipped.py", site.source(site.adds_table("zipped")))
            archive.writestr("zipped-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 1\n")
            archive.writestr("zipped-1.dist-info/entry_points.txt", "[crm]\nzipped = installed_zipped\n")
        monkeypatch.syspath_prepend(tmp_path / "plugins.zip")
        assert "zipped" in site.host().tables()

    def test_does_not_ask_importlib_metadata_when_no_file_mentions_the_group(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "other-1.dist-info").mkdir()
        (tmp_path / "other-1.dist-info" / "entry_points.txt").write_text("[console_scripts]\ncrm = x:y\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "missing")])
        monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: pytest.fail("asked"))
        assert list(discovery.entry_point_candidates()) == []


class TestBlocking:
    def test_a_blocked_plugin_is_not_imported(self, site: "Site") -> None:
        site.install("bad", "raise RuntimeError('imported')")
        host = site.host(block=frozenset({"bad"}))
        assert site.plugin(host, "bad").state == "blocked"
        assert site.said == []

    def test_a_builtin_can_be_blocked(self, site: "Site") -> None:
        host = site.host(site.module("builtin_a", site.adds_table("t")), block=frozenset({"builtin_a"}))
        assert dict(host.tables()) == {}

    def test_the_environment_and_the_configuration_block_together(self, tmp_path: Path) -> None:
        file = tmp_path / "crm.yaml"
        file.write_text("plugins: {block: [a]}\nnonsense: {}\n")
        settings = read_settings(file, {"CRM_BLOCK_PLUGINS": " b, c,"})
        assert settings.block == {"a", "b", "c"}

    def test_without_a_file_only_the_environment_counts(self, tmp_path: Path) -> None:
        assert read_settings(None, {}) == Settings()
        assert read_settings(tmp_path / "none.yaml", {"CRM_BLOCK_PLUGINS": "x"}) == Settings(block=frozenset("x"))

    @pytest.mark.parametrize(
        "text",
        [
            "plugins: {blok: [bad]}",
            "plugins: {block: bad}",
            "plugins: [",
            "plugins:\n\t- x",
            "plugins: {folder: 3}",
        ],
    )
    def test_a_file_that_cannot_tell_what_is_blocked_blocks_all_but_the_builtins(
        self, site: "Site", tmp_path: Path, text: str
    ) -> None:
        site.install("bad", "raise RuntimeError('imported')")
        file = tmp_path / "crm.yaml"
        file.write_text(text)
        problem = read_settings(file, {}).problem
        host = site.host(site.module("builtin_a", site.adds_table("t")), problem=problem)
        assert list(host.tables()) == ["t"]
        assert site.plugin(host, "bad").state == "blocked"
        assert problem.startswith(str(file))
        assert "\n" not in problem


class TestFolder:
    def test_a_file_is_imported_as_crm_plugin_stem(self, site: "Site", folder: Path) -> None:
        host = site.host(folder=folder)
        assert list(host.tables()) == ["mine"]
        assert site.plugin(host, "crm_plugin_mine").distribution == str(folder / "mine.py")
        assert "crm_plugin_mine" in sys.modules

    def test_the_folder_is_relative_to_the_configuration_file(self, folder: Path) -> None:
        file = folder.parent / "crm.yaml"
        file.write_text("plugins: {folder: files}")
        assert read_settings(file, {}).folder == folder

    @pytest.mark.parametrize("what", ["folder", "file"])
    @pytest.mark.parametrize("mode", [0o775, 0o757])
    def test_what_others_may_write_is_refused(self, site: "Site", folder: Path, what: str, mode: int) -> None:
        refused = folder if what == "folder" else folder / "mine.py"
        refused.chmod(mode)
        host = site.host(folder=folder)
        assert dict(host.tables()) == {}
        assert host.plugins[-1].state == "failed"
        assert f"others may write to {refused}" in host.plugins[-1].reason

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    @pytest.mark.parametrize("what", ["folder", "file"])
    def test_what_belongs_to_another_user_is_refused(self, site: "Site", folder: Path, what: str) -> None:
        refused = folder if what == "folder" else folder / "mine.py"
        os.chown(refused, 4242, -1)
        host = site.host(folder=folder)
        assert dict(host.tables()) == {}
        assert f"{refused} belongs to another user" in host.plugins[-1].reason

    def test_a_symbolic_link_counts_as_what_it_leads_to(self, site: "Site", folder: Path, tmp_path: Path) -> None:
        outside = tmp_path / "outside.py"
        outside.write_text(site.source(site.adds_table("outside")))
        outside.chmod(0o666)
        (folder / "link.py").symlink_to(outside)
        host = site.host(folder=folder)
        assert list(host.tables()) == ["mine"]
        assert site.plugin(host, "crm_plugin_link").state == "failed"

    def test_a_missing_folder_is_named(self, site: "Site", tmp_path: Path) -> None:
        host = site.host(folder=tmp_path / "missing")
        assert site.plugin(host, str(tmp_path / "missing")).state == "failed"
        assert str(tmp_path / "missing") in site.said[0]

    def test_compiled_files_are_neither_read_nor_written(
        self, site: "Site", folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "dont_write_bytecode", False)
        site.host(folder=folder)
        assert [path.name for path in folder.iterdir()] == ["mine.py"]
        (tmp_path / "planted.py").write_text(site.source(site.adds_table("planted")))
        py_compile.compile(
            str(tmp_path / "planted.py"),
            cfile=cache_from_source(str(folder / "mine.py")),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        assert list(site.host(folder=folder).tables()) == ["mine"]

    def test_a_file_that_fails_is_forgotten(self, site: "Site", folder: Path) -> None:
        (folder / "bad.py").write_text("1 / 0")
        host = site.host(folder=folder)
        assert site.plugin(host, "crm_plugin_bad").state == "failed"
        assert "crm_plugin_bad" not in sys.modules
        assert list(host.tables()) == ["mine"]
