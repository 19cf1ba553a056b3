"""Character sets of logs other than UTF-8.

A log's own bytes are in the charset that its user names. Bytes that a client or a server has encoded (`%B9%FA`,
`\\xB9\\xFA`) may also be UTF-8, whatever the site's charset is: browsers send what is typed into them as UTF-8. Of
two possible readings the one with fewer characters beyond ASCII is taken, and of two with as many that of the
charset. So Chinese in UTF-8 (three bytes a character) is not taken for more characters of two bytes, and characters
of two bytes in GBK or Big5 that are by chance Latin, Greek or Cyrillic letters in UTF-8 stay Chinese.
"""

import codecs

UTF8 = "utf-8"

WIDER = {
    "gb2312": "gbk",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "ascii": UTF8,
    "utf-8-sig": UTF8,
}
"""What browsers mean by these names: the same characters and more."""

_ASCII = (b"\\u0041", b"\x1b$B!!", bytes(range(128)))
"""Must stay as it is, or line ends and separators could not be found."""

_LEADS = range(128, 256)
_SIGNS = b'\n "#%&/=?'
"""Must stay what they are behind any byte."""

FIRST_BYTE = "logparse.first_byte"
"""Error handler of codecs: the byte that begins no character becomes `\\xHH`, and what follows is read anew."""


def _first_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return f"\\x{error.object[error.start]:02x}", error.start + 1


codecs.register_error(FIRST_BYTE, _first_byte)


def charset(name: str) -> str:
    """The codec of a charset.

    Raises:
        ValueError: there is none, or it does not write ASCII as such (UTF-16, say).
    """
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ValueError(f"`{name}` is not a charset; known are utf-8, gbk, gb18030, big5 and many more") from None
    found = WIDER.get(found, found)
    try:
        fits = all(text.decode(found) == text.decode("ascii") for text in _ASCII)
        fits = fits and all(decoded(bytes([lead, sign]), found)[-1:] == chr(sign) for lead in _LEADS for sign in _SIGNS)
    except (LookupError, UnicodeError):  # no charset (`hex`, say)
        fits = False
    if not fits:
        raise ValueError(f"logs cannot be read in the charset `{name}`, which does not keep ASCII as it is")
    return found


def to_utf8(data: bytes, name: str) -> bytes:
    r"""Lines in a charset as UTF-8; bytes that are no text in it become `\xHH`."""
    return data if name == UTF8 or data.isascii() else decoded(data, name).encode()


def decoded(data: bytes, name: str) -> str:
    r"""Bytes as text; those that are no text in the charset as `\xHH`."""
    return data.decode(name, FIRST_BYTE)


def reading(raw: bytes, name: str) -> str | None:
    """The charset in which encoded bytes are text: the named one or UTF-8; None if they are none in either."""
    counts = {known: count for known in (name, UTF8) if (count := _count(raw, known)) is not None}
    return min(counts, key=lambda known: counts[known]) if counts else None


def _count(raw: bytes, name: str) -> int | None:
    """The number of characters beyond ASCII; None if the bytes are no text."""
    try:
        return sum(char > "\x7f" for char in raw.decode(name))
    except UnicodeDecodeError:
        return None
