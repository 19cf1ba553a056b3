"""A plugin is looked at in a process of its own, which may hang, end, or print what it likes."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NoReturn

from plugins.manage import starting
from plugins.manage.findings import Finding

if TYPE_CHECKING:
    from crm.app import App

_TIMES: Final = 2.0
"""So many times the time that an import may take has everything together."""
_CHILD: Final = """
import json, sys
sys.path[:], asked = json.loads(sys.argv[1])
from plugins.manage.apart import child
child(*asked)
"""
_LONGEST: Final = 200


def findings_apart(app: "App", path: Path) -> list[tuple[str, Finding]]:
    """All that is wrong with the plugins at a path, each with the plugin's name; `checking.findings`, apart.

    Args:
        app: The run of the program.
        path: A path at which plugins were found.
    """
    config = None if app.config_file is None else str(app.config_file)
    patience = _TIMES * starting.PATIENCE
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        asked = [list(app.builtins), str(app.workspace_path), config, str(path), str(answer), starting.PATIENCE]
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-c", _CHILD, json.dumps([starting.search_path(), asked])],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            what = f"do not come to an end within {patience:g} s: one of them does not return"
            return [(path.stem, Finding("error", "hooks and commands", what))]
        found = answer.read_bytes() if answer.exists() else b""
    return [*_answered(found, path, _last(done.stderr)), *_printed(done.stdout, path)]


def _answered(answer: bytes, path: Path, said: str) -> list[tuple[str, Finding]]:
    """What the process has found; where it has ended before, that is what is wrong."""
    if not answer:
        why = f": {said}" if said else ""
        return [(path.stem, Finding("error", "hooks and commands", f"the process ends when they are asked for{why}"))]
    found: list[dict[str, Any]] = json.loads(answer)
    return [(each.pop("plugin"), Finding(**each)) for each in found]


def _printed(out: bytes, path: Path) -> list[tuple[str, Finding]]:
    """What it has printed, which would stand before every table."""
    said = _last(out)
    what = f"`{said}` is printed to it when the plugin is loaded, and would stand in every table: print to stderr"
    return [(path.stem, Finding("error", "standard output", what))] if said else []


def _last(out: bytes) -> str:
    lines: Sequence[str] = out.decode("utf-8", "replace").split("\n")
    return next((line.strip()[:_LONGEST] for line in reversed(lines) if line.strip()), "")


def child(
    builtins: Sequence[str], workspace: str, config: str | None, path: str, answer: str, patience: float
) -> NoReturn:
    """What the process does: look, and write what was found to where it was told."""
    from crm.app import App
    from plugins.manage.checking import findings
    from plugins.manage.locating import located

    starting.PATIENCE = patience
    app = App(builtins, Path(workspace), None if config is None else Path(config))
    found = [
        {"plugin": each.candidate.name, **asdict(one)} for each in located(Path(path)) for one in findings(app, each)
    ]
    sys.stdout.flush()
    Path(answer).write_bytes(json.dumps(found).encode())
    os._exit(0)  # whatever the plugin has left running
