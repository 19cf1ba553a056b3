r"""Escapes of servers and of URLs, undone on distinct values.

Apache and nginx write `"`, `\`, control characters and bytes above 126 as `\"`, `\\`, `\n`, `\xHH`. Bytes that
are not UTF-8 are kept visible in the same way, as `\xHH`, so that two different texts stay different.
"""

import re
from collections.abc import Callable

import polars as pl

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_PLAIN = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = re.compile(rb"[A-Za-z0-9._~-]")


def unescape(text: str) -> str:
    r"""Undo a server's escapes: `\"`, `\\`, `\xHH` and the letters of C; unknown ones stay as they are."""
    raw = _ESCAPE.sub(_escaped, text.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "backslashreplace")


def _escaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if len(code) == 3:
        return bytes([int(code[1:], 16)])
    return _PLAIN.get(code, match.group())


def readable(text: str) -> str:
    """Percent-decode what is safe to read: UTF-8 beyond ASCII, and unreserved characters (RFC 3986, 6.2.2.2).

    Reserved and control characters stay encoded, so that `/a%2Fb` is not `/a/b`, `%26` no `&`, and the text can
    still be split. What is not UTF-8 stays encoded too.
    """
    return _PERCENT.sub(_decode_run, text)


def _decode_run(match: re.Match[str]) -> str:
    raw = bytes.fromhex(match.group().replace("%", ""))
    return "".join(_show(part) for part in _characters(raw))


def _characters(raw: bytes) -> list[bytes]:
    """The bytes of each UTF-8 character; a byte that belongs to none by itself."""
    parts = []
    at = 0
    while at < len(raw):
        size = next((n for n in (1, 2, 3, 4) if _is_character(raw[at : at + n], n)), 1)
        parts.append(raw[at : at + size])
        at += size
    return parts


def _is_character(raw: bytes, size: int) -> bool:
    try:
        return len(raw) == size and len(raw.decode()) == 1
    except UnicodeDecodeError:
        return False


def _show(raw: bytes) -> str:
    """One character, decoded if that is safe."""
    if len(raw) > 1:
        text = raw.decode()
        return text if text.isprintable() else "".join(f"%{byte:02X}" for byte in raw)
    return raw.decode() if _UNRESERVED.fullmatch(raw) else f"%{raw[0]:02X}"


def map_where(texts: pl.Series, mark: str, function: Callable[[str], str]) -> pl.Series:
    """Apply `function` to the distinct texts that contain `mark`; all others stay."""
    hit = texts.str.contains(mark, literal=True)
    if not hit.any():
        return texts
    old = texts.filter(hit.fill_null(False)).unique()
    new = pl.Series([function(text) for text in old.to_list()], dtype=pl.String)
    return texts.replace(old, new)
