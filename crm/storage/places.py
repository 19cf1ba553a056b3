"""Places where files are kept: a folder, or a bucket of an object store.

A lake needs little of them: files appear whole under a name that nobody else gives, they are listed, read and deleted.
A place can be pickled, so that other machines write there; keys of an object store do not travel with it, each process
takes them from its own environment.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar, Protocol

from crm.errors import Unusable


class Place(Protocol):
    """Where files are kept; all paths are relative to it, with `/` between their parts.

    Attributes:
        shared: Whether it is meant for other machines, too.
        options: What Polars and Delta Lake need to reach it; None if nothing.
    """

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def shared(self) -> bool:
        """Whether it is meant for other machines, too."""

    @property
    def options(self) -> dict[str, str] | None:
        """What Polars and Delta Lake need to reach it; None if nothing."""

    def reach(self) -> None:
        """See that it is there.

        Raises:
            Unusable: it is not.
        """

    def uri(self, path: str) -> str:
        """What Polars and Delta Lake call a file or a folder."""

    def write(self, path: str, data: bytes) -> None:
        """Store a file; once this returns, it is there whole, also after a power cut."""

    def open(self, path: str) -> IO[bytes]:
        """Read a file, part by part.

        Raises:
            OSError: it cannot be read.
        """

    def folders(self) -> list[str]:
        """The folders right below, sorted."""

    def names(self, folder: str) -> Iterator[str]:
        """The paths of all files below a folder, in no particular order; none where there is no folder."""

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """How many bytes files have, without those that are not there."""

    def delete(self, paths: Collection[str], *, folders: bool = False) -> None:
        """Delete files, and with `folders` also the folders that are empty then."""

    def make(self, folder: str) -> None:
        """Make a folder, where there is such a thing."""


@dataclass(frozen=True)
class LocalPlace:
    """A folder on a disk, or one that several machines share under the same name.

    Attributes:
        folder: The folder, which is made when something is written.
        shared: Whether it is meant for other machines, too.
    """

    folder: Path
    shared: bool = False
    options: ClassVar[None] = None

    def __reduce__(self) -> tuple[type["LocalPlace"], tuple[Path, bool]]:
        """Another process may be in another folder."""
        return LocalPlace, (self.folder.absolute(), self.shared)

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.folder)

    def reach(self) -> None:
        """See that the folder is there, if it is not made with the workspace."""
        if self.shared and not self.folder.is_dir():
            raise Unusable(f"there is no folder {self.folder} for the lake; make it, or mount what it is on")

    def uri(self, path: str) -> str:
        """The path of a file or a folder."""
        return str(self.folder / path)

    def write(self, path: str, data: bytes) -> None:
        """Store a file on the disk."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            out.write(data)
            out.flush()
            os.fdatasync(out.fileno())

    def open(self, path: str) -> IO[bytes]:
        """Read a file."""
        return (self.folder / path).open("rb")

    def folders(self) -> list[str]:
        """The folders right below, sorted."""
        return sorted(each.name for each in self.folder.iterdir() if each.is_dir()) if self.folder.is_dir() else []

    def names(self, folder: str) -> Iterator[str]:
        """The paths of all files below a folder."""
        for base, _, files in os.walk(self.folder / folder, onerror=_unless_gone):
            within = os.path.relpath(base, self.folder)
            yield from (file if within == os.curdir else f"{within}/{file}" for file in files)

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """How many bytes files have."""
        found = {}
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                found[path] = (self.folder / path).stat().st_size
        return found

    def delete(self, paths: Collection[str], *, folders: bool = False) -> None:
        """Delete files."""
        for path in paths:
            file = self.folder / path
            file.unlink(missing_ok=True)
            if folders:
                with suppress(OSError):  # other files are left in it
                    file.parent.rmdir()

    def make(self, folder: str) -> None:
        """Make a folder."""
        (self.folder / folder).mkdir(parents=True, exist_ok=True)


def _unless_gone(error: OSError) -> None:
    """What is wrong with a folder, unless it is not there, or no longer."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error
