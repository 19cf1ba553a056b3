"""What becomes of a broken plugin, and who owns a name."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import crm
from crm.app import App
from crm.config import Config, load
from crm.output import table_output
from crm.plugins import PluginError, PluginHost

if TYPE_CHECKING:
    from tests.crm.conftest import Site

BROKEN = {
    "import error": ("import no_such_module_at_all", "No module named 'no_such_module_at_all'"),
    "exit at import": ("raise SystemExit(0)", "SystemExit"),
    "unknown hook": ("@hookimpl\ndef tabels(): return []", "there is no hook 'tabels'"),
    "unknown argument": ("@hookimpl\ndef tables(colour): return []", "colour"),
    "other hook API": ("crm_hook_api = 2", "hook API 2"),
    "wrapper": ("@hookimpl(wrapper=True)\ndef tables(): return (yield)", "hooks cannot be wrapped"),
}


class TestIsolation:
    @pytest.mark.parametrize("kind", BROKEN)
    def test_a_plugin_that_cannot_be_loaded_fails_alone_and_is_named_once(self, site: "Site", kind: str) -> None:
        body, reason = BROKEN[kind]
        site.install("broken", body)
        site.install("healthy", site.adds_table("kept"))
        host = site.host()
        assert list(host.tables()) == ["kept"]
        assert site.plugin(host, "broken").state == "failed"
        assert reason in site.plugin(host, "broken").reason
        (sentence,) = site.said
        assert sentence.startswith("plugin 'broken' of dist-broken 1.2 failed: ")
        assert reason in sentence
        assert "\n" not in sentence

    def test_a_module_that_two_plugins_are_is_the_first_of_them(self, site: "Site") -> None:
        site.install("one", site.adds_table("kept"))
        entry = site.folder / "dist_one-1.2.dist-info" / "entry_points.txt"
        entry.write_text(f"{entry.read_text()}two = installed_one_dist_one\n")
        host = site.host()
        assert list(host.tables()) == ["kept"]
        (sentence,) = site.said
        assert sentence.endswith("it is the module that the plugin 'one' is")

    def test_a_builtin_is_isolated_like_any_other(self, site: "Site") -> None:
        builtins = [
            site.module("builtin_broken", "1 / 0"),
            site.module("builtin_fine", site.adds_table("kept")),
        ]
        host = site.host(*builtins)
        assert list(host.tables()) == ["kept"]
        assert "plugin 'builtin_broken' of crm-toolkit 9.9 failed" in site.said[0]

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ("1 / 0", "ZeroDivisionError"),
            ("None", "NoneType instead of a list"),
            ("{'a': 1}", "dict instead of a list"),
            ("['nonsense']", "'nonsense' instead of a Table"),
            ("exit(3)", "SystemExit: 3"),
        ],
    )
    def test_a_hook_that_fails_leaves_the_other_plugins_alone(self, site: "Site", answer: str, reason: str) -> None:
        site.install("broken", f"@hookimpl\ndef tables(): return {answer}")
        site.install("healthy", site.adds_table("kept"))
        host = site.host()
        assert list(host.tables()) == ["kept"]
        assert site.plugin(host, "broken").state == "failed"
        assert reason in site.plugin(host, "broken").reason
        assert len(site.said) == 1

    def test_a_failed_plugin_is_not_asked_again(self, site: "Site") -> None:
        site.install("broken", site.adds_table("t") + "@hookimpl\ndef log_formats(): 1 / 0\n")
        host = site.host()
        assert dict(host.log_formats()) == {}
        assert dict(host.tables()) == {}
        assert len(site.said) == 1

    def test_a_command_that_cannot_be_imported_names_plugin_distribution_and_error(self, site: "Site") -> None:
        site.install("lazy", "@hookimpl\ndef register_commands(): return [CommandRef('x', 'X.', 'no_such_mod:main')]")
        host = site.host()
        with pytest.raises(PluginError, match=r"plugin 'lazy' of dist-lazy 1\.2 .* No module named 'no_such_mod'"):
            host.load_command(host.commands()["x"])
        assert site.plugin(host, "lazy").state == "failed"

    @pytest.mark.parametrize("target", ["os:sep", "os:nothing", "os", ":x", "nonsense"])
    def test_a_target_that_is_no_click_command_is_the_plugins_failure(self, site: "Site", target: str) -> None:
        site.install("lazy", f"@hookimpl\ndef register_commands(): return [CommandRef('x', 'X.', '{target}')]")
        host = site.host()
        with pytest.raises(PluginError):
            host.load_command(host.commands()["x"])

    def test_a_command_is_loaded_from_where_its_target_says(self, site: "Site") -> None:
        site.install(
            "fine",
            """
            import click
            @click.command()
            def main(): "X."
            @hookimpl
            def register_commands(): return [CommandRef('x', 'X.', __name__ + ':main')]
            """,
        )
        host = site.host()
        assert isinstance(host.load_command(host.commands()["x"]), click.Command)


CLASHES: dict[str, tuple[str, str, Callable[[PluginHost], object]]] = {
    "table": (
        "tables",
        "Table('same', 'help', (Column('date', 'date', 'day'),), owner='test')",
        PluginHost.tables,
    ),
    "log format": ("log_formats", "LogFormat('same', 'nginx', '$msec $request')", PluginHost.log_formats),
    "writer": ("writers", "Writer('same', (), print)", PluginHost.writers),
    "reader": ("readers", "Reader('same', (), print)", PluginHost.readers),
    "command": ("register_commands", "CommandRef('same', 'Same.', 'a:b')", PluginHost.commands),
}


class TestNames:
    @pytest.mark.parametrize("kind", CLASHES)
    def test_the_first_plugin_keeps_a_name_and_the_later_one_is_told(self, site: "Site", kind: str) -> None:
        hook, item, ask = CLASHES[kind]
        for name in ("first", "second"):
            site.install(name, f"@hookimpl\ndef {hook}(): return [{item}]")
        host = site.host()
        assert list(ask(host)) == ["same"]  # type: ignore[call-overload]  # stands for the real one
        assert site.plugin(host, "second").state == "loaded"
        expected = f"its {kind} 'same' is left out: plugin 'first' of dist-first 1.2 has one of this name"
        assert site.plugin(host, "second").reason == expected
        assert site.said == [f"plugin 'second' of dist-second 1.2: {expected}"]

    def test_a_plugin_adds_a_command_to_the_group_of_another(self, site: "Site") -> None:
        site.install("first", "@hookimpl\ndef register_commands(): return [CommandRef('logs', 'Logs.')]")
        site.install(
            "second",
            """
            @hookimpl
            def register_commands():
                return [CommandRef('logs', 'Other help.'), CommandRef('logs extra', 'Extra.', 'a:b')]
            """,
        )
        commands = site.host().commands()
        assert commands["logs"].ref.help == "Logs."
        assert commands["logs extra"].plugin.name == "second"
        assert site.said == []

    def test_a_group_that_nobody_declared_is_there(self, site: "Site") -> None:
        site.install("a", "@hookimpl\ndef register_commands(): return [CommandRef('x y z', 'Z.', 'a:b')]")
        commands = site.host().commands()
        assert set(commands) == {"x", "x y", "x y z"}
        assert commands["x y"].ref.target is None

    @pytest.mark.parametrize(
        ("first", "second"),
        [("logs mine", "logs mine deep"), ("logs mine deep", "logs mine"), ("logs", "logs mine")],
    )
    def test_a_command_is_not_also_a_group(self, site: "Site", first: str, second: str) -> None:
        for name, path in (("a", first), ("b", second)):
            site.install(name, f"@hookimpl\ndef register_commands(): return [CommandRef('{path}', 'H.', 'm:c')]")
        commands = site.host().commands()
        assert first in commands
        assert second not in {path for path, command in commands.items() if command.ref.target is not None}
        assert f"command {second!r} is left out" in site.said[0]

    @pytest.mark.parametrize("path", ["", "Logs", " logs", "logs  mine", "--help", "logs\nmine"])
    def test_a_command_needs_words_that_can_be_typed(self, site: "Site", path: str) -> None:
        site.install("a", f"@hookimpl\ndef register_commands(): return [CommandRef({path!r}, 'H.', 'm:c')]")
        assert dict(site.host().commands()) == {}
        assert "is left out" in site.said[0]

    def test_an_ending_belongs_to_the_first_writer(self, site: "Site") -> None:
        site.install("a", "@hookimpl\ndef writers(): return [Writer('one', ('.x',), print)]")
        site.install("b", "@hookimpl\ndef writers(): return [Writer('two', ('.x', '.y'), print)]")
        host = site.host()
        assert {name: writer.endings for name, writer in host.writers().items()} == {
            "one": (".x",),
            "two": (".y",),
        }
        assert "its ending '.x' is left out" in site.plugin(host, "b").reason

    def test_a_reader_and_a_writer_may_have_one_ending(self, site: "Site") -> None:
        site.install("a", "@hookimpl\ndef writers(): return [Writer('one', ('.x',), print)]")
        both = "Reader('one', ('.x',), print), Reader('two', ('.x',), print)"
        site.install("b", f"@hookimpl\ndef readers(): return [{both}]")
        host = site.host()
        assert {name: reader.endings for name, reader in host.readers().items()} == {"one": (".x",), "two": ()}
        assert host.writers()["one"].endings == (".x",)
        assert "its ending '.x' is left out" in site.plugin(host, "b").reason

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ("()", "need names"),
            ("(Column('date', 'date', ''), Column('date', 'date', ''))", "need names"),
            ("(Column('date', 'date', ''), Column('x', 'datetime', ''))", "no column type 'datetime'"),
            ("(Column('day', 'date', ''),)", "begins with a column `date`"),
        ],
    )
    def test_a_table_that_could_not_be_kept_is_left_out(self, site: "Site", columns: str, reason: str) -> None:
        site.install("a", f"@hookimpl\ndef tables(): return [Table('t', 'help', {columns}, owner='a')]")
        assert dict(site.host().tables()) == {}
        assert reason in site.said[0]


SECTION = """
class Mine(msgspec.Struct):
    depth: int = 1

@hookimpl
def config_sections(): return {{'{name}': Mine}}
"""


class TestSections:
    def test_a_section_is_checked_by_the_plugins_struct(self, site: "Site", tmp_path: Path) -> None:
        site.install("a", SECTION.format(name="mine"))
        file = tmp_path / "crm.yaml"
        file.write_text("mine: {depth: 3}")
        config = load(file, site.host().config_sections())
        assert config.sections["mine"].depth == 3  # type: ignore[attr-defined]  # stands for the real one

    def test_the_hosts_own_section_cannot_be_taken(self, site: "Site") -> None:
        site.install("a", SECTION.format(name="plugins"))
        host = site.host()
        assert host.config_sections()["plugins"].__name__ == "PluginSettings"
        assert "its section 'plugins' is left out" in site.said[0]

    @pytest.mark.parametrize(
        "struct",
        [
            "int",
            "3",
            "msgspec.defstruct('S', ['required'])",
            "msgspec.defstruct('S', [('f', 'NoSuchType', None)])",
            "msgspec.defstruct('S', [('f', __import__('typing').Annotated[str, msgspec.Meta(ge=1)], '')])",
        ],
    )
    def test_a_section_needs_a_struct_that_msgspec_accepts_and_whose_fields_have_defaults(
        self, site: "Site", struct: str
    ) -> None:
        site.install("a", f"@hookimpl\ndef config_sections(): return {{'mine': {struct}}}")
        host = site.host()
        assert "mine" not in host.config_sections()
        assert site.plugin(host, "a").state == "failed"

    def test_the_section_of_a_plugin_that_failed_does_not_stop_the_program(self, site: "Site", tmp_path: Path) -> None:
        site.install("a", "1 / 0")
        (tmp_path / "crm.yaml").write_text("mine: {depth: 3}")
        assert App((), workspace=tmp_path).config.path == tmp_path / "crm.yaml"


class TestMiners:
    def test_a_miner_is_made_from_the_configuration(self, site: "Site") -> None:
        body = "@hookimpl\ndef miners(config): return [Miner(config.path, ('t',), print)]\n"
        site.install("a", site.adds_table("t") + body)
        (miner,) = site.host().miners(Config("from the config", {}))  # type: ignore[arg-type]  # stands for the real one
        assert miner.name == "from the config"

    def test_a_miner_of_an_unknown_table_is_left_out(self, site: "Site") -> None:
        site.install("a", "@hookimpl\ndef miners(): return [Miner('m', ('nowhere',), print)]")
        assert site.host().miners(Config(None, {})) == []
        assert "its miner 'm' is left out: there is no table 'nowhere'" in site.said[0]

    def test_what_came_from_whom_can_be_asked_for_and_marked_as_failed(self, site: "Site") -> None:
        site.install("a", site.adds_table("t") + "@hookimpl\ndef miners(): return [Miner('m', ('t',), print)]")
        host = site.host()
        host.miners(Config(None, {}))
        plugin = host.owner("miner", "m")
        assert plugin is site.plugin(host, "a")
        host.fail(plugin, "its miner 'm' does not work", ValueError("no\nluck"))
        host.fail(plugin, "its miner 'm' does not work", ValueError("again"))
        assert site.said == ["plugin 'a' of dist-a 1.2 failed: its miner 'm' does not work: ValueError: no luck"]


class TestRecommendersAndChannels:
    def test_they_are_found_by_name_and_the_first_of_a_name_stays(self, site: "Site") -> None:
        body = (
            "from crm import Algorithm, Channel\n"
            "@hookimpl\ndef recommenders(): return [Algorithm('best', {made})]\n"
            "@hookimpl\ndef push_channels(): return [Channel('pigeon', {made}, consent='mail', field='email')]\n"
        )
        site.install("a", body.format(made="print"))
        site.install("b", body.format(made="len"))
        host = site.host()
        assert host.recommenders()["best"].make is print
        assert (host.push_channels()["pigeon"].open, host.push_channels()["pigeon"].field) == (print, "email")
        assert len(site.said) == 2
        assert "its recommender 'best' is left out" in site.said[0]

    def test_other_objects_are_a_failure_of_the_plugin(self, site: "Site") -> None:
        site.install("a", "@hookimpl\ndef recommenders(): return ['best']")
        host = site.host()
        assert host.recommenders() == {}
        assert site.plugin(host, "a").state == "failed"


def test_importing_the_package_for_plugin_authors_is_light(site: "Site") -> None:
    code = "import crm, sys; print(sorted({'click', 'msgspec', 'polars', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_that_are_imported_on_demand_are_the_real_ones() -> None:
    assert crm.App is App
    assert crm.table_output is table_output
    with pytest.raises(AttributeError, match="no_such_name"):
        crm.no_such_name  # noqa: B018 - reading it is the test
