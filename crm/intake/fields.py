"""What a file of customers, orders and the like may say: its fields, and the headers that they are known by."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "text",
    "name",
    "code",
    "id",
    "category",
    "sex",
    "date",
    "timestamp",
    "number",
    "integer",
    "boolean",
    "phone",
    "email",
    "idnumber",
    "region",
    "country",
    "currency",
    "channel",
    "json",
]
"""How the values of a field are written, and in what form they are stored."""

_SIGNS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Field:
    """A column of a table that a file may have.

    Attributes:
        name: The column in the contract of the table; always a header of the field, and the best one.
        kind: How its values are written.
        headers: Other names that it has in files, the best first; compared as `plain` makes them.
        required: Whether a row without it is rejected.
        help: What it is, for the person who edits a map file.
    """

    name: str
    kind: Kind
    headers: tuple[str, ...] = ()
    required: bool = False
    help: str = ""


def plain(header: str) -> str:
    """A header without case, blanks and signs, with letters of full width as ordinary ones."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", header).casefold())
