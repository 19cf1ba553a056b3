"""Which known format fits the first lines of a log."""

from collections.abc import Sequence

import polars as pl

from logparse import typed
from logparse.blocks import Block
from logparse.errors import UnknownFormat
from logparse.headers import cut, has_headers, in_force
from logparse.lines import number_lines, parse_lines
from logparse.parsers import PARSERS
from logparse.pattern import compile_pattern
from logparse.spec import LogFormat

SAMPLE_LINES = 1000
FEW_LINES = 32
"""Of so many lines of the sample, spread over it, a format must fit one to be tried on all."""

ENOUGH = 0.5
"""At least this share of the sample must parse."""


def fits(sample: bytes, known: LogFormat) -> float:
    """The share of the lines of a sample, blank ones aside, that parse to a hit."""
    layout = compile_pattern(known)
    hits = counted = 0
    for block in cut([Block(sample, 0, len(sample), 1)], known):
        here = in_force(layout, block.header)
        fields = parse_lines(block, here)
        counted += fields.lines - fields.blank
        hits += typed.convert(fields, here)[0].height
    return hits / counted if counted else 0.0


def detect(data: bytes, formats: Sequence[LogFormat]) -> tuple[LogFormat, float]:
    """The format that fits most of the first lines, and the share that it fits; ties go to the first.

    Args:
        data: The beginning of a log.
        formats: Candidates, the most particular first.

    Raises:
        UnknownFormat: none fits half of them.
    """
    sample = first_lines(data, SAMPLE_LINES)
    _, lines = number_lines(Block(sample, 0, len(sample), 1))
    told = lines.filter(pl.col("line") != "", ~pl.col("line").str.starts_with("#"))
    few = told.gather_every(told.height // FEW_LINES | 1)
    share, best = 0.0, None
    for candidate in formats:
        if not _may_fit(candidate, few, sample):
            continue
        found = fits(sample, candidate)
        if found > share:
            share, best = found, candidate
        if share == 1.0:
            break
    if best is None or share < ENOUGH:
        raise UnknownFormat(
            f"its first lines fit none of the {len(formats)} formats of `crm logs formats`; "
            "name or write one with --log-format"
        )
    return best, share


def _may_fit(known: LogFormat, few: pl.DataFrame, sample: bytes) -> bool:
    """Whether any of a few lines fits, which rules out most formats at once; a header in the sample may change it."""
    if has_headers(sample, known):
        return True
    layout = compile_pattern(known)
    fields = PARSERS[layout.parser].reference(few, layout)
    return bool(fields["f0"].is_not_null().any())


def first_lines(data: bytes, count: int) -> bytes:
    """The first `count` lines of data, or all if it has fewer."""
    at = -1
    for _ in range(count):
        at = data.find(b"\n", at + 1)
        if at < 0:
            return data
    return data[: at + 1]
