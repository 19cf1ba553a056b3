"""Values that are kept encrypted: sealed and opened by the key in a file (AES-256-GCM, NIST SP 800-38D).

A sealed value is the text `enc1:`, a mark of the key, and base64 of 12 random bytes, the encrypted value and its tag.
The mark tells under which key a value is, so that a key can be changed while old values are still there. Equal values
have different sealed texts: values are found by the keyed hashes of `crm.identities`, which have a key of their own.
"""

import os
import secrets
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from contextlib import suppress
from glob import escape
from hashlib import blake2b
from pathlib import Path
from stat import S_IRWXG, S_IRWXO
from typing import TYPE_CHECKING, Final

from crm.errors import Unusable

if TYPE_CHECKING:
    import sqlite3

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from crm.protection import ProtectionConfig

PREFIX: Final = "enc1:"
"""How a sealed value begins."""

KEY_BYTES: Final = 32
KEY_NAME: Final = "field.key"
NEXT: Final = ".next"
"""Behind the name of a key's file: the key that takes its place, while values are brought under it."""

OLD: Final = ".old-"
"""Behind the name of a key's file, before a mark: a key that was in its place before; old backups need it."""

_NONCE_BYTES: Final = 12
_MARK_BYTES: Final = 6


class Cipher:
    """Seals values under one key, and opens those under it.

    Args:
        key: 32 bytes.
        name: What messages call the key: its file.
        others: Ciphers of other keys, under which values may still be; nothing is sealed under them.

    Attributes:
        changing: Whether another key is about to take the place of this one.
    """

    def __init__(self, key: bytes, name: str = "the key", others: "Sequence[Cipher]" = ()) -> None:
        self.key = key
        self.name = name
        self.changing = False
        self.prefix = PREFIX + _base64(blake2b(b"field", digest_size=_MARK_BYTES, key=key).digest())
        self._others = {other.prefix: other for other in others}

    def seal(self, values: Iterable[str | None]) -> list[str | None]:
        """Values as they are kept; null stays null."""
        plain = list(values)
        encrypt, prefix = self._aes().encrypt, self.prefix
        noise = os.urandom(_NONCE_BYTES * len(plain))
        sealed: list[str | None] = []
        for at, value in enumerate(plain):
            if value is None:
                sealed.append(None)
                continue
            nonce = noise[_NONCE_BYTES * at : _NONCE_BYTES * (at + 1)]
            sealed.append(prefix + _base64(nonce + encrypt(nonce, value.encode(), None)))
        return sealed

    def open(self, values: Iterable[str | None]) -> list[str | None]:
        """Sealed values as they were; null, and what is not sealed, stays as it is.

        Raises:
            Unusable: one is under another key, or has been tampered with.
        """
        from cryptography.exceptions import InvalidTag

        own, begin, decrypt, nonce = self.prefix, len(self.prefix), self._aes().decrypt, _NONCE_BYTES
        opened: list[str | None] = []
        try:
            for value in values:
                if value is None or not value.startswith(PREFIX):
                    opened.append(value)
                elif value.startswith(own):
                    data = a2b_base64(value[begin:], strict_mode=True)
                    opened.append(decrypt(data[:nonce], data[nonce:], None).decode())
                else:
                    opened += self._other(value[:begin]).open([value])
        except (InvalidTag, ValueError):  # what is no base64 is a ValueError, too
            raise Unusable(
                f"an encrypted value was changed after {self.name} had sealed it; restore the records from a backup"
            ) from None
        return opened

    def _other(self, prefix: str) -> "Cipher":
        if prefix not in self._others:
            raise Unusable(
                f"an encrypted value is under another key than that of {self.name}; restore the file of its key, or "
                "name it in the configuration (`protection.key_file`)"
            )
        return self._others[prefix]

    def _aes(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self.key)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def key_file(path: Path, config: "ProtectionConfig") -> Path:
    """The file of the key of a workspace; a relative name is meant within it."""
    return path / Path(config.key_file or KEY_NAME).expanduser()


def cipher(path: Path, config: "ProtectionConfig") -> Cipher | None:
    """What seals and opens the values of a workspace; None while it has no key and needs none.

    Args:
        path: The workspace's folder.
        config: What the configuration says. If it asks for encryption and there is no key yet, one is made.

    Raises:
        Unusable: the key is missing though values are sealed under it, damaged, or readable by others.
    """
    file = key_file(path, config)
    if not file.exists():
        if not config.encrypt:
            return None
        _see_that_none_is_lost(path, file)
        write_key(file, secrets.token_bytes(KEY_BYTES), anew=False)
    beside = [file.with_name(file.name + NEXT), *sorted(file.parent.glob(f"{escape(file.name)}{OLD}*"))]
    found = Cipher(read_key(file), str(file), [Cipher(read_key(each), str(each)) for each in beside if each.exists()])
    found.changing = beside[0].exists()
    return found


def _see_that_none_is_lost(path: Path, file: Path) -> None:
    """See that no value is sealed yet: a new key would not open it.

    Raises:
        Unusable: some are.
    """
    import sqlite3

    records = path / "records.db"
    if not records.exists():
        return
    with sqlite3.connect(f"file:{records}?mode=ro", uri=True) as connection:
        found = any(connection.execute(query).fetchone() for query in _questions(connection))
    connection.close()
    if found:
        raise Unusable(f"{file}, by which values of {records} are encrypted, is missing; restore it")


def _questions(connection: "sqlite3.Connection") -> list[str]:
    """A query for each text column that finds a sealed value in it."""
    columns = connection.execute(
        "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p"
        " WHERE m.type = 'table' AND p.type = 'TEXT'"
    ).fetchall()
    return [f"""SELECT 1 FROM "{table}" WHERE "{column}" GLOB '{PREFIX}*' LIMIT 1""" for table, column in columns]


def read_key(file: Path) -> bytes:
    """The key in a file.

    Raises:
        Unusable: it holds none, or others than its owner can read it.
    """
    try:
        mode = file.stat().st_mode
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except OSError as error:
        raise Unusable(f"the key file {file} cannot be read: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Unusable(f"the key file {file} is damaged: it should hold {KEY_BYTES} bytes in hexadecimal")
    if mode & (S_IRWXG | S_IRWXO):
        raise Unusable(f"the key file {file} is open to others than its owner; close it: chmod 600 {file}")
    return key


def write_key(file: Path, key: bytes, *, anew: bool = True) -> None:
    """Write a key's file, for its owner alone; it is there whole or not at all, also after a power cut.

    Args:
        file: The file.
        key: The key.
        anew: Take the place of a file that is there; else that one stays, which another run has just made.

    Raises:
        Unusable: it cannot be written.
    """
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(key.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
        if anew:
            new.replace(file)
        else:
            with suppress(FileExistsError):
                file.hardlink_to(new)
            new.unlink()
        sync_folder(file.parent)
    except OSError as error:
        raise Unusable(f"cannot write the key file {file}: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """See that what was renamed in a folder stays so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
