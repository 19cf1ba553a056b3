"""csv and tsv, streamed: memory does not grow with the number of rows."""

from typing import BinaryIO

import polars as pl

from crm import cells

_TSV_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def write_csv(frame: pl.LazyFrame, out: BinaryIO) -> None:
    """CSV as in RFC 4180 with LF at line ends; null is empty, the empty text is `""`."""
    cells.flat(frame).sink_csv(out)


def write_tsv(frame: pl.LazyFrame, out: BinaryIO) -> None:
    r"""One row a line whatever the cells hold: tab, newline, return, backslash become `\t`, `\n`, `\r`, `\\`.

    Null and the empty text are both empty.
    """
    frame = cells.flat(frame).rename(_escaped, strict=False)
    texts = [name for name, dtype in frame.collect_schema().items() if dtype == pl.String]
    escaped = pl.col(texts).str.replace_many(list(_TSV_ESCAPES), list(_TSV_ESCAPES.values()))
    frame.with_columns(escaped).sink_csv(out, separator="\t", quote_style="never")


def _escaped(text: str) -> str:
    return text.translate({ord(character): escape for character, escape in _TSV_ESCAPES.items()})
