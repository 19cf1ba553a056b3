"""Where the rows of delimited text end and how many fields they have, by NumPy alone.

Quotes are those of RFC 4180: a field may stand in them, and holds a quote as two. While all are so, a place is within
quotes if and only if an odd number of quotes stands before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]

QUOTE, NEWLINE, RETURN = b'"'[0], b"\n"[0], b"\r"[0]

_CHUNK: Final = 1 << 22


@dataclass(frozen=True)
class Rows:
    """The rows of a text that ends with a newline; those that are empty count.

    Attributes:
        starts: Where each begins, of shape (n_rows,).
        ends: Where its newline is, of shape (n_rows,).
        fields: How many fields it has, of shape (n_rows,).
        returns: Where returns are outside quotes.
        regular: Whether all quotes are where they may be; if not, the rest means nothing.
    """

    starts: Places
    ends: Places
    fields: Places
    returns: Places
    regular: bool


def unify(data: bytes, separator: int, *, quoting: bool) -> tuple[bytes, Rows]:
    """Text whose line ends (LF, CRLF, CR) are LF, one of them at its end, and its rows.

    Returns within quotes stay. A text whose quotes are not regular stays as it is.
    """
    if b"\r" in data and not (quoting and b'"' in data):
        data = _replaced(data)
    if not data.endswith((b"\n", b"\r")):
        data += b"\n"
    rows = scan(data, separator, quoting=quoting)
    if rows.regular and rows.returns.size:
        none_within = rows.returns.size == data.count(b"\r")
        text = np.frombuffer(data, np.uint8)
        data = _replaced(data) if none_within else _newlines(text, rows.returns).tobytes()
        rows = scan(data, separator, quoting=quoting)
    return data, rows


def scan(data: bytes, separator: int, *, quoting: bool) -> Rows:
    """The rows of a text.

    Args:
        data: The text, which ends with a newline.
        separator: The byte between fields.
        quoting: Whether quotes mean anything.
    """
    text = np.frombuffer(data, np.uint8)
    ends, counts, returns, regular = [], [], [], True
    inside, separators = 0, 0
    for places in _marks(text, separator, quoting=quoting):
        signs = text[places]
        quotes = signs == QUOTE
        within = (np.cumsum(quotes) + inside) & 1 if quoting else np.zeros(len(signs), np.int64)
        if quoting and quotes.any():
            regular = regular and _regular(text, places[quotes], within[quotes] == 1, separator)
            inside = int(within[-1])
        outside = within == 0
        passed = np.cumsum(outside & (signs == separator)) + separators
        separators = int(passed[-1]) if passed.size else separators
        ended = outside & (signs == NEWLINE)
        ends.append(places[ended])
        counts.append(passed[ended])
        returns.append(places[outside & (signs == RETURN)])
    found, before = _joined(ends), _joined(counts)
    starts = np.concatenate(([0], found[:-1] + 1)) if found.size else found
    return Rows(starts, found, np.diff(before, prepend=0) + 1, _joined(returns), regular and not inside)


def line_ends(data: bytes) -> Places:
    """Where lines end, within quotes, too: at LF, CR and the LF of CRLF."""
    text = np.frombuffer(data, np.uint8)
    alone = np.flatnonzero(text == RETURN)
    alone = alone[text[np.minimum(alone + 1, len(text) - 1)] != NEWLINE]
    return np.sort(np.concatenate((np.flatnonzero(text == NEWLINE), alone)))


def _marks(text: Bytes, separator: int, *, quoting: bool) -> Iterator[Places]:
    """Places of everything that has a meaning, piece by piece."""
    table = np.zeros(256, bool)
    table[[separator, NEWLINE, RETURN, *([QUOTE] if quoting else [])]] = True
    for at in range(0, len(text), _CHUNK):
        yield np.flatnonzero(table[text[at : at + _CHUNK]]) + at


def _regular(text: Bytes, quotes: Places, opening: NDArray[np.bool_], separator: int) -> bool:
    """Whether quotes open fields, close them, or stand in pairs within them."""
    opened, closed = quotes[opening], quotes[~opening]
    borders = np.array([separator, NEWLINE, RETURN, QUOTE], np.uint8)  # a quote is the other one of a pair
    before = text[opened[opened > 0] - 1]
    after = text[closed[closed < len(text) - 1] + 1]
    return bool(np.isin(before, borders).all() and np.isin(after, borders).all())


def _replaced(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _newlines(text: Bytes, returns: Places) -> Bytes:
    """Newlines in place of some returns; those before a newline go."""
    paired = text[np.minimum(returns + 1, len(text) - 1)] == NEWLINE
    changed = text.copy()
    changed[returns[~paired]] = NEWLINE
    return np.delete(changed, returns[paired])


def _joined(pieces: list[Places]) -> Places:
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)
