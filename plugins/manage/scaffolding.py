"""A new plugin: the files of a package that can be installed, made from templates in the folder `scaffold`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, get_args

from crm import __version__
from crm.errors import Unusable, UsageError
from crm.hookspecs import HOOK_API

Part = Literal["command", "miner", "log-format", "file-format"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX: Final = "crm-"

_ALWAYS: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".github/workflows/test.yml": "test.yml",
    "src/{module}/__init__.py": "init.py",
    "tests/conftest.py": "conftest.py",
    "tests/test_{module}.py": "test_plugin.py",
}
"""Files of every plugin, and the templates that they are made of."""

_FILES: Final[Mapping[Part, Mapping[str, str]]] = {
    "command": {"src/{module}/commands.py": "commands.py"},
    "miner": {"src/{module}/mining.py": "mining.py"},
    "log-format": {},
    "file-format": {"src/{module}/pairs.py": "pairs.py"},
}
"""More files, by what the plugin shall bring."""

_IMPORTS: Final[Mapping[Part, tuple[str, ...]]] = {
    "command": ("CommandRef",),
    "miner": ("Column", "Miner", "Table"),
    "log-format": ("LogFormat",),
    "file-format": ("Writer",),
}


@dataclass(frozen=True)
class Names:
    """What a new plugin is called, where.

    Attributes:
        plugin: In `crm plugins list`, and its command.
    """

    plugin: str

    @classmethod
    def of(cls, text: str) -> "Names":
        """The names of a plugin that the user calls `hours` or `crm-hours`.

        Raises:
            UsageError: it cannot be called so.
        """
        name = text.removeprefix(_PREFIX)
        if not _NAME.fullmatch(name):
            raise UsageError(f"`{text}` is no name for a plugin: take small letters, digits, dashes, as in shop-hours")
        return cls(name)

    @property
    def distribution(self) -> str:
        """The package that pip installs."""
        return f"{_PREFIX}{self.plugin}"

    @property
    def module(self) -> str:
        """What Python imports."""
        return self.distribution.replace("-", "_")

    @property
    def name(self) -> str:
        """The plugin's name where dashes are not possible: in names of tables and formats."""
        return self.plugin.replace("-", "_")


def scaffold(folder: Path, names: Names, parts: Collection[Part]) -> list[Path]:
    """Write the files of a new plugin, all or none.

    Args:
        folder: The folder of the package, which is made; it may be there and empty.
        names: What the plugin is called.
        parts: What it shall bring.

    Returns:
        The files that were written, relative to the folder.

    Raises:
        Unusable: something is in the folder, or it cannot be written.
    """
    texts = _texts(names, parts)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Unusable(f"{folder} is there already, and not an empty folder; name another by --into")
        beside = folder if folder.exists() else folder.parent
        beside.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".new-plugin-", dir=beside) as place:
            new = Path(place) / names.distribution
            for name, text in texts.items():
                _write(new / name, text)
            if beside != folder:
                new.replace(folder)
            else:  # it may be where the user stands
                for part in new.iterdir():
                    part.replace(folder / part.name)
    except OSError as error:
        raise Unusable(f"{folder} cannot be written: {error.strerror or error}") from error
    return [Path(name) for name in sorted(texts)]


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def _texts(names: Names, parts: Collection[Part]) -> dict[str, str]:
    """The text of each file by its name."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
    chosen = [part for part in PARTS if part in parts]
    values = {
        "plugin": names.plugin,
        "distribution": names.distribution,
        "module": names.module,
        "name": names.name,
        "table": f"{names.name}_entries",
        "title": f"{names.plugin.replace('-', ' ').capitalize()}, a plugin of crm",
        "version": ".".join(__version__.split(".")[:2]),
        "hook_api": HOOK_API,
        "parts": chosen,
        "imports": [*sorted(name for part in chosen for name in _IMPORTS[part]), "hookimpl"],
    }
    wanted = _ALWAYS | {name: template for part in chosen for name, template in _FILES[part].items()}
    source = files(__package__) / "scaffold"
    return {
        name.format(module=names.module): environment.from_string((source / f"{template}.jinja").read_text("utf-8"))
        .render(values)
        .rstrip("\n")
        + "\n"
        for name, template in wanted.items()
    }
