"""vcard: a row a card, with the columns `COLUMNS`, and `phone_2`, `email_2`, ... where a card has several."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from crm.content import Content, Read
from crm.encodings import called, decoded
from crm.errors import Unusable
from crm.messages import counted
from plugins.readers.cards import Card, Cards, Property, cards, parts, unescaped
from plugins.readers.rejects import of_reasons

COLUMNS: Final = ("name", "family", "given", "phone", "email", "address", "birthday", "organisation", "note")

_MOST: Final = 9
"""So many phones, e-mails or addresses of a card are read."""
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_DAY: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?=T|$)")
_URI: Final = re.compile(r"^(?:tel|mailto):", re.IGNORECASE)
_LETTERS: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u052f]")


def read_vcard(content: Content) -> Read:
    """The table of a file of vCards.

    Raises:
        UsageError: the user has named a separator or a sheet, or an encoding that there is not.
        Unusable: there is no card in it.
    """
    content.without(separator=content.separator, sheet=content.sheet)
    data, encoding = content.data, content.encoding
    if data.startswith(_WIDE) or b"\0" in data[:64]:
        data, encoding = decoded(data, content.name, encoding).data, None
    found = cards(data, encoding)
    if not found.cards:
        raise Unusable(f"{content.name}: there is no card in it; expected BEGIN:VCARD")
    whole = [card for card in found.cards if card.closed]
    rows = [_row(found, card) for card in whole]
    names = sorted({name for row in rows for name in row}.difference(COLUMNS))
    columns = [each for name in COLUMNS for each in (name, *(more for more in names if more.startswith(f"{name}_")))]
    frame = pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in columns})
    rejects = [
        (row, card.line, "begins a card that does not end", card.text.decode("utf-8", "replace"))
        for row, card in enumerate(found.cards, start=1)
        if not card.closed
    ]
    return Read(frame, of_reasons(rejects), _said(found), _warnings(found.strange))


def _said(found: Cards) -> tuple[str, ...]:
    """The encoding, where it had to be guessed."""
    guessed = "default" in vars(found) and found.encoding is None
    return (f"encoding {called(found.default)}",) if guessed else ()


def _warnings(strange: int) -> tuple[str, ...]:
    return (f"passed over {counted(strange, 'line')} that cannot be a property of a card",) if strange else ()


def _row(found: Cards, card: Card) -> dict[str, str]:
    given: dict[str, list[tuple[int, str]]] = {}
    for each in card.properties:
        column, read = _READ.get(each.name, ("", _plain))
        text = read(found.decoded(each), each.old) if column else ""
        if each.name == "BDAY" and _YEARLESS.match(text):
            column = "birthday_without_year"  # which is no date, and no reason to lose the card
        if text:
            given.setdefault(column, []).append((_rank(each), text))
    row: dict[str, str] = {}
    for column, values in given.items():
        texts = list(dict.fromkeys(text for _, text in sorted(values, key=lambda value: value[0])))
        row[column] = texts[0]
        more = texts[1:_MOST] if column in _SEVERAL else []
        row.update({f"{column}_{number}": text for number, text in enumerate(more, start=2)})
    _names(found, card, row)
    return row


def _names(found: Cards, card: Card, row: dict[str, str]) -> None:
    """The family and the given name, and the whole one where the card has none."""
    structured = next((each for each in card.properties if each.name == "N"), None)
    if structured is None:
        return
    pieces = [*parts(found.decoded(structured), old=structured.old), "", ""]
    row.update({column: piece for column, piece in zip(("family", "given"), pieces, strict=False) if piece})
    family, given = pieces[:2]
    if "name" not in row and (family or given):
        western = _LETTERS.search(family + given)
        row["name"] = f"{given} {family}".strip() if western else family + given


def _rank(value: Property) -> int:
    """Preferred ones come first, then those in the order of the card; of phones mobile ones come before others."""
    if "pref" in value.types or "PREF" in value.parameters:
        return 0
    return 1 if "cell" in value.types else 2


def _plain(text: str, old: bool) -> str:
    return unescaped(text, old=old).strip()


def _uri(text: str, old: bool) -> str:
    return _URI.sub("", _plain(text, old))


def _joined(text: str, old: bool) -> str:
    return ", ".join(part for part in parts(text, old=old) if part)


def _day(text: str, old: bool) -> str:
    return _DAY.sub(r"\1-\2-\3", _plain(text, old))


_YEARLESS: Final = re.compile(r"--\d")
"""How a card begins a day of a year that it does not tell: --0203, --02-03."""
_SEVERAL: Final = ("phone", "email", "address")
_READ: Final[Mapping[str, tuple[str, Callable[[str, bool], str]]]] = {
    "FN": ("name", _plain),
    "TEL": ("phone", _uri),
    "EMAIL": ("email", _uri),
    "ADR": ("address", _joined),
    "BDAY": ("birthday", _day),
    "ORG": ("organisation", _joined),
    "NOTE": ("note", _plain),
}
