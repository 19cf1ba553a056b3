"""Bytes of a text file in any encoding -> UTF-8.

What is not named is found out: a byte-order mark decides, else NUL bytes at every second place (UTF-16), else valid
UTF-8, else the most likely of GB18030, Big5 and Windows-1252 (`crm.likely`). Other encodings have to be named.
"""

import codecs
from dataclasses import dataclass
from functools import cache
from typing import Final

from crm.errors import Unusable, UsageError
from crm.likely import likely
from crm.messages import counted
from logparse.charsets import UTF8, WIDER

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDEST: Final = WIDER | {"gb2312": "gb18030", "gbk": "gb18030", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_SAID: Final = {"big5hkscs": "big5", "cp1252": "windows-1252"}
_PROBE: Final = "Az09,;\t\n|'"
_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True)
class Text:
    """A text in UTF-8.

    Attributes:
        data: Its bytes, without a byte-order mark.
        said: The encoding that was found, if it is not UTF-8.
        warnings: What of it could not be decoded.
    """

    data: bytes
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@cache
def codec(name: str) -> str:
    """The codec of an encoding, which may write ASCII in any way: `utf-16` has no byte order of its own.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        found = codecs.lookup(name).name
        found = _WIDEST.get(found, found)
        if _PROBE.encode(found).decode(found) == _PROBE:
            return found
    except (LookupError, ValueError):  # also a codec that is of no text
        pass
    raise UsageError(f"--encoding: `{name}` is no encoding; known are utf-8, gb18030, big5, windows-1252 and many more")


def called(encoding: str) -> str:
    """What people call the encoding of a codec."""
    return _SAID.get(encoding, encoding)


def decoded(data: bytes, name: str, encoding: str | None = None) -> Text:
    """A text as UTF-8.

    Args:
        data: Its bytes.
        name: What its file is called, for messages.
        encoding: The encoding that the user has named; None to detect it.

    Raises:
        UsageError: there is no encoding of this name.
        Unusable: the text is not in the encoding that the user has named.
    """
    if encoding is not None:
        return Text(_strictly(data, name, codec(encoding)))
    mark, found = next(((mark, codec) for mark, codec in _MARKS if data.startswith(mark)), (b"", ""))
    data = data[len(mark) :] if mark else data
    found = found or _detected(data)
    said = () if found == UTF8 else (f"encoding {called(found)}",)
    if found == UTF8 and is_utf8(data):
        return Text(data)
    text = data.decode(found, "replace")
    broken = text.count(_REPLACEMENT) - _given(data, found)
    where = counted(broken, "place") + (", which is" if broken == 1 else ", which are")
    warnings = (f"no {called(found)} text in {where} read as {_REPLACEMENT}",) if broken > 0 else ()
    return Text(text.encode(UTF8, "replace"), said, warnings)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, looked at piece by piece: the text itself would take up to four times their memory."""
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder(UTF8)()
    view = memoryview(data)
    try:
        for at in range(0, len(data), _CHUNK):
            decoder.decode(view[at : at + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _detected(data: bytes) -> str:
    wide = _wide(data[:_SAMPLE])
    if wide:
        return wide
    return UTF8 if is_utf8(data) else likely(data)


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: nearly all NUL bytes are the high halves of separators, digits and line ends."""
    places = [sample[first::2].count(0) for first in (0, 1)]
    most = max(places)
    if most < 2 or most * 20 < len(sample) // 2 or min(places) * 10 > most:
        return ""
    return "utf-16-be" if places[0] == most else "utf-16-le"


def _given(data: bytes, encoding: str) -> int:
    """How often the replacement character itself stands in a text."""
    try:
        sign = _REPLACEMENT.encode(encoding)
    except UnicodeEncodeError:
        return 0
    return data.count(sign)


def _strictly(data: bytes, name: str, encoding: str) -> bytes:
    for mark, marked in _MARKS:
        if data.startswith(mark) and (marked == encoding or (marked[:6] == encoding[:6] and "-" in encoding)):
            data, encoding = data[len(mark) :], marked
            break
    if encoding == UTF8 and is_utf8(data):
        return data
    try:
        return data.decode(encoding).encode(UTF8)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"line {line:,} is not {called(encoding)} at byte {error.start:,}"
        raise Unusable(f"{name}: {where}; leave --encoding out to have it detected") from error
    except UnicodeError as error:
        raise Unusable(f"{name}: it is not {called(encoding)}; leave --encoding out to have it detected") from error
