"""`crm plugins check`: what is wrong with a plugin, in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.manage import starting
from plugins.manage.scaffolding import PARTS, Names, scaffold
from plugins.manage.starting import start_of

GOOD = '''
"""A plugin."""
import click
from crm import CommandRef, Column, LogFormat, Table, hookimpl

crm_hook_api = 1

@hookimpl
def register_commands():
    return [CommandRef("hours", "Count sessions by the hour.", f"{__name__}:hours")]

@click.command()
@click.option("--at", help="When.")
def hours(at):
    """Count sessions by the hour.

    \\b
    Examples:
      crm hours
    """
'''


def found(crm: Any, body: str, *, code: int = 4) -> list[tuple[str, str, str]]:
    """Level, place and sentence of all that is wrong with a single file."""
    file = crm.folder / "one.py"
    file.write_text(body)
    file.chmod(0o644)
    printed = crm("plugins", "check", file, "-f", "json", code=code)
    rows = json.loads(printed.stdout)
    return [(row["level"], row["where"], row["what"]) for row in rows]


def test_nothing_is_wrong_with_a_good_one(crm: Any) -> None:
    assert found(crm, GOOD, code=0) == []


@pytest.mark.parametrize(
    ("change", "level", "where", "what"),
    [
        (("crm_hook_api = 1", ""), "warning", "crm_hook_api", "is not set"),
        (("crm_hook_api = 1", "crm_hook_api = 7"), "error", "crm_hook_api", "is 7"),
        (("def register_commands()", "def register_command()"), "error", "register_command", "`register_commands`?"),
        (("def register_commands()", "def register_commands(ap)"), "error", "register_commands", "it has none"),
        (("@hookimpl\n", ""), "error", "register_commands", "without the mark @hookimpl"),
        (("@hookimpl\n", "@hookimpl(wrapper=True)\n"), "error", "register_commands", "cannot be wrapped"),
        (('"hours", "Count', '"logs mine", "Count'), "error", "beside others", "plugin 'logs' of crm-toolkit"),
        (("f\"{__name__}:hours\")]", 'f"{__name__}:ours")]'), "error", "command hours", "cannot be imported"),
        (("f\"{__name__}:hours\")]", 'f"{__name__}:hours"), 1]'), "error", "beside others", "instead of a CommandRef"),
        (('"Count sessions by the hour."', '"Counts."'), "warning", "command hours", "does not begin with the line"),
        (('"Count sessions by the hour."', '""'), "warning", "command hours", "has no help"),
        ((', help="When."', ""), "warning", "command hours", "--at has no help"),
        (("Examples:", "So:"), "warning", "command hours", "shows no example"),
        (("import click", "import click, no_such_module"), "error", "crm_plugin_one", "no_such_module"),
        (("import click", "import click, time; time.sleep(.12)"), "error", "module one", "100 ms are allowed"),
        (("import click", "import click, sys; sys.exit(3)"), "error", "crm_plugin_one", "SystemExit: 3"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_fault_is_told(crm: Any, change: tuple[str, str], level: str, where: str, what: str) -> None:
    assert change[0] in GOOD
    faults = found(crm, GOOD.replace(*change, 1), code=4 if level == "error" else 0)
    assert [(level, where) for level, where, sentence in faults if what in sentence] == [(level, where)], faults


CLASSIFIER = """

from crm import TicketClassifier

@hookimpl
def ticket_classifiers():
    return [TicketClassifier("linear-svm", make=dict)]
"""


def test_ticket_classifiers_are_asked_for_too(crm: Any) -> None:
    for body, what in ((CLASSIFIER, "linear-svm"), (CLASSIFIER.replace("dict)", "dict), 5"), "instead of a Ticket")):
        (said,) = [said for _, where, said in found(crm, GOOD + body) if where == "beside others"]
        assert what in said


def test_commands_within_a_group_need_help_too(crm: Any) -> None:
    group = (
        GOOD.replace("@click.command()", "@click.group()")
        + """

@hours.command()
@click.option("--zip")
def sub(zip):
    pass
"""
    )
    said = [(where, what) for _, where, what in found(crm, group, code=0)]
    assert ("command hours sub", "its option --zip has no help") in said
    assert ("command hours sub", "has no help: give its function a docstring") in said


def test_a_package_with_a_section_of_its_own_need_not_be_installed(crm: Any) -> None:
    example = Path(__file__).parents[3] / "examples" / "crm-example-plugin"
    assert crm.rows("plugins", "check", example) == []


def test_a_file_whose_name_is_no_word_of_python_is_timed_too(crm: Any) -> None:
    file = crm.folder / "my-hours.py"
    file.write_text("import time; time.sleep(.12)")
    start = start_of("my-hours", file.parent)
    assert start is not None
    assert start.milliseconds > 100


def test_an_import_that_does_not_end_is_told(crm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 4.0)
    [(level, where, what)] = found(crm, f"{GOOD}\nwhile True:\n    pass\n")
    assert (level, where) == ("error", "module one")
    assert what.startswith("does not end within 4 s when it is imported")


def test_packages_in_the_working_folder_are_none_of_the_program(crm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("crm", "plugins"):
        (crm.folder / name).mkdir()
        (crm.folder / name / "__init__.py").write_text("raise ValueError\n")
    monkeypatch.chdir(crm.folder)
    assert found(crm, GOOD, code=0) == []
    assert "ms to be imported" in found(crm, f"{GOOD}\nimport time; time.sleep(.12)\n")[0][2]


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("while True: pass", "hooks and commands", "do not come to an end within 6 s"),
        ("import os; os._exit(0)", "hooks and commands", "the process ends when they are asked for"),
        ("print('loud')", "standard output", "`loud` is printed to it"),
    ],
    ids=["endless", "ends", "prints"],
)
def test_what_a_hook_must_not_do_is_told(
    crm: Any, monkeypatch: pytest.MonkeyPatch, line: str, where: str, what: str
) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 3.0)
    told = found(crm, GOOD.replace("    return [CommandRef", f"    {line}\n    return [CommandRef"))
    assert [(level, place) for level, place, _ in told] == [("error", where)]
    assert what in told[0][2]


def test_heavy_imports_are_named(crm: Any) -> None:
    file = crm.folder / "one.py"
    file.write_text(GOOD.replace("import click", "import click, polars, sqlalchemy"))
    file.chmod(0o644)
    start = start_of("one", file.parent)
    assert start is not None
    assert {"polars", "sqlalchemy"} <= set(start.heavy)


def test_tables_sections_and_formats_need_help(crm: Any) -> None:
    body = """
import msgspec
from crm import Column, LogFormat, Table, hookimpl
from typing import Annotated
crm_hook_api = 1
class Inner(msgspec.Struct, frozen=True):
    x: Annotated[int, msgspec.Meta(description="X.")] = 1
class Section(msgspec.Struct):
    depth: int = 1
    width: Annotated[int, msgspec.Meta(description="How wide.")] = 1
    inner: Inner = Inner()
@hookimpl
def tables():
    return [Table("widths", "", (Column("date", "date", "day"), Column("w", "int64", "")), "one")]
@hookimpl
def log_formats():
    return [LogFormat("own", "apache", '%h %l %u %t "%r"')]
@hookimpl
def config_sections():
    return {"widths": Section}
"""
    assert found(crm, body, code=0) == [
        ("warning", "table widths", "has no help, which lists show"),
        ("warning", "table widths", "its column `w` has no help"),
        ("warning", "log format own", "has no help, which lists show"),
        ("warning", "section widths", "its setting `depth` has no description"),
    ]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (('"crm-toolkit>=0.1", ', ""), "its dependencies lack crm-toolkit"),
        (('requires-python = ">=3.11"\n', ""), "`project` has no `requires-python`"),
    ],
    ids=["dependencies", "python"],
)
def test_a_package_says_what_it_needs(crm: Any, change: tuple[str, str], what: str) -> None:
    project = package(crm.folder / "made")
    assert change[0] in project.read_text()
    project.write_text(project.read_text().replace(*change))
    (row,) = crm.rows("plugins", "check", project.parent)
    assert (row["level"], row["where"]) == ("warning", "pyproject.toml")
    assert what in row["what"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            ("[project.entry-points.crm]", "[project.entry-points.crn]"),
            "names no plugin, and `crn` is another",
        ),
        (('"crm_hours"', '"crm_ours"'), "there is neither crm_ours/ nor src/crm_ours/"),
        (("[project]", "[project"), "cannot be read"),
    ],
    ids=["group", "module", "toml"],
)
def test_a_package_that_names_no_plugin_is_refused(crm: Any, change: tuple[str, str], what: str) -> None:
    project = package(crm.folder / "made")
    project.write_text(project.read_text().replace(*change))
    assert what in crm("plugins", "check", project.parent, code=4).stderr


def package(folder: Path) -> Path:
    scaffold(folder, Names.of("hours"), PARTS)
    return folder / "pyproject.toml"


def test_a_path_that_is_none_is_refused(crm: Any) -> None:
    assert "is no plugin" in crm("plugins", "check", crm.folder, code=4).stderr
    file = crm.folder / "nofile.py"
    assert crm("plugins", "check", file, code=4).stderr == f"crm: there is no file or folder {file}\n"
