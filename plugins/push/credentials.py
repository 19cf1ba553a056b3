"""Passwords and secrets: from the environment, or from files of their owner's alone; never from the configuration."""

import os
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import TYPE_CHECKING

from crm.errors import Unusable

if TYPE_CHECKING:
    from crm.app import App


def beside_config(app: "App", name: str) -> Path:
    """A path of the configuration: relative ones are meant beside its file."""
    file = app.config_file
    return (file.parent if file is not None else app.workspace_path) / Path(name).expanduser()


def read_secret(app: "App", where: str, variable: str | None, file: str | None) -> str | None:
    """A secret from the environment or from a file; None if neither is named.

    Args:
        app: The run of the program.
        where: How the configuration calls it, without the ending: `push.smtp.password`.
        variable: The environment variable.
        file: The file.

    Raises:
        Unusable: it is empty or missing, or others than its owner can read the file.
    """
    if variable is not None:
        found = os.environ.get(variable, "")
        if not found:
            raise Unusable(f"the environment variable {variable} (`{where}_env`) is not set")
        return found
    return None if file is None else _from_file(beside_config(app, file), where)


def _from_file(path: Path, where: str) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path} (`{where}_file`) cannot be read: {getattr(error, 'strerror', error)}") from error
    if mode & (S_IRWXG | S_IRWXO):
        raise Unusable(f"{path} (`{where}_file`) is open to others than its owner; close it: chmod 600 {path}")
    if not text:
        raise Unusable(f"{path} (`{where}_file`) is empty")
    return text
