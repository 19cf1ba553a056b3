"""CSV with quotes where RFC 4180 has none: each row is read by itself, so that a fault spoils no more than its row.

A quote within a field that does not begin with one is a sign like others. What begins with a quote must end with one;
where it does not, its first line is set aside and reading goes on with the next line.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import Final

import polars as pl

from crm.content import Read
from crm.errors import Unusable
from plugins.readers import naming
from plugins.readers.rejects import of_reasons

_BATCH: Final = 50_000
_UNCLOSED: Final = "has a quote that is not closed, or text behind one that is"


class _Lines:
    """The lines of a text, those that make up the row that is read, and which line is next."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text, newline="")
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.begun = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text)
        self.taken.append(line)
        return line

    def done(self, lines: int | None = None) -> None:
        """A row is done with so many of the lines taken; the others are read again."""
        count = len(self.taken) if lines is None else lines
        self._again.extendleft(reversed(self.taken[count:]))
        self.begun += count
        self.taken = []


class _Rows:
    """The rows of a text as they are found, and those that are set aside."""

    def __init__(self, lines: _Lines, separator: str, name: str) -> None:
        self._lines = lines
        self._separator = separator
        self._row = -1  # so that the header is row 0
        self.rejects: list[tuple[int, int | None, str, str]] = []
        header = next(self._found(), None)
        if header is None or self.rejects:
            raise Unusable(f"{name}: the line with the names of columns {_UNCLOSED}")
        self._lines.done()
        self.names, self.warnings = naming.columns(header)

    def __iter__(self) -> Iterator[list[str | None]]:
        """The rows that have as many fields as the header; empty fields are null."""
        width = len(self.names)
        for fields in self._found():
            if len(fields) > width and not any(fields[width:]):
                del fields[width:]
            if len(fields) == width:
                yield [field or None for field in fields]
            else:
                noun = "field" if len(fields) == 1 else "fields"
                self._set_aside(f"has {len(fields)} {noun}, and the header has {width}", self._lines.taken)

    def _found(self) -> Iterator[list[str]]:
        while True:
            try:
                for fields in csv.reader(self._lines, delimiter=self._separator, strict=True):
                    if fields:
                        self._row += 1
                        yield fields
                    self._lines.done()
                return
            except csv.Error:
                self._row += 1
                self._set_aside(_UNCLOSED, self._lines.taken[:1])
                self._lines.done(1)

    def _set_aside(self, reason: str, lines: list[str]) -> None:
        self.rejects.append((self._row, self._lines.begun, reason, "".join(lines).rstrip("\r\n")))


def read(text: str, separator: str, name: str) -> Read:
    """The table of a CSV text, row by row.

    Raises:
        Unusable: its header cannot be read.
    """
    rows = _Rows(_Lines(text), separator, name)
    schema = dict.fromkeys(rows.names, pl.String)
    frames, batch = [pl.DataFrame(schema=schema)], []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
            batch = []
    frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
    return Read(pl.concat(frames), of_reasons(rows.rejects), warnings=rows.warnings)
