"""Backups as files: a tar that is written to several places at once, appears whole or not at all, and is read once."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final

from crm.errors import Unusable
from crm.storage.places import Place
from plugins.backup.manifest import NAME, Entry, Manifest, decode

CHUNK: Final = 1 << 20
PART: Final = ".part"
"""At the end of the name of what is not whole yet."""

_LARGEST_MANIFEST: Final = 1 << 30


class Copies:
    """The same bytes in several files; one that cannot be written is given up, and the others go on.

    Args:
        files: Where they shall be; until `publish` they have hidden names beside these.
    """

    def __init__(self, files: list[Path]) -> None:
        self.failed: dict[Path, str] = {}
        self.sha256 = hashlib.sha256()
        self.size = 0
        self._open: dict[Path, BinaryIO] = {}
        for file in files:
            with self._giving_up(file):
                self._open[file] = part_of(file).open("xb")

    def _giving_up(self, file: Path) -> "_GivingUp":
        return _GivingUp(self, file)

    def give_up(self, file: Path, reason: str) -> None:
        """Leave a file out."""
        self.failed[file] = reason
        out = self._open.pop(file, None)
        if out is not None:
            with suppress(OSError):
                out.close()
            with suppress(OSError):
                part_of(file).unlink()

    def folder(self) -> Path:
        """A folder that can be written.

        Raises:
            Unusable: none can.
        """
        for file in self._open:
            return file.parent
        raise Unusable("; ".join(f"cannot write {file}: {why}" for file, why in self.failed.items()))

    def write(self, data: bytes) -> int:
        """Write to all files.

        Raises:
            Unusable: none is left.
        """
        self.sha256.update(data)
        self.size += len(data)
        for file, out in list(self._open.items()):
            with self._giving_up(file):
                out.write(data)
        self.folder()
        return len(data)

    def publish(self) -> list[Path]:
        """Give the files their names, once the disk has them; returns which ones have come so far."""
        done = []
        for file, out in list(self._open.items()):
            with self._giving_up(file):
                out.flush()
                os.fsync(out.fileno())
                out.close()
                part_of(file).replace(file)
                sync_folder(file.parent)
                done.append(file)
        self._open.clear()
        return done

    def discard(self) -> None:
        """Delete what has not been published."""
        for file in list(self._open):
            self.give_up(file, "it was not finished")


class _GivingUp:
    """Turns what the system says of one file into the end of this file alone."""

    def __init__(self, copies: Copies, file: Path) -> None:
        self._copies, self._file = copies, file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OSError):
            return False
        self._copies.give_up(self._file, error.strerror or str(error))
        return True


def part_of(file: Path) -> Path:
    """The hidden name of a file that is not whole yet."""
    return file.with_name(f".{file.name}{PART}")


def sync_folder(folder: Path) -> None:
    """See that the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Writer:
    """Writes files into a tar, and keeps their sums.

    Args:
        out: Where to.
    """

    def __init__(self, out: Copies) -> None:
        self.entries: list[Entry] = []
        self._tar = tarfile.TarFile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK)  # type: ignore[call-overload]  # `out` can only write

    def add(self, name: str, file: Path) -> None:
        """Add a file from the disk.

        Raises:
            Unusable: it cannot be read, or was cut meanwhile.
        """
        try:
            with file.open("rb") as source:
                stat = os.fstat(source.fileno())
                self._add(name, source, stat.st_size, int(stat.st_mtime))
        except OSError as error:
            raise Unusable(f"cannot back up {file}: {error.strerror or error}") from error

    def add_from(self, name: str, place: Place, path: str, size: int) -> None:
        """Add a file from a place, which has so many bytes.

        Raises:
            Unusable: it cannot be read, or was cut meanwhile.
        """
        try:
            with place.open(path) as source:
                self._add(name, source, size, 0)
        except OSError as error:
            raise Unusable(f"cannot back up {place.uri(path)}: {error.strerror or error}") from error

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a file that is not on the disk."""
        self._add(name, io.BytesIO(data), len(data), 0)

    def _add(self, name: str, source: IO[bytes], size: int, mtime: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, mtime, 0o600
        hashing = _Hashing(source)
        self._tar.addfile(info, hashing)
        self.entries.append(Entry(name, size, hashing.sha256.hexdigest()))

    def close(self, manifest: Manifest) -> None:
        """End with the manifest."""
        self.add_bytes(NAME, manifest.encode())
        self._tar.close()


class _Hashing:
    """A source of bytes that takes their sum as they are read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


def unpack(file: Path, where: "Callable[[str], Path | None]") -> tuple[Manifest, list[Entry]]:
    """Read a backup once, from its beginning to its end.

    Args:
        file: The backup.
        where: To which file one of this name goes; None to only take its sum.

    Returns:
        The manifest, and the files that there are with their sums.

    Raises:
        Unusable: it cannot be read, is cut short, or no backup.
    """
    found: list[Entry] = []
    manifest: Manifest | None = None
    try:
        with tarfile.open(file, mode="r|", bufsize=CHUNK) as tar:
            for info in tar:
                source = tar.extractfile(info) if info.isreg() else None
                if source is None or not safe(info.name) or manifest is not None:
                    raise Unusable(f"{file} is no backup: it holds `{info.name[:100]}`")
                if info.name == NAME and info.size < _LARGEST_MANIFEST:
                    manifest = decode(source.read(), file)
                else:
                    found.append(_copied(info.name, source, where(info.name)))
    except (tarfile.TarError, EOFError) as error:
        raise Unusable(f"{file} is no backup, or a damaged one: {error}") from error
    except OSError as error:
        raise Unusable(f"cannot read the backup {file}: {error.strerror or error}") from error
    if manifest is None:
        raise Unusable(f"the backup {file} is cut short: its manifest is missing")
    return manifest, found


def _copied(name: str, source: IO[bytes], target: Path | None) -> Entry:
    sha256, size = hashlib.sha256(), 0
    out = None
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        out = os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        while data := source.read(CHUNK):
            sha256.update(data)
            size += len(data)
            if out is not None:
                out.write(data)
        if out is not None:
            out.flush()
            os.fsync(out.fileno())
    finally:
        if out is not None:
            out.close()
    return Entry(name, size, sha256.hexdigest())


def safe(name: str) -> bool:
    """Whether a name stays below the folder to which it is unpacked."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def faults(manifest: Manifest, found: list[Entry]) -> Iterator[str]:
    """What differs between the files that are in a backup and those that its manifest names, one by one."""
    there = {entry.name: entry for entry in found}
    if len(there) != len(found):
        yield "it holds a file twice"
    for entry in manifest.files:
        if entry.name not in there:
            yield f"{entry.name} is missing"
        elif there[entry.name] != entry:
            yield f"{entry.name} was changed"
    for name in sorted(there.keys() - {entry.name for entry in manifest.files}):
        yield f"{name} does not belong to it"
