"""Headers within a log: each tells the columns of the lines behind it, up to the next.

Blocks are parsed by themselves and in any order, so every one carries the header in force; a log is cut where that
changes. What is kept of a log from run to run is the header at its end, as the pattern of its format.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from logparse import columns
from logparse.blocks import Block
from logparse.columns import DATE, FIELDS
from logparse.errors import FormatError
from logparse.fields import NEVER
from logparse.layout import Field, Layout
from logparse.pattern import compile_pattern
from logparse.spec import LogFormat

BEFORE = b"\0\r\xef\xbb\xbf"
"""What may stand before a header on its line: NUL bytes of a hole, a byte-order mark."""

HEADED = ("w3c", "csv")
"""The syntaxes whose logs hold headers."""


def cut(blocks: Iterable[Block], spec: LogFormat, header: str = "") -> Iterator[Block]:
    """Blocks of one header each. Those of other formats are passed on as they are.

    Args:
        blocks: The blocks, in their order.
        spec: The format.
        header: The header in force before them, as `after` gives it; without one, the pattern of the format.
    """
    if spec.syntax not in HEADED:
        yield from blocks
        return
    header = header or spec.pattern
    date = _date_of(header)
    for block in blocks:
        begin = 0
        for at, line in header_lines(block.data, spec):
            date = line if line.startswith(DATE) else date
            new = _in_force(header, line, date, spec)
            if new == header:
                continue
            if at > begin:
                yield _part(block, begin, at, header)
            begin, header = at, new
        yield _part(block, begin, len(block.data), _dated(header, date))


def after(lines: Iterable[str], spec: LogFormat, header: str = "") -> str:
    """The header in force behind header lines of a format.

    Args:
        lines: What `header_lines` has found; of each kind (columns, date), the last one is enough.
        spec: The format.
        header: The one before them; without one, the pattern of the format.
    """
    header = header or spec.pattern
    date = _date_of(header)
    for line in lines:
        date = line if line.startswith(DATE) else date
        header = _in_force(header, line, date, spec)
    return _dated(header, date)


def _date_of(header: str) -> str:
    return next((line for line in header.splitlines() if line.startswith(DATE)), "")


def _dated(header: str, date: str) -> str:
    """The header at the end of a block, with the date in force: a header that a later run reads may need it."""
    return f"{header}\n{date}" if date and "\n" not in header else header


def has_headers(data: bytes, spec: LogFormat) -> bool:
    """Whether some bytes hold a header of a format."""
    return spec.syntax in HEADED and any(True for _ in header_lines(data, spec))


def header_lines(data: bytes, spec: LogFormat) -> Iterator[tuple[int, str]]:
    """Where the headers of a block begin, and their lines."""
    if spec.syntax == "w3c":
        beginnings = [FIELDS.encode(), DATE.encode()]
    else:
        beginnings = [mark.encode() for mark in columns.header_marks(spec)]
    found: set[int] = set()
    for mark in beginnings:
        at = data.find(mark)
        while at >= 0:
            begin = data.rfind(b"\n", 0, at) + 1
            if not data[begin:at].strip(BEFORE):
                found.add(begin)
            at = data.find(mark, at + 1)
    for begin in sorted(found):
        end = data.find(b"\n", begin)
        line = data[begin : end if end >= 0 else len(data)].strip(BEFORE)
        yield begin, line.decode("utf-8", "replace").rstrip()


def _in_force(header: str, line: str, date: str, spec: LogFormat) -> str:
    """The header behind a line that is one, written in one way only."""
    if spec.syntax == "csv":
        return line
    named = line if line.startswith(FIELDS) else next(row for row in header.splitlines() if row.startswith(FIELDS))
    names = columns.column_names(named, spec)
    given = next((row for row in spec.pattern.splitlines() if row.startswith(FIELDS)), "")
    separator = "\t" if "\t" in (columns.separator_of(named), columns.separator_of(given)) else " "
    fields = FIELDS + " " + separator.join(names)
    return f"{fields}\n{date}" if date and "date" not in [name.lower() for name in names] else fields


def _part(block: Block, begin: int, end: int, header: str) -> Block:
    """A part of a block. Places are told from its end: of an endless first line, not all bytes are there."""
    size = len(block.data)
    offset = block.end - (size - begin) if begin else block.offset
    line = block.line + block.data.count(b"\n", 0, begin)
    return Block(block.data[begin:end], offset, block.end - (size - end), line, header)


def marks(formats: Iterable[LogFormat]) -> tuple[bytes, ...]:
    """How the header lines of formats begin, where they are no comments."""
    csv = (compile_pattern(known) for known in formats if known.syntax == "csv")
    return tuple(sorted({mark.encode() for layout in csv for mark in layout.header}))


def layout_of(spec: LogFormat) -> Layout:
    """The layout of a format. Behind a header that no hit can be read with, no line fits it.

    Raises:
        FormatError: the format has no headers, and cannot be compiled.
    """
    try:
        return compile_pattern(spec)
    except FormatError as error:
        if spec.syntax not in HEADED:
            raise
        mark = FIELDS if spec.syntax == "w3c" else "header"
        return replace(_unreadable(f"the {mark} line before it ({error})"), spec=spec)


def in_force(layout: Layout, header: str) -> Layout:
    """The layout of a block: by its own header, if it has one."""
    spec = layout.spec
    if spec is None or not header or header == spec.pattern:
        return layout
    return replace(layout_of(replace(spec, pattern=header)), header=layout.header)


def _unreadable(why: str) -> Layout:
    """A layout that no line fits, for what stands behind a header without time or request."""
    fields = (Field("time", why, NEVER, time="seconds"), Field("request", why, NEVER))
    return Layout(fields, ("", " ", ""), frozenset({"time", "request"}))
