"""json and ndjson, streamed: memory does not grow with the number of rows."""

import io
from typing import Any, BinaryIO, cast

import polars as pl

from crm import cells


def write_ndjson(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """One object a line; lists are arrays, times are texts, NaN and infinite numbers are null."""
    cells.json_ready(frame).sink_ndjson(out)


def write_json(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """One array of objects, an object a line; values as in ndjson."""
    array = _Array(out)
    cells.json_ready(frame).sink_ndjson(cast("BinaryIO", array))
    array.finish()


class _Array(io.RawIOBase):
    """Makes an array of the lines that are written to it: a newline in JSON can only end a line.

    The newline at the end of what has been written is kept back, for a comma may have to come before it.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._before = b"[\n"
        self._pending = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        lines = bytes(data)
        if lines:
            body = lines.removesuffix(b"\n")
            before = b",\n" if self._pending else self._before
            self._out.write(before + body.replace(b"\n", b",\n"))
            self._before = b""
            self._pending = len(body) < len(lines)
        return len(lines)

    def finish(self) -> None:
        """Close the array."""
        self._out.write(b"[]\n" if self._before else b"\n]\n")
