"""Logs that are objects of a store, such as `s3://bucket/key`, by the file systems of pyarrow.

This module is light: pyarrow is imported when there is a URI.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from glob import has_magic
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from crm.errors import Unusable, UsageError
from crm.s3_config import S3Config
from logparse.errors import UnreadableSource
from plugins.logs.streams import Positioned

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

URI = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?]*)(/.*?)?(\?[^?/]*=[^?]*)?", re.DOTALL)
"""Scheme, store, path and options; a `?` of a glob is followed by no `=`."""


_BY_HOSTS = "force_virtual_addressing=true"
"""Among the options of a URI: see `crm.s3_config`."""


class Look(Protocol):
    """What a file or an object looks like; `os.stat_result` is one."""

    @property
    def st_size(self) -> int:
        """Bytes."""

    @property
    def st_mtime_ns(self) -> int:
        """When it was changed."""

    @property
    def st_ino(self) -> int:
        """Which file it is, whatever its name."""


@dataclass(frozen=True)
class Seen:
    """What an object looks like (a `Look`)."""

    st_size: int
    st_mtime_ns: int
    st_ino: int = 0


def is_uri(name: str) -> bool:
    """Whether a name is the URI of an object or of a file."""
    return URI.fullmatch(name) is not None


def local_path(uri: str) -> str:
    """The path that a URI of this machine's files means; empty for other URIs."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" and parts.netloc in ("", "localhost") else ""


def shown(uri: str) -> str:
    """A URI without the keys and options that it may hold."""
    scheme, store, path, _ = _parts(uri)
    return f"{scheme}://{store.rpartition('@')[2]}{path}"


def reached(uri: str, s3: S3Config) -> str:
    """A URI with the options by which its store is reached, where it has none of its own.

    Raises:
        Unusable: the configuration's endpoint is no URL.
    """
    scheme, *_, options = _parts(uri)
    if scheme != "s3" or options:
        return uri
    s3.check("logs.s3")
    return uri + s3.query()


def matching(uri: str) -> Sequence[str]:
    """The objects that a URI, a glob or a folder means, in the order of their names.

    Raises:
        UsageError: it means none.
        Unusable: the store cannot be used.
    """
    scheme, store, path, options = _parts(uri)
    segments = path.strip("/").split("/")
    fixed = next((n for n, segment in enumerate(segments) if has_magic(segment)), len(segments))
    folder, pattern = "/".join(segments[:fixed]), segments[fixed:]
    if not pattern and not path.endswith("/") and not _is_folder(uri):
        return [uri]
    names = _below(f"{scheme}://{store}/{folder}{options}", recursive=len(pattern) > 1)
    found = sorted(name for name in names if _fits(name.split("/"), pattern or ["*"]))
    if not found:
        told = shown(uri)
        raise UsageError(f"nothing matches {told}; check the pattern" if pattern else f"{told} holds no objects")
    begin = f"{scheme}://{store}/{folder}/" if folder else f"{scheme}://{store}/"
    return [begin + quote(name) + options for name in found]


def look(uri: str) -> Seen:
    """What an object looks like.

    Raises:
        UnreadableSource: there is none, or the store cannot be reached.
    """
    system, path = _place(uri)
    with _plainly():
        info = system.get_file_info(path)
    if not info.is_file:
        raise UnreadableSource("there is no such object")
    return Seen(info.size, info.mtime_ns or 0)


@contextmanager
def opened(uri: str) -> Iterator[BinaryIO]:
    """The bytes of an object; one can go back and forth in them.

    Raises:
        UnreadableSource: there is none, or the store cannot be reached.
    """
    system, path = _place(uri)
    with _plainly():
        file = system.open_input_file(path)
    with file:
        yield cast(BinaryIO, io.BufferedReader(_Object(file)))


class _Object(Positioned):
    """A file of pyarrow as Python has them."""

    def __init__(self, file: Any) -> None:
        super().__init__(int(file.size()))
        self._file = file

    def readinto(self, buffer: Any, /) -> int:
        """The next bytes."""
        if self._at >= self._size:
            return 0
        self._file.seek(self._at)
        count = int(self._file.readinto(buffer))
        self._at += count
        return count


def _parts(uri: str) -> tuple[str, str, str, str]:
    """Scheme, store, path, and options with their question mark."""
    found = URI.fullmatch(uri)
    assert found is not None
    scheme, store, path, options = found.groups(default="")
    return scheme, store, path, options


def _place(uri: str) -> "tuple[FileSystem, str]":
    """A store, and the path of an object in it."""
    scheme, store, path, options = _parts(uri)
    system, root = _system(f"{scheme}://{store}/{options}")
    return system, f"{root.rstrip('/')}/{unquote(path).strip('/')}".rstrip("/") or "/"


@lru_cache
def _system(uri: str) -> "tuple[FileSystem, str]":
    try:
        from pyarrow import ArrowException
        from pyarrow.fs import FileSystem
    except ImportError:
        raise Unusable(f"{shown(uri)} needs another package: pip install 'crm-toolkit[s3]'") from None
    try:
        system, root = _by_hosts(uri) if _BY_HOSTS in uri else FileSystem.from_uri(uri)
    except (ArrowException, OSError, ValueError) as error:
        raise Unusable(f"the store {shown(uri)} cannot be used: {_first_line(error)}") from error
    return system, root


def _by_hosts(uri: str) -> "tuple[FileSystem, str]":
    """A store whose buckets are part of its host name, for which URIs have no option."""
    from pyarrow.fs import S3FileSystem

    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query)) | {"force_virtual_addressing": True}
    return S3FileSystem(**options), parts.netloc


def _is_folder(uri: str) -> bool:
    system, path = _place(uri)
    try:
        with _plainly():
            return bool(system.get_file_info(path).type.name == "Directory")
    except UnreadableSource:
        return False  # it is told when it is read


def _below(uri: str, *, recursive: bool) -> Iterator[str]:
    """The objects in a folder, by their names below it, but for hidden ones."""
    from pyarrow.fs import FileSelector

    system, path = _place(uri)
    try:
        with _plainly():
            found = system.get_file_info(FileSelector(path, allow_not_found=True, recursive=recursive))
    except UnreadableSource as error:
        raise Unusable(f"{shown(uri)}: {error}") from error
    for info in found:
        if info.is_file and not info.base_name.startswith("."):
            yield info.path[len(path) :].lstrip("/")


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the segments of a path fit those of a glob; `**` stands for any number of them."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[n:], pattern[1:]) for n in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


@contextmanager
def _plainly() -> Iterator[None]:
    """What pyarrow raises, as what a log raises that cannot be read."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableSource("there is no such object") from error
    except (OSError, ValueError) as error:  # most of pyarrow's are one of these
        raise UnreadableSource(f"cannot be read: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:300]
