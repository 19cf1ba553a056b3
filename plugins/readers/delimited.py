r"""csv and tsv: every column is text, and a field without anything in it is null.

A row has as many fields as the header; more are let pass while they are empty. Other rows are set aside. Lines without
anything on them are no rows, unless there is but one column. In csv, a field may stand in quotes, and a text of no
characters is `""`. In tsv quotes mean nothing, and `\t`, `\n`, `\r` and `\\` are what their names say.
"""

import csv
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crm.content import Content, Read
from crm.errors import Unusable
from plugins.readers import careful, dialect, naming, scanning
from plugins.readers.rejects import of_widths
from plugins.readers.scanning import Places, Rows

Flags: TypeAlias = NDArray[np.bool_]

_ESCAPES: Final = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_ESCAPE: Final = re.compile("|".join(map(re.escape, _ESCAPES)))
_SHOWN: Final = {"\t": "tab", " ": "space"}


@dataclass(frozen=True)
class _Way:
    """How the rows of a text are to be read."""

    separator: str
    quoting: bool


def read_csv(content: Content) -> Read:
    """The table of a CSV file.

    Raises:
        UsageError: the user has named a sheet, or what can be no separator or encoding.
        Unusable: it is no text, or empty.
    """
    content.without(sheet=content.sheet)
    text = content.text
    given, data = dialect.declared(_filled(text.data, content.name))
    separator = dialect.named(content.separator) if content.separator else given or dialect.guessed(data)
    said = text.said
    if separator != "," and not content.separator:
        said += (f"separator `{_SHOWN.get(separator, separator)}`",)
    found = _table(_filled(data, content.name), _Way(separator, quoting=True), content.name)
    skipped = 1 if len(data) < len(text.data) else 0
    return Read(found.frame, _below(found.rejects, skipped), said, (*text.warnings, *found.warnings))


def read_tsv(content: Content) -> Read:
    """The table of a file with tabs and without quotes.

    Raises:
        UsageError: the user has named a sheet or a separator, or an encoding that there is not.
        Unusable: it is no text, or empty.
    """
    content.without(sheet=content.sheet, separator=content.separator)
    text = content.text
    found = _table(_filled(text.data, content.name), _Way("\t", quoting=False), content.name)
    frame = found.frame
    quoted = frame.select(pl.any_horizontal(pl.all().str.contains('^".*"$').any())).item() if frame.width else False
    hint = ("fields stand in quotes, which are kept; without them: --input-format csv --separator tab",)
    warnings = (*text.warnings, *found.warnings, *(hint if quoted else ()))
    unescaped = pl.all().str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    return Read(frame.with_columns(unescaped), found.rejects, text.said, warnings)


def _filled(data: bytes, name: str) -> bytes:
    """A text without the NUL bytes behind its last line, which are left where a disk was full or a machine fell.

    Raises:
        Unusable: nothing is left.
    """
    whole = data.rstrip(b"\0") if data.endswith((b"\n\0", b"\0\0")) else data
    if not whole or whole.isspace():
        raise Unusable(f"{name}: it is empty; expected a line with the names of columns, and rows")
    return whole


def _table(data: bytes, way: _Way, name: str) -> Read:
    data, rows = scanning.unify(data, ord(way.separator), quoting=way.quoting)
    if not rows.regular:
        return careful.read(data.decode(), way.separator, name)
    kept = np.flatnonzero(rows.ends > rows.starts)
    first = int(kept[0])
    header = data[rows.starts[first] : rows.ends[first]].decode()
    names, warnings = naming.columns(_fields(header, way))
    body = kept[1:] if len(names) > 1 else np.arange(first + 1, len(rows.ends))
    lines = _Lines(data, rows, body)
    good = _good(lines, len(names), way)
    frame = _parsed(lines, good, names, way)
    return Read(frame, _rejects(lines, ~good, len(names)), warnings=warnings)


@dataclass(frozen=True)
class _Lines:
    """The rows below a header: the text, all its rows, and which of them these are."""

    data: bytes
    rows: Rows
    which: Places


def _fields(line: str, way: _Way) -> list[str]:
    if not way.quoting:
        return [_plain(field) for field in line.split(way.separator)]
    return next(csv.reader([line], delimiter=way.separator))


def _plain(field: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], field)


def _good(lines: _Lines, width: int, way: _Way) -> Flags:
    """Whether rows have as many fields as the header, apart from empty ones at their ends."""
    fields, ends = lines.rows.fields[lines.which], lines.rows.ends[lines.which]
    good: Flags = fields == width
    more = np.flatnonzero(fields > width)
    if not more.size:
        return good
    beyond = fields[more] - width
    borders = np.stack((ends[more] - beyond, ends[more]), axis=1).ravel()
    separators = np.frombuffer(lines.data, np.uint8) == ord(way.separator)
    good[more] = np.add.reduceat(separators, borders, dtype=np.int64)[::2] == beyond
    for row in more[~good[more]].tolist() if way.quoting else ():  # an empty field may also stand in quotes
        text = lines.data[lines.rows.starts[lines.which[row]] : ends[row]]
        good[row] = text.replace(b'""', b"").endswith(way.separator.encode() * int(fields[row] - width))
    return good


def _parsed(lines: _Lines, good: Flags, names: list[str], way: _Way) -> pl.DataFrame:
    """The rows that are good, as Polars reads them."""
    schema = dict.fromkeys(names, pl.String)
    data = _picked(lines, good)
    if not data:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        data,
        has_header=False,
        schema=schema,
        separator=way.separator,
        quote_char='"' if way.quoting else None,
        truncate_ragged_lines=True,
        extra_columns="ignore",
    )


def _picked(lines: _Lines, good: Flags) -> bytes:
    """The text of some rows; those that follow each other are copied at once."""
    rows = lines.which[good]
    if not rows.size:
        return b""
    first = np.flatnonzero(np.diff(rows, prepend=-2) > 1)
    last = np.append(first[1:], len(rows)) - 1
    view = memoryview(lines.data)
    borders = zip(lines.rows.starts[rows[first]].tolist(), lines.rows.ends[rows[last]].tolist(), strict=True)
    return b"".join(view[start : end + 1] for start, end in borders)


def _rejects(lines: _Lines, bad: Flags, width: int) -> pl.DataFrame | None:
    if not bad.any():
        return None
    rows = lines.which[bad]
    starts, ends = lines.rows.starts[rows], lines.rows.ends[rows]
    newlines = scanning.line_ends(lines.data)
    borders = zip(starts.tolist(), ends.tolist(), strict=True)
    return of_widths(
        pl.DataFrame(
            {
                "row": np.flatnonzero(bad) + 1,
                "line": np.searchsorted(newlines, starts) + 1,
                "fields": lines.rows.fields[rows],
                "text": [lines.data[start:end].decode() for start, end in borders],
            }
        ),
        width,
    )


def _below(rejects: pl.DataFrame | None, lines: int) -> pl.DataFrame | None:
    """Rejects of a text above which so many lines stand."""
    return None if rejects is None else rejects.with_columns(pl.col("line") + lines)
