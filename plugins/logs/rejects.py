"""The file of `--rejects`: every rejected line as NDJSON, log by log, in the order of the lines."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from crm.atomic import replacing

CHUNK = 1 << 20
COLUMNS = ("line", "offset", "reason", "field", "text")
"""What is written of each line, behind `name` and `source`: those of `logparse.rejects.PLACED`."""


class RejectsFile:
    """Rejected lines on their way into a file; in memory are those of one block.

    The lines of a log wait in a temporary file until it is known which source it is, if any.

    Args:
        out: Where they go.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._waiting: BinaryIO | None = None

    def add(self, rejects: pl.DataFrame) -> None:
        """Take rejected lines of the log that is being read, with their offsets."""
        if not rejects.height:
            return
        if self._waiting is None:
            self._waiting = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        rows = "\n" + rejects.select(COLUMNS).write_ndjson().removesuffix("\n")
        self._waiting.write(rows.replace("\n{", "\n").encode())

    def end(self, name: str, source: int | None) -> None:
        """Write the lines of the log that has been read.

        Args:
            name: As the user named it.
            source: Its number in the ledger; None where it has none.
        """
        if self._waiting is None:
            return
        log = json.dumps({"name": name, "source": source}, ensure_ascii=False, separators=(",", ":"))
        begin = log.encode("utf-8", "backslashreplace").removesuffix(b"}") + b","
        with self._waiting as waiting:
            waiting.seek(1)
            self._out.write(begin)
            while chunk := waiting.read(CHUNK):
                self._out.write(chunk.replace(b"\n", b"\n" + begin))
            self._out.write(b"\n")
        self._waiting = None


@contextmanager
def rejects_file(path: Path | None) -> Iterator[RejectsFile | None]:
    """A file of rejected lines that appears when the block ends; without a path, none.

    A file of this name goes before: a run that fails must not leave the rejects of an earlier one.

    Raises:
        Unusable: it cannot be written.
    """
    if path is None:
        yield None
        return
    if path.is_file():
        path.unlink()
    with replacing(path) as out:
        yield RejectsFile(out)
