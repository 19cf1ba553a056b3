"""What is generated from the code is in the pages as the code is now."""

import re
import shutil
import subprocess
import sys
from pathlib import Path


def generate(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "docs" / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_page_is_out_of_date(root: Path) -> None:
    done = generate(root, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_outdated_page_is_named_and_left_alone_by_check(root: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for module in (root / "docs").glob("*.py"):
        shutil.copy(module, tmp_path / "docs")
    page = tmp_path / "docs" / "page.md"
    text = "<!-- generated: exit-codes -->\nold\n<!-- end of what docs/generate.py writes -->\n"
    page.write_text(text)
    done = generate(tmp_path, "--check")
    assert (done.returncode, done.stdout) == (
        1,
        "docs/page.md is out of date: run python docs/generate.py\n",
    )
    assert page.read_text() == text
    assert generate(tmp_path).returncode == 0
    assert "another run holds" in page.read_text().lower()
    assert generate(tmp_path, "--check").returncode == 0


def test_every_kind_of_block_is_in_some_page(root: Path) -> None:
    source = (root / "docs" / "generate.py").read_text(encoding="utf-8")
    known = set(re.findall(r'^    "([a-z-]+)": [\w.]+,$', source, re.MULTILINE))
    pages = "".join(page.read_text(encoding="utf-8") for page in root.glob("docs/*.md"))
    assert set(re.findall(r"<!-- generated: (\S+) -->", pages)) == known
