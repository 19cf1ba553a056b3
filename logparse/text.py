r"""Escapes of servers and of URLs, undone on distinct values.

Apache and nginx write `"`, `\`, control characters and bytes above 126 as `\"`, `\\`, `\n`, `\xHH`, in JSON
also as `\u00HH`. Bytes that are not UTF-8 are kept visible in the same way, as `\xHH`, so that two different
texts stay different.
"""

import re
from collections.abc import Callable

import polars as pl

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_PLAIN = {b'"': b'"', b"\\": b"\\", **_LETTERS}
_PERCENT = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])(?:%[0-9A-Fa-f]{2})+")
"""Percent-encoded bytes; not after a stray `%`, which would make a new code with what is decoded."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def unescape(text: str) -> str:
    r"""Undo a server's escapes: `\"`, `\\`, `\xHH`, `\uHHHH` and C's letters; others stay as they are."""
    raw = _ESCAPE.sub(_escaped, text.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "backslashreplace")


def _escaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if len(code) > 1:
        value = int(code[1:], 16)
        return bytes([value]) if len(code) == 3 else chr(value).encode()
    return _PLAIN.get(code, match.group())


def readable(text: str) -> str:
    """Percent-decode what is safe to read: UTF-8 beyond ASCII, and unreserved characters (RFC 3986, 6.2.2.2).

    Reserved and control characters stay encoded, so that `/a%2Fb` is not `/a/b`, `%26` no `&`, and the text
    can still be split. What is not UTF-8 stays encoded too.
    """
    return _PERCENT.sub(_decode_run, text)


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


def map_where(texts: pl.Series, mark: str, function: Callable[[str], str]) -> pl.Series:
    """Apply `function` to the distinct texts that contain `mark`; all others stay."""
    texts = texts.cast(pl.String)
    hit = texts.str.contains(mark, literal=True)
    if not hit.any():
        return texts
    old = texts.filter(hit.fill_null(False)).unique()
    new = pl.Series([function(text) for text in old.to_list()], dtype=pl.String)
    return texts.replace(old, new)
