"""The root command: global options, the tree of commands, help."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import crm as package
from cli.main import main
from crm.app import App
from plugins import DEFAULT_PLUGINS

if TYPE_CHECKING:
    from tests.cli.conftest import Program

HEAVY = {"polars", "sklearn", "sqlalchemy", "deltalake", "numpy", "scipy", "cryptography"}


def builtin_app(folder: Path) -> App:
    return App(DEFAULT_PLUGINS, workspace=folder / "none")


@pytest.mark.parametrize("order", [["-w", "{}", "--help"], ["--help", "-w", "{}"], ["-h", "--workspace={}"]])
def test_help_lists_the_commands_of_the_workspaces_plugins(crm: "Program", order: list[str]) -> None:
    result = CliRunner().invoke(main, [word.format(crm.workspace) for word in order])
    assert result.exit_code == 0
    assert re.search(r"^  probe +End in every way there is\.$", result.stdout, re.MULTILINE)


def test_the_workspace_comes_from_the_environment_unless_it_is_given(crm: "Program", tmp_path: Path) -> None:
    environment = {"CRM_WORKSPACE": str(crm.workspace)}
    assert "probe" in CliRunner().invoke(main, ["--help"], env=environment).stdout
    assert "probe" not in CliRunner().invoke(main, ["-w", str(tmp_path), "--help"], env=environment).stdout


def test_the_configuration_file_can_be_named(crm: "Program", tmp_path: Path) -> None:
    file = str(crm.workspace / "crm.yaml")
    elsewhere = ["-w", str(tmp_path / "other")]
    named = CliRunner().invoke(main, [*elsewhere, "-c", file, "probe", "app"])
    assert named.stdout == f"{tmp_path / 'other'} {file} 0\n"
    assert "probe" in CliRunner().invoke(main, [*elsewhere, "--help"], env={"CRM_CONFIG": file}).stdout


def test_without_a_named_file_the_workspaces_own_configuration_counts(crm: "Program") -> None:
    assert crm("probe", "app").stdout == f"{crm.workspace} {crm.workspace / 'crm.yaml'} 0\n"


@pytest.mark.parametrize(
    ("options", "verbosity", "heard"),
    [
        ([], 0, {"a note", "crm: warning: a warning"}),
        (["-q"], -1, {"crm: warning: a warning"}),
        (["-v"], 1, {"a note", "crm: warning: a warning", "a detail"}),
        (["-vv"], 2, {"a note", "crm: warning: a warning", "a detail"}),
        (["-v", "-v", "-v"], 2, {"a note", "crm: warning: a warning", "a detail"}),
    ],
)
def test_quiet_and_verbose_choose_what_is_said(
    crm: "Program", options: list[str], verbosity: int, heard: set[str]
) -> None:
    result = crm(*options, "probe", "app")
    assert result.stdout.split()[-1] == str(verbosity)
    lines = set(result.stderr.splitlines())
    assert lines & {"a note", "a detail", "crm: warning: a warning"} == heard


def test_version_is_that_of_the_package(crm: "Program") -> None:
    assert crm("--version").stdout == f"crm {package.__version__}\n"


@pytest.mark.parametrize("args", [[], ["plugins"]])
def test_without_a_command_the_help_goes_to_stderr_with_exit_code_2(crm: "Program", args: list[str]) -> None:
    result = crm(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Commands:" in result.stderr


def test_a_command_of_a_group_is_named_with_its_group(crm: "Program") -> None:
    assert "No such command 'mine' (did you mean `logs mine`?)" in crm("mine").stderr
    assert "No such command 'top' (did you mean `logs top` or `paths top`?)" in crm("top").stderr


@pytest.mark.parametrize("args", [["prbe"], ["plugins", "lst"], ["probe", "rises"]])
def test_a_mistyped_command_is_answered_with_the_nearest_one(crm: "Program", args: list[str]) -> None:
    result = crm(*args)
    assert result.exit_code == 2
    meant = {"prbe": "probe", "lst": "list", "rises": "raises"}[args[-1]]
    assert f"No such command '{args[-1]}' (did you mean `{meant}`?)" in result.stderr


@pytest.mark.parametrize(
    ("args", "right"),
    [
        (["probe", "app", "-w", "x y"], "'-w' here: it stands before the command: main -w 'x y' probe app"),
        (["probe", "raises", "exit", "-qv"], "'-q' here: it stands before the command: main -qv probe raises"),
        (["probe", "--config=f", "app"], "'--config' here: it stands before the command: main --config=f probe"),
        (["probe", "app", "--quite"], "'--quite'"),
    ],
)
def test_an_option_of_the_program_behind_the_command_is_told_where_it_stands(
    crm: "Program", args: list[str], right: str
) -> None:
    result = crm(*args)
    assert result.exit_code == 2
    assert f"No such option {right}" in result.stderr


def test_a_configuration_that_is_no_yaml_is_told_once(crm: "Program") -> None:
    file = crm.workspace / "crm.yaml"
    file.write_text("a: 1\nb: {\n")
    told = f"{file}, line 3, column 1: no valid YAML: while parsing a flow node, did not find expected node content"
    assert crm("logs", "status").stderr == f"crm: {told}\n"
    warning = f"crm: warning: {told}; only the built-in plugins are loaded"
    for args in (["logs", "--help"], ["nosuch"], []):
        assert crm(*args).stderr.splitlines().count(warning) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["tables", "-n", "abc"], "'abc' is no whole number."),
        (["tables", "-n", "-1"], "-1 is not in the range x>=0."),
        (["customers", "clv", "--discount", "abc"], "'abc' is no number."),
        (["-v", "tables", "--tz", "abc"], "`abc` is not a time zone"),
    ],
)
def test_what_is_no_number_is_told_plainly(crm: "Program", args: list[str], said: str) -> None:
    result = crm(*args)
    assert result.exit_code == 2
    assert said in result.stderr


def test_h_is_help_everywhere(crm: "Program") -> None:
    for args in (["probe"], ["probe", "app"], ["plugins", "list"]):
        assert crm(*args, "-h").stdout == crm(*args, "--help").stdout != ""


def test_a_plugin_stands_in_a_group_of_another(crm: "Program") -> None:
    assert "extra  Stand in a group of another plugin." in crm("plugins", "--help").stdout
    assert crm("plugins", "extra").exit_code == 0


def test_the_shell_completes_commands_of_the_workspaces_plugins_without_importing_them(
    crm: "Program",
) -> None:
    words = f"crm -w {crm.workspace} probe "
    environment = {"_CRM_COMPLETE": "bash_complete", "COMP_WORDS": words + "l", "COMP_CWORD": "4"}
    result = CliRunner().invoke(main, env=environment, complete_var="_CRM_COMPLETE")
    assert result.stdout.split() == ["plain,late", "plain,lines", "plain,lost"]


def test_the_shell_completes_without_any_option(crm: "Program") -> None:
    environment = {"_CRM_COMPLETE": "bash_complete", "COMP_WORDS": "crm plug", "COMP_CWORD": "1"}
    assert CliRunner().invoke(main, env=environment, complete_var="_CRM_COMPLETE").stdout == "plain,plugins\n"


def test_click_can_drive_it_without_exit_codes(crm: "Program") -> None:
    with pytest.raises(KeyError):
        main(["-w", str(crm.workspace), "probe", "raises", "KeyError"], standalone_mode=False)


def _modules_after(*calls: list[str]) -> set[str]:
    """The modules that are loaded after calls of the program in a fresh process."""
    code = f"""
import sys
from cli.main import main
for call in {list(calls)!r}:
    try:
        main(call)
    except SystemExit as end:
        assert end.code == 0, (call, end.code)
print("\\nMODULES", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("\nMODULES ")[2].split())


def test_help_of_the_program_and_of_groups_imports_no_command_and_nothing_heavy(tmp_path: Path) -> None:
    commands = builtin_app(tmp_path).host.commands()
    groups = [path.split() for path, command in commands.items() if command.ref.target is None]
    modules = _modules_after(["--help"], *([*group, "--help"] for group in groups))
    targets = {(command.ref.target or "").partition(":")[0] for command in commands.values()}
    assert modules & (HEAVY | targets) == set()
    assert "importlib.metadata" not in modules


def test_help_of_no_command_imports_anything_heavy(tmp_path: Path) -> None:
    commands = builtin_app(tmp_path).host.commands()
    paths = [path.split() for path, command in commands.items() if command.ref.target is not None]
    assert _modules_after(*([*path, "--help"] for path in paths)) & HEAVY == set()


def test_the_line_in_a_groups_help_is_the_first_sentence_of_the_commands_own(tmp_path: Path) -> None:
    host = builtin_app(tmp_path).host
    commands = {path: command for path, command in host.commands().items() if command.ref.target is not None}
    assert "plugins list" in commands
    own = {path: host.load_command(command).get_short_help_str(1000) for path, command in commands.items()}
    assert {path: command.ref.help for path, command in commands.items()} == own


def test_every_builtin_plugin_loads_and_nothing_of_it_is_left_out(tmp_path: Path) -> None:
    host = builtin_app(tmp_path).host
    for ask in (host.commands, host.tables, host.log_formats, host.writers, host.config_sections):
        ask()
    mine = [plugin for plugin in host.plugins if plugin.builtin]
    assert len(mine) == len(DEFAULT_PLUGINS)
    assert {(plugin.name, plugin.state, plugin.reason) for plugin in mine} == {
        (plugin.name, "loaded", "") for plugin in mine
    }
