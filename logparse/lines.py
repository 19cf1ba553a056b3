"""Block -> lines -> fields: number the lines, set blanks aside, parse with the plan and then the reference."""

from dataclasses import dataclass

import polars as pl

from logparse.blocks import MAX_LINE, Block
from logparse.charsets import UTF8, to_utf8
from logparse.layout import Layout
from logparse.parsers import PARSERS

REJECTS = {"line": pl.Int64, "reason": pl.String, "field": pl.String, "text": pl.String}
"""Schema of rejected lines: number in the source, reason, the directive at fault, and the line itself."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMPRESSED = (b"\x1f", b"\x28", b"\x78", b"B", b"\xfd")
"""First bytes of gzip, zstd, zlib, bzip2 and xz."""

NO_MATCH = "does not fit the format"
TOO_LONG = f"longer than {MAX_LINE >> 20} MiB"


@dataclass(frozen=True)
class Fields:
    """What became of the lines of a block: `lines = frame.height + rejects.height + blank`.

    Attributes:
        frame: `line` (its number), `f0 ... fn` (texts) and `text` (the whole line), in the order of the lines.
        plain: No line holds an escape, as the plan has proven them all.
        rejects: See `REJECTS`.
        lines: How many lines the block has.
        blank: How many are empty or a comment.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    lines: int
    blank: int
    plain: bool


def parse_lines(block: Block, layout: Layout, charset: str = UTF8) -> Fields:
    """Parse every line of a block; no bytes whatsoever make it raise."""
    data, lines = number_lines(block, charset)
    text = pl.col("line")
    blank = (text == "") | text.str.starts_with("#")
    for header in layout.header:
        blank = blank | text.str.starts_with(header)
    long = text.str.len_bytes() > MAX_LINE
    aside = lines.select(blank=blank, long=long)
    split = PARSERS[layout.parser].plan(lines, layout, data)
    if aside["blank"].any() or aside["long"].any():
        split = split.filter(~aside["blank"] & ~aside["long"])
    names = ["number", *(f"f{at}" for at in range(len(layout.fields))), "line"]
    plain = bool(split["proven"].all())
    if plain:
        good, bad = split.select(names), _no_rejects()
    else:
        good, bad = _with_reference(split, names, layout)
    endless = lines.filter(aside["long"])
    if endless.height:
        bad = pl.concat([bad, _rejects(endless.with_columns(text.str.slice(0, 4096)), TOO_LONG, None)])
    return Fields(
        good.rename({"number": "line", "line": "text"}),
        bad.sort("line"),
        lines.height,
        lines.height - split.height - endless.height,
        plain,
    )


def number_lines(block: Block, charset: str = UTF8) -> tuple[bytes | None, pl.DataFrame]:
    """The lines of a block as UTF-8, and as `number` and `line`, without line end, NUL bytes around it and a BOM.

    There is no UTF-8 where NUL bytes or carriage returns may have been taken off: what is cut from bytes would not be
    of the same lines. Nor is there of what begins like a compressed file.
    """
    data = block.data.removeprefix(BYTE_ORDER_MARK) if block.offset == 0 else block.data
    data = to_utf8(data, charset)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    try:
        lines = _read_lines(data)
    except pl.exceptions.ComputeError:  # not UTF-8
        data = data.decode("utf-8", "backslashreplace").encode()
        lines = _read_lines(data)
    number, line = pl.col("number").cast(pl.Int64) + block.line, pl.col("line")
    stripped = b"\0" in data or b"\r" in data
    if stripped:
        line = line.str.strip_chars("\0\r")
    same = not stripped and data[:1] not in COMPRESSED
    return data if same else None, lines.select(number.alias("number"), line)


def _read_lines(data: bytes) -> pl.DataFrame:
    """`number` from 0 and `line`. Polars would unpack what begins like a compressed file, so an LF goes before it."""
    if data[:1] not in COMPRESSED:
        return pl.read_lines(data, name="line", row_index_name="number")
    lines = pl.read_lines(b"\n" + data, name="line", row_index_name="number")
    return lines.slice(1).with_columns(pl.col("number") - 1)


def _with_reference(split: pl.DataFrame, names: list[str], layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The fields of proven lines and of those that the reference can read, and the rejects."""
    odd = split.filter(~pl.col("proven")).select("number", "line")
    matched = PARSERS[layout.parser].reference(odd, layout)
    fits = pl.col("f0").is_not_null()
    proven = split.filter("proven").select(names).cast({pl.Categorical: pl.String})
    good = pl.concat([proven, matched.filter(fits).select(names)]).sort("number")
    wrong = matched.filter(~fits).select("number", "line")
    return good, _rejects(wrong, NO_MATCH, layout)


def _rejects(lines: pl.DataFrame, reason: str, layout: Layout | None) -> pl.DataFrame:
    """Rejects from `number` and `line`, with the field at fault where a layout is given."""
    texts = lines["line"]
    field = PARSERS[layout.parser].failed_field(texts, layout) if layout else pl.Series([None], dtype=pl.String)
    return pl.DataFrame(
        {
            "line": lines["number"],
            "reason": pl.repeat(reason, lines.height, dtype=pl.String, eager=True),
            "field": field if layout else pl.repeat(None, lines.height, dtype=pl.String, eager=True),
            "text": texts,
        },
        schema=REJECTS,
    )


def _no_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECTS)
