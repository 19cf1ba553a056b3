"""How long a plugin's module takes to be imported, at every start of the program, and what heavy it brings along."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIMIT_MS: Final = 100.0
"""Longer takes a plugin that every `crm --help` would wait for."""
PATIENCE = 30.0
"""So many seconds a module may take to be imported; longer means that its import does not end."""
_ROUNDS: Final = 3

_HEAVY: Final = (
    "altair", "deltalake", "jinja2", "matplotlib", "numpy", "pandas", "polars", "pyarrow", "pyspark", "requests",
    "scipy", "skops", "sklearn", "sqlalchemy", "torch",
)  # fmt: skip

_PROGRAM: Final = """
import importlib, json, sys, time
sys.path[:] = {path!r}
import click, crm, pluggy
sys.path.insert(0, {folder!r})
before, began = set(sys.modules), time.perf_counter()
importlib.import_module({module!r})
took = time.perf_counter() - began
print(json.dumps([1000 * took, sorted(set(sys.modules) - before)]))
"""


def search_path() -> list[str]:
    """Where this process finds modules, but for the working folder: what lies there is the user's."""
    return [each for each in sys.path if each]


@dataclass(frozen=True)
class Start:
    """What an import has cost.

    Attributes:
        milliseconds: The least of some rounds.
        heavy: Packages that are better imported when a command runs.
    """

    milliseconds: float
    heavy: tuple[str, ...]


def start_of(module: str, folder: Path) -> Start | None:
    """Import a module in processes of its own; None if it cannot be imported.

    Args:
        module: Its name.
        folder: Where it, or the package that it is in, lies.

    Raises:
        TimeoutError: its import does not end.
    """
    program = _PROGRAM.format(path=search_path(), folder=str(folder), module=module)
    times: list[float] = []
    heavy: set[str] = set()
    for _ in range(_ROUNDS):
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-c", program],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        try:
            took, new = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return None
        times.append(took)
        heavy.update(name for name in _HEAVY if name in new)
    return Start(min(times), tuple(sorted(heavy)))
