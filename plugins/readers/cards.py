"""The properties of vCards (versions 2.1, 3.0: RFC 2426, 4.0: RFC 6350) as they are written, decoded.

Lines that are folded are put together, groups (`item1.TEL`) are taken away, quoted-printable is undone, and each value
is read in the charset that its parameter names. Values without one are in the encoding that the user names, else
UTF-8 if they can be, else in the one that all the others together are likely to be in (`crm.likely`).
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from crm.encodings import codec
from crm.errors import UsageError
from crm.likely import likely
from logparse.charsets import UTF8

_BEGIN, _END = b"BEGIN:VCARD", b"END:VCARD"
_NAME: Final = re.compile(rb"(?:[^.:;]*\.)?([A-Za-z0-9-]+)((?:;(?:\"[^\"]*\"|[^\":])*)?):", re.DOTALL)
_PARAMETER: Final = re.compile(r';([^=;"]*)(?:=((?:"[^"]*"|[^;"])*))?')
_QUOTED: Final = re.compile(rb"[;=]\s*QUOTED-PRINTABLE\b", re.IGNORECASE)
_OLD: Final = re.compile(rb"^VERSION:2\.", re.IGNORECASE | re.MULTILINE)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Property:
    """A property of a card.

    Attributes:
        name: Its name, in capitals.
        parameters: Its parameters by their names in capitals; `TYPE` holds all types, also those without `TYPE=`.
        raw: Its value as bytes, without quoted-printable.
        old: Whether its card is of version 2.1, in which a backslash means little.
    """

    name: str
    parameters: dict[str, str]
    raw: bytes
    old: bool

    @property
    def types(self) -> frozenset[str]:
        """What kind of a phone, an address it is, in lower case."""
        return frozenset(self.parameters.get("TYPE", "").lower().replace('"', "").split(","))


@dataclass
class Card:
    """A card: its properties, its line, and what it says."""

    line: int
    text: bytes
    closed: bool
    properties: list[Property] = field(default_factory=list)


@dataclass(frozen=True)
class Cards:
    """The cards of a file, and how many of its lines belong to none or are no properties."""

    cards: list[Card]
    strange: int
    encoding: str | None = None

    @cached_property
    def default(self) -> str:
        """The encoding of values that name none and are no UTF-8."""
        if self.encoding is not None:
            return codec(self.encoding)
        values = (each.raw for card in self.cards for each in card.properties if "CHARSET" not in each.parameters)
        return likely(b"\n".join(value for value in values if not value.isascii()))

    def decoded(self, value: Property) -> str:
        """The text of a property, with what escapes it still in it."""
        named = value.parameters.get("CHARSET")
        if value.raw.isascii() and named is None:
            return value.raw.decode()
        try:
            return value.raw.decode(codec(named or self.encoding or UTF8))
        except (UnicodeDecodeError, UsageError):  # also where a card names a charset that there is not
            return value.raw.decode(self.default, "replace")


def cards(data: bytes, encoding: str | None) -> Cards:
    """The cards of a file.

    Args:
        data: Its bytes, in an encoding that keeps ASCII.
        encoding: The encoding that the user has named; None to detect it.
    """
    lines = re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf"))
    found, strange, at = [], 0, 0
    while at < len(lines):
        if lines[at].strip().upper() != _BEGIN:
            strange += bool(lines[at].strip())
            at += 1
            continue
        behind = _behind(lines, at)
        closed = lines[behind - 1].strip().upper() == _END
        inner = lines[at + 1 : behind - closed]
        card = Card(at + 1, b"\n".join(lines[at:behind]), closed)
        strange += _fill(card, inner)
        found.append(card)
        at = behind
    return Cards(found, strange, encoding)


def _behind(lines: list[bytes], begin: int) -> int:
    """The line behind a card; a card within it (of an agent) belongs to it, and one that does not end ends it."""
    depth = 0
    for at in range(begin, len(lines)):
        line = lines[at].strip().upper()
        nested = at > begin and line == _BEGIN
        if nested and not lines[at - 1].strip().upper().startswith(b"AGENT"):
            return at
        depth += (line == _BEGIN) - (line == _END)
        if depth == 0:
            return at + 1
    return len(lines)


def _fill(card: Card, lines: list[bytes]) -> int:
    """Give a card its properties; the number of lines that are none."""
    old = bool(_OLD.search(b"\n".join(lines)))
    strange, depth = 0, 0
    for line in _unfolded(lines, old=old):
        bare = line.strip().upper()
        depth += (bare == _BEGIN) - (bare == _END)
        if depth or bare in (b"", _END):
            continue
        value = _property(line, old=old)
        if value is None:
            strange += 1
        else:
            card.properties.append(value)
    return strange


def _unfolded(lines: list[bytes], *, old: bool) -> Iterator[bytes]:
    """Lines put together: what begins with white space goes on, and so does quoted-printable behind its `=`."""
    whole: list[bytes] = []
    soft = False
    for line in lines:
        if soft:
            whole[-1] = whole[-1][:-1]
            whole.append(line)
        elif whole and line[:1] in (b" ", b"\t") and line.strip():
            whole.append(line if old else line[1:])
        else:
            if whole:
                yield b"".join(whole)
            whole = [line]
            quoted = bool(_QUOTED.search(line.partition(b":")[0]))
        soft = quoted and line.endswith(b"=")
    if whole:
        yield b"".join(whole)


def _property(line: bytes, *, old: bool) -> Property | None:
    found = _NAME.match(line)
    if found is None:
        return None
    raw = line[found.end() :]
    parameters: dict[str, str] = {}
    types: list[str] = []
    for name, value in _PARAMETER.findall(found[2].decode("latin-1")):
        if not value:  # version 2.1 leaves `TYPE=` out
            types.append(name)
        elif name.upper() == "TYPE":
            types.append(value)
        else:
            parameters[name.strip().upper()] = value.strip('"')
    parameters["TYPE"] = ",".join(types)
    if _QUOTED.search(found[2]):
        raw = quopri.decodestring(raw)
    return Property(found[1].decode().upper(), parameters, raw, old)


def unescaped(text: str, *, old: bool) -> str:
    r"""A text without what escapes it: `\,` `\;` `\\`, and `\n` for a new line; version 2.1 knows `\;` only."""
    if old:
        return text.replace("\\;", ";")
    return _ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], text)


def parts(text: str, *, old: bool) -> list[str]:
    """The parts of a value that semicolons separate, those that are escaped left in."""
    return [unescaped(part, old=old).strip() for part in re.findall(r"(?:^|;)((?:\\.|[^;\\]|\\$)*)", text, re.DOTALL)]
