"""Modules and functions stay short enough to be read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "cli", "crm", "docs", "examples", "logparse", "plugins", "sample_logs", "tests")
MOST_LINES = {"module": 400, "function": 60}


def too_long(file: Path) -> Iterator[str]:
    text = file.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > MOST_LINES["module"]:
        yield f"{file.relative_to(ROOT)}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MOST_LINES["function"]:
                yield f"{file.relative_to(ROOT)}: {node.name} has {lines} lines"


def test_no_module_and_no_function_is_too_long() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [fault for file in files for fault in too_long(file)] == []
