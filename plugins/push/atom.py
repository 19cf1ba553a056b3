"""An Atom feed (RFC 4287) of messages."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

ATOM: Final = "http://www.w3.org/2005/Atom"
_BAD: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""

_WEB: Final = ("https://", "http://")


@dataclass(frozen=True)
class Entry:
    """An entry of a feed.

    Attributes:
        id: An id that stays the same, as a URI.
        title: Plain text.
        updated: When it has changed last, UTC.
        published: When it was made, UTC.
        text: The content as plain text.
        html: The content as HTML; it counts instead of the text. None for none.
        link: The address of a page about it; it is left out unless it is http or https.
        category: What it belongs to.
    """

    id: str
    title: str
    updated: datetime
    published: datetime
    text: str
    html: str | None = None
    link: str = ""
    category: str = ""


def feed(name: str, title: str, entries: Sequence[Entry]) -> bytes:
    """A feed as a file.

    Args:
        name: An id that stays the same, as a URI.
        title: Its title, which is also its author's name.
        entries: In their order. Without any, the feed counts as made in 1970: it has never changed.
    """
    ET.register_namespace("", ATOM)
    root = ET.Element(_tag("feed"))
    newest = max((each.updated for each in entries), default=datetime(1970, 1, 1, tzinfo=UTC))
    _add(root, "id", name)
    _add(root, "title", title)
    _add(root, "updated", _time(newest))
    _add(ET.SubElement(root, _tag("author")), "name", title)
    _add(root, "generator", "crm")
    for each in entries:
        _entry(root, each)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _entry(root: ET.Element, entry: Entry) -> None:
    made = ET.SubElement(root, _tag("entry"))
    _add(made, "id", entry.id)
    _add(made, "title", entry.title or "-", type="text")
    _add(made, "updated", _time(entry.updated))
    _add(made, "published", _time(entry.published))
    if entry.link.startswith(_WEB):
        ET.SubElement(made, _tag("link"), rel="alternate", href=_BAD.sub("", entry.link))
    if entry.category:
        ET.SubElement(made, _tag("category"), term=_BAD.sub("", entry.category))
    html = entry.html is not None
    _add(made, "content", entry.html if entry.html is not None else entry.text, type="html" if html else "text")


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _add(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, _tag(name), attributes).text = _BAD.sub("\ufffd", text)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
