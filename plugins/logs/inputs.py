"""What the user names as input: files, globs, folders and `-`, as a list of logs in a fixed order."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crm.errors import UsageError
from crm.s3_config import S3Config
from logparse.errors import UnreadableSource
from plugins.logs import objects
from plugins.logs.objects import Look

STDIN = "-"

NOWHERE_ELSE = S3Config()
"""Amazon's own store."""


@dataclass(frozen=True)
class Input:
    """One log to read.

    Attributes:
        name: As the user named it.
        path: The file; None for standard input and objects.
        found: Whether the user has named a folder or a glob.
        uri: Of an object of a store; empty for others.
    """

    name: str
    path: Path | None
    found: bool = False
    uri: str = ""

    @property
    def place(self) -> str:
        """Where it is, whatever the user calls it; empty for standard input."""
        if self.uri:
            return objects.shown(self.uri)
        return str(self.path.resolve()) if self.path else ""

    def look(self) -> Look | None:
        """What it looks like without being opened; None for standard input.

        Raises:
            UnreadableSource: there is none.
        """
        if self.uri:
            return objects.look(self.uri)
        try:
            return self.path.stat() if self.path else None
        except OSError as error:
            raise UnreadableSource(error.strerror or str(error)) from error

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, bool]]:
        """The log as `logparse.blocks.open_stream` gives it; an object does not grow, so it is never plain.

        Raises:
            UnreadableSource: it cannot be opened.
        """
        from logparse.blocks import open_stream

        if not self.uri:
            with open_stream(self.stream) as found:
                yield found
            return
        with objects.opened(self.uri) as file, open_stream(file) as found:
            yield found

    @property
    def size(self) -> int:
        """Bytes of the file; 0 where that is not known."""
        try:
            return self.path.stat().st_size if self.path else 0
        except OSError:
            return 0

    @property
    def stream(self) -> Path | BinaryIO:
        """What `logparse.blocks.open_stream` takes.

        Raises:
            UnreadableSource: it is standard input, which the caller has closed.
        """
        if self.path is not None:
            return self.path
        if sys.stdin is None:
            raise UnreadableSource("standard input is closed")
        return sys.stdin.buffer


def expand(names: Iterable[str], outputs: Iterable[Path | None] = (), *, s3: S3Config = NOWHERE_ELSE) -> list[Input]:
    """The logs that are meant, each file once, folders and globs in the order of their names.

    Args:
        names: What the user named.
        outputs: Files that the command writes, which would destroy a log of the same name; None for one not wanted.
        s3: How s3:// is reached, where a URI does not say.

    Raises:
        UsageError: a glob or folder holds nothing, or an output is one of the logs, or two outputs are one file.
    """
    found: dict[str, Input] = {}
    for name in names:
        for item in _one(name, s3):
            found.setdefault(item.place or STDIN, item)
    _keep_apart({*found}, [file for file in outputs if file is not None and str(file) != STDIN])
    return list(found.values())


def unreadable(logs: Iterable[Input]) -> dict[str, str]:
    """The files among some logs that are not there, or cannot be reached, by their names; and why."""
    found = {}
    for log in logs:
        try:
            if log.path is not None:
                log.look()
        except UnreadableSource as error:
            found[log.name] = str(error)
    return found


def _keep_apart(logs: set[str], outputs: Iterable[Path]) -> None:
    """See `expand`; the places of logs are resolved."""
    taken: set[str] = set()
    for file in outputs:
        place = str(file.resolve())
        if place in logs:
            raise UsageError(
                f"{file} is one of the logs that are read, and would be overwritten; write to another file"
            )
        if place in taken and (file.is_file() or not file.exists()):  # a device may be named twice
            raise UsageError(f"{file} is named for two outputs; write each to a file of its own")
        taken.add(place)


def _one(name: str, s3: S3Config) -> list[Input]:
    if name == STDIN:
        return [Input("stdin", None)]
    if objects.is_uri(name):
        return _objects(objects.reached(name, s3))
    path = Path(name)
    if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
        files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise UsageError(f"the folder {name} holds no files; name a folder of logs, or a file")
        return [Input(str(file), file, found=True) for file in files]
    if not path.exists() and glob.has_magic(name):
        matches = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())
        if not matches:
            raise UsageError(f"nothing matches {name}; check the pattern")
        return [Input(file, Path(file), found=True) for file in matches]
    return [Input(name, path)]


def _objects(name: str) -> list[Input]:
    """The objects that a URI means; those of this machine are files."""
    if local := objects.local_path(name):
        return _one(local, NOWHERE_ELSE)
    return [Input(objects.shown(uri), None, found=uri != name, uri=uri) for uri in objects.matching(name)]
