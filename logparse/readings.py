"""Readings: what is undone in the text of a field, on distinct texts where it is rare or costly."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import polars as pl

from logparse.distinct import Distinct
from logparse.text import map_where

_TWICE = re.compile(r"%25(?=[0-9A-Fa-f]{2})")
_HASHED = re.compile(r"#(?=[0-9A-Fa-f]{2})")
_PORT_V4 = re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3}):\d+")
_PORT_V6 = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?")

HOST = r"^(?i:(?:[^ ]* )?[a-z][a-z0-9+.-]*://(?:[^/?# @]*@)?|CONNECT )(\[[^\]/]*\]|[^/?#: ]+)"
"""The host in a request or a target that is a whole URL, and in that of a tunnel."""


def _plus(texts: pl.Series) -> pl.Series:
    """`+` for a space, as IIS writes it; a text that holds spaces was written otherwise."""
    text = pl.col("text")
    undone = text.str.replace_all("+", " ", literal=True)
    spaced = pl.when(text.str.contains(" ", literal=True)).then(text).otherwise(undone)
    return texts.to_frame("text").select(spaced).to_series()


def _percent(text: str) -> str:
    """Percent-decoded whole; twice where the codes themselves were encoded. What is not UTF-8 stays visible."""
    return unquote(_TWICE.sub("%", text), errors="backslashreplace").replace("\n", "%0A")


def _ports(text: str) -> str:
    return _PORT_V6.sub(r"\1", _PORT_V4.sub(r"\1", text))


def _where(mark: str, function: Callable[[str], str]) -> Callable[[pl.Series], pl.Series]:
    """A reading that changes only texts with a mark."""
    return lambda texts: map_where(texts, mark, function)


READINGS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "plus": _plus,
    "percent": _where("%", _percent),
    "recoded": _where("%25", lambda text: _TWICE.sub("%", text)),
    "ports": _where(":", _ports),
    "hash": _where("#", lambda text: _HASHED.sub("%", text)),
    "absolute": lambda texts: texts,
}
"""Readings by name: `+` for spaces; percent-encoded; URLs that were encoded once more; addresses with ports;
`#HH` for bytes, as HAProxy writes them; whole URLs, whose host is the virtual host."""

MEANINGS: dict[str, str] = {
    "plus": "`+` stands for a space",
    "percent": "percent-encoded as a whole",
    "recoded": "a URL that was percent-encoded once more: `%2520` is `%20`",
    "ports": "addresses with ports, which are taken off",
    "hash": "`#HH` stands for a byte, as HAProxy writes it",
    "absolute": "a whole URL; its host becomes the virtual host",
}
"""What each reading is for, for the documentation."""


def hosts(requests: pl.Series) -> pl.Series:
    """The hosts of requests or targets that are whole URLs, without ports; null for others."""
    distinct = Distinct.of(requests)
    found = distinct.values.to_frame("text").select(pl.col("text").str.extract(HOST, 1)).to_series()
    return distinct.spread(found).cast(pl.String)
