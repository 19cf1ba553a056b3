"""What is in a backup: its files with their sums, and its tables with their counts."""

from typing import Final

import msgspec

from crm.errors import Unusable

NAME: Final = "manifest.json"
"""The last file of a backup."""

FORMAT: Final = 1


class Entry(msgspec.Struct, frozen=True):
    """A file of a backup."""

    name: str
    size: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table of a backup.

    `sha256` is that of the rows of a table of records, sorted by their key, as CSV; `version` the Delta table's.
    """

    store: str
    rows: int
    sha256: str = ""
    version: int | None = None


class Manifest(msgspec.Struct, frozen=True):
    """All that a backup says of itself."""

    format: int
    program: str
    layout: int
    created: str
    workspace: str
    records: str
    field_key: bool
    audit: str
    files: tuple[Entry, ...]
    tables: dict[str, Contents]

    def encode(self) -> bytes:
        """As JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def decode(data: bytes, file: object) -> Manifest:
    """A manifest from its JSON.

    Raises:
        Unusable: it is none, or of another version.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError:
        raise Unusable(f"{file} is no backup, or a damaged one: its manifest cannot be read") from None
    if manifest.format != FORMAT:
        raise Unusable(f"{file} has format {manifest.format}, and this program reads format {FORMAT}")
    return manifest
