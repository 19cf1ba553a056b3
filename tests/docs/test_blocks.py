"""What pages show without running it is right as well: calls of `crm`, and configurations."""

import re
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from cli.main import main

ROOT = Path(__file__).parents[2]
RUN_ELSEWHERE = "operations.md"  # by `test_operations`
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]

BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*kinds: str) -> list[tuple[Path, str]]:
    return [
        (page, body)
        for page in PAGES
        for kind, title, body in BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind in kinds and not title
    ]


def lines(block: str) -> list[str]:
    """The lines of a block that call `crm`, from there on, without their comments."""
    joined = block.replace("\\\n", " ").replace(r"\%", "%")
    called = [re.sub(r"\S*/bin/crm ", "crm ", line) for line in joined.splitlines()]
    found = [re.search(r"(?<![\w/.$-])crm (?=-|[a-z]).*", re.sub(r"\s#.*", "", line)) for line in called]
    return [match.group() for match in found if match]


CALLS = [
    pytest.param(line, id=f"{page.name}-{line[:60]}")
    for page, body in blocks("sh", "bash", "crontab", "cron")
    if page.name != RUN_ELSEWHERE
    for line in lines(body)
]


@pytest.mark.parametrize("line", CALLS)
def test_calls_are_understood(line: str, shell: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = re.sub(r" -o \S+/", " -o ", line)  # the folder is the reader's
    assert shell.calls(here)
    for words in shell.calls(here):
        shell.understand(words, tmp_path)


@pytest.mark.parametrize(
    "text", [pytest.param(body, id=f"{page.name}-{body.split(':')[0]}") for page, body in blocks("yaml")]
)
def test_configurations_are_right(text: str, tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(text, encoding="utf-8")
    words = ["-w", str(tmp_path / "ws"), "-c", str(tmp_path / "crm.yaml"), "config", "check"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.stderr
