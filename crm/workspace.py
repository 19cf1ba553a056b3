"""The workspace: a folder of one's own with configuration, pseudonym key, lake, records and a lock."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from crm.errors import Locked, Unusable
from crm.protection import ProtectionConfig, RecordsConfig
from crm.tables import Table

if TYPE_CHECKING:
    import polars as pl

    from crm.lake import Lake
    from crm.lake_config import LakeConfig
    from crm.records import Records
    from crm.secrets import Cipher
    from crm.storage.places import Place

SCHEMA_VERSION = 1
"""Version of the workspace's layout, kept in its file `version`."""

KEY_BYTES = 32

FIELD_KEY = "field key"
"""The name of the mark by which workspaces that share records see that they have one key of encrypted values."""

RECORDS_FILE = "records.db"
"""The records in SQLite."""

HITS, SESSIONS = "hits", "sessions"
"""The tables of which all other tables by date are made, each run in this order."""


class Workspace:
    """An open workspace.

    Attributes:
        path: Its folder.
        tables: Contracts of all tables.
        note: Tells the user something.
        where: Where the records are kept.
        protection: Which of their values are kept encrypted.
        lake_place: Where the files of the lake are.
    """

    def __init__(
        self,
        path: Path,
        tables: Mapping[str, Table],
        note: Callable[[str], None] | None = None,
        where: RecordsConfig | None = None,
        protection: ProtectionConfig | None = None,
        lake: "LakeConfig | None" = None,
    ) -> None:
        self.path = path
        self.tables = tables
        self.note = note
        self.where = where or RecordsConfig()
        self.protection = protection or ProtectionConfig()
        self.lake_place = _lake_place(path, lake)
        self._noted = False

    @classmethod
    def open(
        cls,
        path: Path,
        tables: Mapping[str, Table],
        *,
        create: bool = False,
        note: Callable[[str], None] | None = None,
        where: RecordsConfig | None = None,
        protection: ProtectionConfig | None = None,
        lake: "LakeConfig | None" = None,
    ) -> "Workspace":
        """Open a workspace.

        Args:
            path: Its folder.
            tables: Contracts of all tables.
            create: Make it if there is none.
            note: Tells the user something.
            where: Where the records are kept; None for the workspace itself.
            protection: Which of their values are kept encrypted; None for none.
            lake: Where the lake is kept; None for the workspace itself.

        Raises:
            Unusable: there is none and `create` is false, or another version of the program made it.
        """
        version = path / "version"
        if not version.exists():
            if not create:
                raise Unusable(
                    f"there is no workspace at {path}; `crm logs mine FILE` makes one, or an import; or name another "
                    "with -w"
                )
            _make(path)
        found = version.read_text(encoding="ascii").strip()
        if found != str(SCHEMA_VERSION):
            raise Unusable(f"the workspace {path} has version {found}, and this program reads version {SCHEMA_VERSION}")
        return cls(path, tables, note, where, protection, lake)

    @property
    def version(self) -> int:
        """Version of its layout."""
        return SCHEMA_VERSION

    @cached_property
    def lake(self) -> "Lake":
        """The Delta tables.

        Raises:
            Unusable: they are in a place that is another workspace's, or cannot be reached.
        """
        from crm.lake import Lake

        if not self.lake_place.shared:
            return Lake(self.lake_place, self.tables)
        from crm.storage.owner import check, claim

        mark = key_mark(self.key)
        check(self.lake_place, mark)
        return Lake(self.lake_place, self.tables, partial(claim, self.lake_place, mark))

    @cached_property
    def records(self) -> "Records":
        """The SQL tables, in a team's database where the configuration names one; but for those of `local`."""
        if self.where.url is None:
            return self.local
        from crm.records import Records

        tables = {name: table for name, table in self.tables.items() if not table.local}
        return Records(
            self.path / RECORDS_FILE,
            tables,
            url=self.where.url,
            cipher=lambda: self.cipher,
            seals=self.protection.encrypt,
            marks=self._marks,
        )

    def _marks(self) -> dict[str, str]:
        """What all workspaces that share the records must have in common; not while a key is being changed."""
        from crm.secrets import cipher, key_file

        marks = {"key": key_mark(self.key)}
        if self.protection.encrypt and key_file(self.path, self.protection).exists():
            found = cipher(self.path, self.protection)
            if found is not None and not found.changing:
                marks[FIELD_KEY] = key_mark(found.key)
        return marks

    @cached_property
    def local(self) -> "Records":
        """The SQL tables that tell of this lake, such as the ledger of what was mined: always in the workspace.

        Lake and ledger change together, run by run. In a database that several workspaces share, their runs would mix.
        """
        from crm.records import Records

        shared = self.where.url is not None
        tables = {name: table for name, table in self.tables.items() if table.local or not shared}
        return Records(self.path / RECORDS_FILE, tables, cipher=lambda: self.cipher, seals=self.protection.encrypt)

    def records_of(self, name: str) -> "Records":
        """Where the table of this name, one of the records, is kept."""
        return self.local if self.tables[name].local else self.records

    @cached_property
    def cipher(self) -> "Cipher | None":
        """What seals and opens secret values; None while nothing is, or shall be, encrypted.

        Raises:
            Unusable: the key is missing though values are sealed, or cannot be used.
        """
        from crm.secrets import cipher, key_file

        file = key_file(self.path, self.protection)
        if self.records.shared and self.protection.encrypt and not file.exists() and self.records.any_sealed():
            raise Unusable(
                f"{file}, by which values in {self.records.place} are encrypted, is missing; restore it, or copy it "
                "from another workspace that has these records"
            )
        return cipher(self.path, self.protection)

    @cached_property
    def key(self) -> bytes:
        """The pseudonym key, made on first use.

        Raises:
            Unusable: the key's file is damaged.
        """
        file = self.path / "key"
        if not file.exists():
            if any(True for _ in self.lake_place.names(HITS)):
                raise Unusable(f"{file}, by which visitors are named, is missing; restore it from a backup")
            write_key(self.path, secrets.token_bytes(KEY_BYTES))
        return _read_key(file)

    def scan(self, name: str) -> "pl.LazyFrame":
        """A table of the lake or the records, whole, with personal values in the clear.

        The user is told, once, if it is older than the hits.
        """
        if self.tables[name].store != "lake":
            return self.records_of(name).frame(name).lazy()
        if name != HITS and not self._noted and self.note is not None and self._is_behind(name):
            self._noted = True
            self.note(
                f"the table {name} is behind the hits: a run is under way, was interrupted, or a miner does not work; "
                "the next `crm logs mine` that ends well brings it up to date"
            )
        return self.lake.scan(name)

    def _is_behind(self, name: str) -> bool:
        """Whether a table, or the sessions that such tables are made of, has not seen the last run of the hits."""
        last = self.lake.transaction(HITS)
        return 0 < self.lake.transaction(name) < last or self.lake.transaction(SESSIONS) < last

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only one who writes; what is written meanwhile is for the owner alone.

        Raises:
            Locked: another run holds the lock.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise Locked(f"another run is writing to the workspace {self.path}; try again when it has ended") from None
        except OSError as error:
            raise Unusable(f"the workspace {self.path} cannot be written: {error.strerror or error}") from error
        self.__dict__.pop("lake", None)  # what others committed before the lock must be seen
        mask = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(mask)
            lock.release()


def _lake_place(path: Path, lake: "LakeConfig | None") -> "Place":
    """Where the lake of a workspace is."""
    from crm.storage.places import LocalPlace

    found = lake.place() if lake is not None else None
    return found if found is not None else LocalPlace(path / "lake")


def key_mark(key: bytes) -> str:
    """What tells two keys apart without giving either away."""
    return blake2b(b"mark", digest_size=16, key=key).hexdigest()


def _make(path: Path) -> None:
    """Make a workspace: its folder, for its owner alone (one that exists keeps its mode), and its version."""
    try:
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(0o700)
        new = path / f"version.{os.getpid()}"
        new.write_text(f"{SCHEMA_VERSION}\n", encoding="ascii")
        new.replace(path / "version")
    except OSError as error:
        raise Unusable(f"cannot make the workspace {path}: {error.strerror}") from error


def write_key(path: Path, key: bytes) -> None:
    """Give a workspace its pseudonym key; it is made first if there is none.

    Raises:
        Unusable: it already has a different key, by which its visitors are named.
    """
    if not (path / "version").exists():
        _make(path)
    file = path / "key"
    if file.exists():
        if _read_key(file) != key:
            raise Unusable(f"{file} holds another key already, by which the visitors of this workspace are named")
        return
    new = path / f"key.{os.getpid()}"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
        out.write(key.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)


def _read_key(file: Path) -> bytes:
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        key = b""
    if not 16 <= len(key) <= 64:
        raise Unusable(f"{file} is damaged: it should hold 16 to 64 bytes in hexadecimal")
    return key
