"""A place in an object store: S3, or what speaks its language. Files appear whole there by nature.

Files are listed, written and deleted by obstore, whose core (the Rust crate object_store) is the one that Polars and
Delta Lake have, too: one set of options and one way to find keys for all three. Keys are never part of a place: each
process finds its own, in the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or by the role
of its machine. Delta Lake commits by a conditional put (If-None-Match), its default on S3, so that a commit never takes
the place of another's; nothing has to be allowed or locked for it.
"""

import io
import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from os.path import commonpath, dirname
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from crm.errors import Unusable

if TYPE_CHECKING:
    from obstore import ReadableFile
    from obstore.store import S3Store
    from typing_extensions import Buffer

FEW: Final = 16
"""So many files are asked for one by one; of more the folder is listed, a thousand a request."""

_CHUNK: Final = 1 << 20
_ALLOW_HTTP: Final = "aws_allow_http"
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_COLOUR: Final = re.compile(r"\x1b\[\d*m")
_NO_KEYS: Final = "169.254.169.254"
"""Where a machine of Amazon's learns its role: asked last, when there are no keys."""

_KEYS: Final = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_WHY: Final = (
    (re.compile(_NO_KEYS), f"there are no keys; set {_KEYS}"),
    (re.compile(r"PermissionDenied|Unauthenticated|\b40[13] |AccessDenied"), f"access is denied; see {_KEYS}"),
    (re.compile(r"NoSuchBucket"), "there is no such bucket"),
    (re.compile(r"error sending request|tcp connect|timed out|dns error"), "it does not answer"),
)
"""What errors of an object store say, and what that means."""


@dataclass(frozen=True)
class RemotePlace:
    """A folder in a bucket.

    Attributes:
        url: s3://BUCKET/FOLDER.
        settings: What reaches it beside its URL, by the names that Polars, Delta Lake and obstore have for it; no keys.
    """

    url: str
    settings: tuple[tuple[str, str], ...] = ()
    shared: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    @property
    def options(self) -> dict[str, str]:
        """What Polars and Delta Lake need to reach it."""
        return dict(self.settings)

    def reach(self) -> None:
        """Whatever is asked of it tells whether it is there."""

    def uri(self, path: str) -> str:
        """The URL of a file or a folder."""
        return f"{self.url}/{path}"

    def write(self, path: str, data: bytes) -> None:
        """Store a file."""
        with self.telling("written"):
            self._store.put(path, data)

    def open(self, path: str) -> IO[bytes]:
        """Read a file."""
        import obstore

        with self.telling("read"):
            return io.BufferedReader(_Reading(self, obstore.open_reader(self._store, path)), _CHUNK)

    def folders(self) -> list[str]:
        """The folders right below, sorted."""
        with self.telling("read"):
            return sorted(self._store.list_with_delimiter()["common_prefixes"])

    def names(self, folder: str) -> Iterator[str]:
        """The paths of all files below a folder."""
        yield from self._listed(folder)

    def sizes(self, paths: Collection[str]) -> dict[str, int]:
        """How many bytes files have."""
        if len(paths) > FEW:
            there = self._listed(commonpath([dirname(path) for path in paths]))
            return {path: there[path] for path in paths if path in there}
        with ThreadPoolExecutor(FEW) as pool:
            found = pool.map(self._size, paths)
            return {path: size for path, size in zip(paths, found, strict=True) if size is not None}

    def delete(self, paths: Collection[str], *, folders: bool = False) -> None:  # noqa: ARG002  # there are none
        """Delete files."""
        if paths:
            with self.telling("written"):
                self._store.delete(list(paths))

    def make(self, folder: str) -> None:
        """Folders are parts of names here; nothing has to be made."""

    @property
    def _store(self) -> "S3Store":
        return _opened(self)

    def _size(self, path: str) -> int | None:
        with self.telling("read"), suppress(FileNotFoundError):
            return self._store.head(path)["size"]
        return None

    def _listed(self, folder: str) -> dict[str, int]:
        with self.telling("read"):
            return {item["path"]: item["size"] for part in self._store.list(folder or None) for item in part}

    @contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Turn what the object store refuses into one sentence.

        Raises:
            Unusable: it has refused something.
        """
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
                raise
            raise Unusable(f"the lake {self.url} cannot be {what}: {why(error)}") from error


class _Reading(io.RawIOBase):
    """A file that is read part by part."""

    def __init__(self, place: RemotePlace, source: "ReadableFile") -> None:
        self._place, self._source = place, source

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        """Read on."""
        room = memoryview(buffer)
        with self._place.telling("read"):
            data = memoryview(self._source.read(room.nbytes))
        room[: data.nbytes] = data
        return data.nbytes


@lru_cache(maxsize=4)
def _opened(place: RemotePlace) -> "S3Store":
    """What speaks with the object store, once in each process."""
    try:
        from obstore.store import S3Store
    except ImportError:
        raise Unusable(
            f"the lake {place.url} needs the package obstore, which is not installed; pip install 'crm-toolkit[s3]'"
        ) from None
    config: Any = place.options
    http: Any = {"allow_http": True} if config.pop(_ALLOW_HTTP, None) else {}
    return S3Store.from_url(place.url, config=config, client_options=http)


def why(error: BaseException) -> str:
    """What an object store, or Delta Lake on one, says went wrong, in few words; no keys are among them."""
    text = _COLOUR.sub("", f"{type(error).__name__} {error}")
    for sign, meaning in _WHY:
        if sign.search(text):
            return meaning
    if code := _CODE.search(text):
        return f"it says {code[1]}"
    return str(error).splitlines()[0].rsplit(" - ", 1)[-1].split("<")[0][:200].rstrip(" :")
