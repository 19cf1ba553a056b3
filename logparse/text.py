r"""Escapes of servers and of URLs, undone on distinct values.

Apache and nginx write `"`, `\`, control characters and bytes above 126 as `\"`, `\\`, `\n`, `\xHH`, in JSON
also as `\u00HH`. Bytes that are not UTF-8 are kept visible in the same way, as `\xHH`, so that two different
texts stay different.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

import polars as pl

from logparse.charsets import UTF8, decoded, reading

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_PLAIN = {b'"': b'"', b"\\": b"\\", **_LETTERS}
_WORD = re.compile(r"\\x[89A-Fa-f][0-9A-Fa-f](?:\\x[0-9A-Fa-f]{2}|\\\\|[0-9@-\[\]-~])*|\\.", re.DOTALL)
r"""Escaped bytes, with signs that may be the second byte of a character (`\xA5\\`, Big5), or another escape."""
_PERCENT = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])(?:%[0-9A-Fa-f]{2})+")
"""Percent-encoded bytes; not after a stray `%`, which would make a new code with what is decoded."""

_PERCENT_WORD = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])(?:%[0-9A-Fa-f]{2})+(?:%[0-9A-Fa-f]{2}|[0-9@-~])*")
"""The same with signs behind them that may be the second byte of a character: `%A4A` is one in Big5."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def unescape(text: str, charset: str = UTF8) -> str:
    r"""Undo a server's escapes: `\"`, `\\`, `\xHH`, `\uHHHH` and C's letters; others stay as they are.

    Args:
        text: What the server wrote.
        charset: That of escaped bytes which are not UTF-8.
    """
    if charset != UTF8:
        text = _WORD.sub(partial(_decode_escaped, charset=charset), text)
    raw = _ESCAPE.sub(_escaped, text.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "backslashreplace")


def _decode_escaped(match: re.Match[str], charset: str) -> str:
    """A word of escaped bytes as text, whose own backslashes are escaped again."""
    if len(match.group()) == 2:
        return match.group()
    raw = _ESCAPE.sub(_escaped, match.group().encode())
    return decoded(raw, reading(raw, charset) or charset).replace("\\", "\\\\")


def _escaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if len(code) > 1:
        value = int(code[1:], 16)
        return bytes([value]) if len(code) == 3 else chr(value).encode()
    return _PLAIN.get(code, match.group())


def readable(text: str, charset: str = UTF8) -> str:
    """Percent-decode what is safe to read: characters beyond ASCII, and unreserved ones (RFC 3986, 6.2.2.2).

    Reserved and control characters stay encoded, so that `/a%2Fb` is not `/a/b`, `%26` no `&`, and the text
    can still be split. What is no text in the charset stays encoded too.

    Args:
        text: A path or query string.
        charset: That of bytes which are not UTF-8 (see `logparse.charsets`).
    """
    if charset == UTF8:
        return _PERCENT.sub(_decode_run, text)
    return _PERCENT_WORD.sub(partial(_decode_word, charset=charset), text)


def _decode_run(match: re.Match[str]) -> str:
    raw = bytes.fromhex(match.group().replace("%", ""))
    try:
        return "".join(map(_show, raw.decode()))
    except UnicodeDecodeError:
        return "".join(_show(char) for char in raw.decode("utf-8", "surrogateescape"))


def _show(char: str) -> str:
    """One character, decoded if that is safe."""
    if char in _UNRESERVED or (char > "\x7f" and char.isprintable()):
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def _decode_word(match: re.Match[str], charset: str) -> str:
    """A word of encoded bytes and plain signs, character by character, since signs of both kinds must stay so."""
    signs = _SIGN.findall(match.group())
    raw = bytes(int(sign[1:], 16) if len(sign) > 1 else ord(sign) for sign in signs)
    name = reading(raw, charset) or charset
    out = []
    for start, end, char in _characters(raw, name):
        fine = char in _UNRESERVED or (char > "\x7f" and char.isprintable())
        out.append(char if fine else "".join(map(_upper, signs[start:end])))
    return "".join(out)


_SIGN = re.compile(r"%..|.", re.DOTALL)


def _upper(sign: str) -> str:
    return sign.upper() if len(sign) > 1 else sign


def _characters(raw: bytes, name: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, character) of a text; the character is empty for a byte that begins none."""
    at = 0
    while at < len(raw):
        for end in range(at + 1, min(at + LONGEST, len(raw)) + 1):
            try:
                char = raw[at:end].decode(name)
            except UnicodeDecodeError:
                continue
            yield at, end, char
            break
        else:
            end = at + 1
            yield at, end, ""
        at = end


LONGEST = 4
"""Bytes of the longest character of any charset."""


def map_where(texts: pl.Series, mark: str, function: Callable[[str], str]) -> pl.Series:
    """Apply `function` to the distinct texts that contain `mark`; all others stay."""
    texts = texts.cast(pl.String)
    hit = texts.str.contains(mark, literal=True)
    if not hit.any():
        return texts
    old = texts.filter(hit.fill_null(False)).unique()
    new = pl.Series([function(text) for text in old.to_list()], dtype=pl.String)
    return texts.replace(old, new)
