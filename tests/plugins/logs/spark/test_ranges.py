"""A log that is read in ranges, cut at any bytes, gives the lines of one pass with their places and headers."""

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logparse import blocks as blocks_module
from logparse.blocks import Block, read_blocks
from logparse.headers import cut
from logparse.spec import LogFormat
from plugins.logs.spark.ranges import Joining, Range, Stretch, blocks_of, counted, ranges_of

COMMON = LogFormat("common", "apache", '%h %l %u %t "%r" %>s %b')
W3C = LogFormat("iis", "w3c", "#Fields: date time c-ip cs-method cs-uri-stem sc-status")
CSV = LogFormat("cdn", "csv", "time,address,request", keys={"time": "time", "address": "address", "request": "request"})

FRAGMENTS = st.sampled_from(
    [
        b"\n",
        b"\n",
        b"a",
        b"line\n",
        b"\r\n",
        b"\0",
        b"\0" * 9,
        b"#",
        b"#Fields: time c-ip cs-uri-stem\n",
        b"#Fields:\tdate\ttime\tcs-uri-stem\n",
        b"x #Fields: time\n",
        b"#Date: 2026-03-01 00:00:00\n",
        b"\0#Date: 2026-03-02\r\n",
        b"\xef\xbb\xbf#Fields: time s-ip\n",
        b"time,address,request\n",
        b"request,time,address\n",
        b"time,address",
        b"long" * 9,
    ]
)
LOGS = st.lists(FRAGMENTS, max_size=25).map(b"".join)

Line = tuple[int, int, bytes, str]
"""Number, offset of its end, bytes, and the columns that are in force."""


def lines(blocks: Iterator[Block]) -> list[Line]:
    """Every line with its place; a header that a block bears is compared where it has lines."""
    found = []
    for block in blocks:
        at, number = block.end - len(block.data), block.line
        for line in block.data.splitlines(keepends=True) if b"\r" not in block.data else _lines(block.data):
            at += len(line)
            found.append((number, at, line, effect(block.header)))
            number += 1
    return found


def effect(header: str) -> str:
    """What of a header counts: a date only where no column has one."""
    fields, _, date = header.partition("\n")
    return fields if "date" in fields.lower().split() else fields + date


def _lines(data: bytes) -> list[bytes]:
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def in_ranges(
    data: bytes, spec: LogFormat, ranges: list[Range], *, tail_is_line: bool, size: int
) -> tuple[list[Line], list[Stretch]]:
    log, start = io.BytesIO(data), ranges[0].begin if ranges else 0
    line = 1 + data.count(b"\n", 0, start)
    at, stretches = Joining(spec, Stretch(start, len(data), line)), []
    for piece in ranges[:-1]:
        at, ended = at.add(counted(log, piece, spec, start))
        stretches += [ended] if ended else []
    stretches.append(at.next)
    found: list[Line] = []
    for stretch in reversed(stretches):  # in any order
        found = lines(blocks_of(log, stretch, spec, tail_is_line=tail_is_line, size=size)) + found
    return found, stretches


def in_one_pass(data: bytes, spec: LogFormat, start: int, *, tail_is_line: bool, size: int) -> list[Line]:
    log: BinaryIO = io.BytesIO(data)
    log.seek(start)
    number = 1 + data.count(b"\n", 0, start)
    return lines(cut(read_blocks(log, tail_is_line=tail_is_line, offset=start, line=number, size=size), spec))


@given(
    LOGS,
    st.sampled_from([COMMON, W3C, CSV]),
    st.lists(st.integers(0, 300), max_size=8),
    st.booleans(),
    st.integers(1, 40),
    st.integers(0, 5),
)
@example(b"a\n#Fields: time s-ip\nb\n", W3C, [4, 9, 20], False, 3, 0)
def test_any_ranges_give_the_lines_of_one_pass(
    data: bytes, spec: LogFormat, cuts: list[int], tail_is_line: bool, size: int, skipped: int
) -> None:
    start = len(b"".join(_lines(data)[:skipped])) if data.count(b"\n") >= skipped else 0
    edges = sorted({start, len(data), *(cut for cut in cuts if start < cut < len(data))})
    ranges = [Range(*pair) for pair in pairwise(edges)]
    found, stretches = in_ranges(data, spec, ranges or [Range(start, start)], tail_is_line=tail_is_line, size=size)
    assert found == in_one_pass(data, spec, start, tail_is_line=tail_is_line, size=size)
    assert [stretch.end for stretch in stretches[:-1]] == [stretch.begin for stretch in stretches[1:]]


@given(st.integers(0, 10**12), st.integers(0, 10**6), st.integers(200, 10**5))
def test_ranges_cover_a_log_once_and_none_is_small_or_large(begin: int, length: int, size: int) -> None:
    found = ranges_of(begin, begin + length, size)
    assert found[0].begin == begin
    assert found[-1].end == begin + length
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert all(piece.end - piece.begin <= size + size // 2 + 1 for piece in found)
    assert all(2 * (piece.end - piece.begin) >= size - 1 for piece in found) or len(found) == 1


@pytest.mark.parametrize("hole", [b"\0", b"x"])
def test_an_endless_line_over_many_ranges_is_one_line(hole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "MAX_LINE", 64)
    data = b"first\n" + hole * 5000 + b"end\nlast\npending"
    ranges = ranges_of(0, len(data), 100)
    found, stretches = in_ranges(data, COMMON, ranges, tail_is_line=False, size=50)
    whole = in_one_pass(data, COMMON, 0, tail_is_line=False, size=50)
    assert [(number, line[-4:]) for number, _, line, _ in found] == [(n, line[-4:]) for n, _, line, _ in whole]
    assert len(found) == 3
    assert len(stretches) <= 3
    assert all(len(line) < 300 for _, _, line, _ in found)
