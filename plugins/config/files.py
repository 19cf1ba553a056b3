"""The files of `crm config init`: the configuration that is written, the key that is read."""

import os
import stat
from pathlib import Path
from typing import Final

from crm.errors import Unusable

_KEY_BYTES: Final = 32


def write_new(file: Path, text: str) -> None:
    """Write a file that must not exist, mode 0600 (it may come to hold a password), its folder mode 0700.

    Raises:
        Unusable: it exists, or cannot be written.
    """
    if file.exists():
        raise Unusable(f"{file} exists and is left as it is")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise Unusable(f"cannot write {file}: {error.strerror or error}") from error


def read_key(file: Path) -> bytes:
    """The key in a file of 64 hexadecimal digits.

    Raises:
        Unusable: the file cannot be read, others may read it, or it holds something else.
    """
    try:
        with file.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            text = source.read(4 * _KEY_BYTES)
    except OSError as error:
        raise Unusable(f"key file {file}: {error.strerror or error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unusable(f"key file {file}: others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 it")
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise Unusable(f"key file {file}: expected {2 * _KEY_BYTES} hexadecimal digits") from None
    if len(key) != _KEY_BYTES:
        raise Unusable(f"key file {file}: expected {_KEY_BYTES} bytes in hex, got {len(key)}")
    return key
