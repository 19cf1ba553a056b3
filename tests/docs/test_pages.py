"""Links lead somewhere, the README's two commands stand where they are looked for, versions agree."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from crm import __version__

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("*/README.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What links may name in a page: its headings in lower case, spaces as dashes, without punctuation."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text(page))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(text(page)):
        if re.match("https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_page_of_docs() -> None:
    linked = set(_LINK.findall(text(ROOT / "README.md")))
    assert {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")} <= linked


@pytest.mark.parametrize(
    "command", ["pip install . && crm logs mine sample_logs/shop.log", "pip install '.[test]' && pytest"]
)
def test_the_readme_has_each_of_its_two_commands_on_one_line(command: str) -> None:
    assert (ROOT / "README.md").read_text(encoding="utf-8").splitlines().count(command) == 1


def test_the_changelog_has_a_section_for_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_architecture_gives_a_reason_for_every_dependency_and_for_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for name in extras for each in extras[name])]
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Dependencies")[2]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \| \S", table.partition("\n## ")[0], re.MULTILINE)
    named = {name for row in rows if row != "package" for name in row.split(", ")}
    needed = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted} - {"crm-toolkit"}
    assert named == {name for name in needed if not name.startswith("types-")}  # which only tell mypy of others


def test_licences_of_dependencies_are_those_that_they_tell() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Dependencies")[2]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \| ([^|]+) \|", table.partition("\n## ")[0], re.MULTILINE)
    told = {}
    for names, licences in rows:
        if names != "package":
            each = names.split(", ")
            told |= dict(zip(each, (licences.split(", ") * len(each))[: len(each)], strict=True))
    assert len(told) > 25
    for name, licence in told.items():
        family = re.split(r"[- ]", licence)[0]
        assert family.lower() in _licence(name).lower(), (name, licence)


def _licence(name: str) -> str:
    """All that a distribution says of its licence."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    data = found.metadata
    files = [file for file in found.files or () if re.search(r"licen[cs]e", file.name, re.IGNORECASE)]
    begin = [Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")[:200] for file in files]
    kinds = [each for each in data.get_all("Classifier") or () if each.startswith("License")]
    return " ".join([data.get("License-Expression") or "", data.get("License") or "", *kinds, *begin])


def test_nox_tests_every_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list", "-f", ROOT / "noxfile.py"], capture_output=True, text=True, check=True
    )
    assert re.findall(r"tests-(3\.\d+)", listed.stdout) == supported
    assert {"style", "docs"} <= set(re.findall(r"^\* (\w+)", listed.stdout, re.MULTILINE))


def test_every_file_that_the_architecture_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:cli|crm|logparse|plugins)/[\w/.]+)`", page)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
