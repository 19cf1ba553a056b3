"""Runs the examples of the documentation, so that nothing is written there that the program does not print.

In a page,

- a block ```console holds commands, each after `$ `, and below each what it prints on stdout and stderr; a
  command goes on in the next line after a backslash and within quotes; a line `...` stands for any lines;
- a block with a title, ```python title="hours.py", is a file, which is there for the commands below it.

All blocks of a page run in one folder, in the order of the page. It holds the folders `sample_logs`, `sample_data`,
`configs` and `examples`, and nothing that other pages have left. Every command must end with exit code 0.

    python docs/examples.py                     # check all pages
    python docs/examples.py --update README.md  # write into a page what its commands print now
"""

import argparse
import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = tuple(
    str(page.relative_to(ROOT))
    for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
    if "```console" in page.read_text(encoding="utf-8")
)

SHARED = ("sample_logs", "sample_data", "configs", "examples")
TIMEOUT_S = 300
ANY_LINES = "..."

_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARYING = (
    (re.compile(r"\bin \d+\.\d+ s\b"), "in 0.4 s"),
    (re.compile(r"\bcrawlerdetect \d[\w.]*"), "crawlerdetect 0.4.2"),
    (re.compile(r"\bcrm-[0-9a-f]{8}-\d{8}T\d{6}\.\d{3}Z\b"), "crm-1f0c9a3e-20260302T021500.042Z"),
    (re.compile(r"\b(made|as it was) \d{4}-\d\d-\d\dT[\d:]{8}\+00:00"), r"\1 2026-03-02T02:15:00+00:00"),
)
"""What is not the same in every run or with every release of a package, and what pages say in its place."""

_CRM = '#!/bin/sh\nexec "{python}" -P -m cli "$@"\n'
_PYTHON = """#!/bin/sh
# A script finds what lies beside it; nothing else is found in the working folder.
case "$1" in *.py) exec "{python}" "$@" ;; *) exec "{python}" -P "$@" ;; esac
"""
_PIP = """#!/bin/sh
# Installs what the page says into a folder of the test, without any package index.
[ "$1" = install ] && shift
exec "{python}" -m pip install --quiet --disable-pip-version-check --no-deps --no-index \\
    --no-build-isolation --target "{site}" "$@"
"""


@dataclass(frozen=True)
class Step:
    """A command and what the page says that it prints."""

    command: str
    expected: list[str]


class Sandbox:
    """A folder in which the commands of one page run.

    Args:
        folder: Empty; the working folder, a home and the installed plugins are made in it.
    """

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        home, programs, site = (folder / name for name in ("home", "bin", "site"))
        for made in (self.work, home, programs, site):
            made.mkdir()
        for name in SHARED:
            shutil.copytree(ROOT / name, self.work / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in (("crm", _CRM), ("pip", _PIP), ("python", _PYTHON)):
            program = programs / name
            program.write_text(text.format(python=sys.executable, site=site), encoding="utf-8")
            program.chmod(0o755)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(site),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "80",
        }

    def write(self, name: str, text: str) -> None:
        """Write a file as a user with a strict umask would."""
        file = self.work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        for folder in file.parents:
            if folder == self.work:
                break
            folder.chmod(0o755)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644)

    def run(self, command: str) -> list[str]:
        """What a command prints on stdout and stderr; a failing one ends with a line that says so."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
        lines = done.stdout.decode().replace(str(self.work), "/home/you/shop").splitlines()
        for varying, said in _VARYING:
            lines = [varying.sub(said, line.rstrip()) for line in lines]
        return lines if done.returncode == 0 else [*lines, f"(exit code {done.returncode})"]


def steps(block: str) -> Iterator[Step]:
    """The commands of a block, each with the lines below it."""
    command, expected = "", list[str]()
    for line in block.splitlines():
        if _goes_on(command):
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command:
                yield Step(command, expected)
            command, expected = line.removeprefix("$ "), []
        elif not command:
            raise ValueError(f"a console block begins with `$ `, not with {line!r}")
        else:
            expected.append(line.rstrip())
    if command:
        yield Step(command, expected)


def _goes_on(command: str) -> bool:
    """Whether a shell would wait for another line: after a backslash, or within quotes."""
    try:
        shlex.split(command)
    except ValueError:
        return True
    return command.endswith("\\")


def agrees(expected: list[str], printed: list[str]) -> bool:
    """Whether the lines of a page, `...` being any lines, are those printed; empty lines at the end aside."""
    pattern = "".join("(?:.*\n)*" if line == ANY_LINES else re.escape(line) + "\n" for line in _trimmed(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _trimmed(printed))) is not None


def _trimmed(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1]:
        end -= 1
    return lines[:end]


def run_page(text: str, folder: Path) -> str:
    """The page with what its commands print now, where that differs from what it says.

    Args:
        text: The page.
        folder: An empty folder to work in.
    """
    sandbox = Sandbox(folder)

    def replaced(match: re.Match[str]) -> str:
        kind, title, body = match.groups()
        if title:
            sandbox.write(title, body)
        if kind != "console":
            return match.group()
        lines: list[str] = []
        for step in steps(body):
            printed = sandbox.run(step.command)
            lines += [f"$ {step.command}"]
            lines += step.expected if agrees(step.expected, printed) else printed
        return "```console\n" + "".join(f"{line}\n" for line in lines) + "```"

    return _BLOCK.sub(replaced, text)


def check(page: str) -> str:
    """What differs in a page from what its commands print, as a diff; empty if nothing does."""
    said = (ROOT / page).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        true = run_page(said, Path(folder))
    return "\n".join(
        difflib.unified_diff(said.splitlines(), true.splitlines(), f"{page} says", "the program prints", lineterm="")
    )


def main() -> int:
    """Check or update pages; 1 if one says what is not so."""
    parser = argparse.ArgumentParser(description="Run the examples of the documentation.")
    parser.add_argument("pages", nargs="*", default=PAGES, help="paths in the repository; all if none is given")
    parser.add_argument("--update", action="store_true", help="write what the commands print now")
    given = parser.parse_args()
    wrong = 0
    for page in given.pages:
        if given.update:
            with tempfile.TemporaryDirectory() as folder:
                text = run_page((ROOT / page).read_text(encoding="utf-8"), Path(folder))
            (ROOT / page).write_text(text, encoding="utf-8")
        elif differences := check(page):
            print(differences)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
