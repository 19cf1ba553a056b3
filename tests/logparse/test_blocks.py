"""Reading logs: plain and compressed, from files and standard input, with ends and holes of every kind."""

import gzip
import io
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from logparse.blocks import MAX_LINE, TAIL, Block, open_stream, read_blocks
from logparse.errors import UnreadableSource

LINE = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /cart HTTP/1.1" 200 512 "-" "Firefox"\n'


def read(source: Path | BinaryIO, size: int = 1 << 16) -> list[Block]:
    """All blocks of a source, as a miner reads them."""
    with open_stream(source) as (stream, plain):
        return list(read_blocks(stream, tail_is_line=not plain or not isinstance(source, Path), size=size))


def pages(engine: Any, blocks: list[Block]) -> list[str]:
    """The pages of the hits of blocks that hold nothing else."""
    parsed = [engine.kernel("combined").parse(block) for block in blocks]
    assert [part.rejects.height for part in parsed] == [0] * len(parsed)
    return [page for part in parsed for page in part.hits["page"]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def test_plain_file_may_still_grow(log: Path) -> None:
    log.write_text(LINE)
    with open_stream(log) as (stream, plain):
        assert (stream.read(), plain) == (LINE.encode(), True)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(UnreadableSource, match=r"gone\.log: No such file"),
        open_stream(tmp_path / "gone.log"),
    ):
        pass


def test_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="directory"), open_stream(tmp_path):
        pass


class Failing(io.RawIOBase):
    """A device that gives so many lines and then fails."""

    def __init__(self, lines: int) -> None:
        self.lines = lines

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.lines:
            raise OSError(5, "Input/output error")
        self.lines -= 1
        buffer[: len(LINE)] = LINE.encode()
        return len(LINE)


@pytest.mark.parametrize("lines", [0, 1, 5])
def test_device_that_fails_is_unreadable(lines: int) -> None:
    reader = io.BufferedReader(Failing(lines))
    with pytest.raises(UnreadableSource, match="Input/output error"):
        read(reader)


def test_empty_file_has_no_blocks(log: Path) -> None:
    log.write_bytes(b"")
    assert read(log) == []
    log.write_bytes(gzip.compress(b""))
    assert read(log) == []


def test_unfinished_last_line_of_a_plain_file_is_pending(engine: Any, log: Path) -> None:
    log.write_text(LINE + LINE[:-1])
    (block,) = read(log)
    assert (block.data, block.end) == (LINE.encode(), len(LINE))
    assert pages(engine, [block]) == ["/cart"]


def test_plain_file_of_one_unfinished_line_is_all_pending(log: Path) -> None:
    log.write_text(LINE[:-1])
    assert read(log) == []


def test_unfinished_last_line_of_gzip_and_standard_input_is_a_line(engine: Any, log: Path) -> None:
    log.write_bytes(gzip.compress((LINE + LINE[:-1]).encode()))
    for source in (log, io.BytesIO((LINE + LINE[:-1]).encode())):
        blocks = read(source)
        assert blocks[-1].end == 2 * len(LINE) - 1
        assert pages(engine, blocks) == ["/cart", "/cart"]


def test_reading_goes_on_with_offsets_and_line_numbers(log: Path) -> None:
    log.write_text("one\ntwo\nthree\n")
    with open_stream(log) as (stream, _):
        stream.seek(4)
        blocks = list(read_blocks(stream, tail_is_line=False, offset=4, line=2, size=5))
    assert blocks == [Block(b"two\n", 4, 8, 2), Block(b"three\n", 8, 14, 3)]


def test_line_of_64_kib_is_a_hit(engine: Any) -> None:
    line = LINE.replace("/cart", "/" + "x" * (1 << 16))
    for size in (1000, 1 << 20):
        assert pages(engine, read(io.BytesIO((line + LINE).encode()), size)) == [
            "/" + "x" * (1 << 16),
            "/cart",
        ]


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 1 << 23])
def test_endless_line_is_rejected_and_not_kept_in_memory(engine: Any, size: int) -> None:
    endless = b"y" * (5 * MAX_LINE) + b"\n"
    blocks = read(io.BytesIO(LINE.encode() + endless + LINE.encode()), size)
    assert sum(block.end - block.offset for block in blocks) == 2 * len(LINE) + len(endless)
    if size < MAX_LINE:
        assert max(len(block.data) for block in blocks) < 2 * MAX_LINE
    parsed = [engine.kernel("combined").parse(block) for block in blocks]
    assert [number for part in parsed for number in part.hits["line"]] == [1, 3]
    (reject,) = (row for part in parsed for row in part.rejects.to_dicts())
    assert (reject["line"], reject["reason"], reject["field"]) == (2, "longer than 1 MiB", None)
    assert reject["text"] == "y" * 4096


def test_endless_line_without_an_end(engine: Any) -> None:
    blocks = read(io.BytesIO(b"y" * (3 * MAX_LINE)))
    assert [(block.offset, block.end) for block in blocks] == [(0, 3 * MAX_LINE)]
    assert engine.kernel("combined").parse(blocks[0]).account.rejected == {"longer than 1 MiB": 1}


def test_line_of_just_the_longest_length_may_still_be_one(engine: Any) -> None:
    for more, expected in ((0, []), (1, ["longer than 1 MiB"])):
        line = LINE.replace("/cart", "/cart" + "x" * (MAX_LINE + 1 - len(LINE) + more))
        assert len(line) == MAX_LINE + len("\n") + more
        for size in (1 << 16, 1 << 22):
            (block,) = read(io.BytesIO(line.encode()), size)
            assert list(engine.kernel("combined").parse(block).account.rejected) == expected


@pytest.mark.parametrize("size", [1 << 16, 1 << 23])
@pytest.mark.parametrize("length", [1, 100, MAX_LINE - 50, 3 * MAX_LINE])
def test_line_after_a_hole_of_nul_bytes_is_a_hit(engine: Any, length: int, size: int) -> None:
    data = LINE.encode() + b"\0" * length + LINE.replace("/cart", "/after").encode() + LINE.encode()
    blocks = read(io.BytesIO(data), size)
    assert pages(engine, blocks) == ["/cart", "/after", "/cart"]
    assert blocks[-1].end == len(data)
    assert sum(block.end - block.offset for block in blocks) == len(data)


def test_hole_at_the_end_is_a_blank_line(engine: Any) -> None:
    blocks = read(io.BytesIO(LINE.encode() + b"\0" * (3 * MAX_LINE)))
    accounts = [engine.kernel("combined").parse(block).account for block in blocks]
    assert [(account.hits, account.blank) for account in accounts] == [(1, 0), (0, 1)]
    assert blocks[-1].end == len(LINE) + 3 * MAX_LINE


def test_last_line_is_what_stands_before_the_end() -> None:
    assert Block(b"one\ntwo\n", 0, 8, 1).last_line == b"two\n"
    assert Block(b"one\n", 0, 4, 1).last_line == b"one\n"
    assert Block(b"one\ntwo", 0, 7, 1).last_line == b"two"
    assert Block(b"\n", 0, 1, 1).last_line == b"\n"
    assert Block(b"one\n\n", 0, 5, 1).last_line == b"\n"
    long = b"a\n" + b"x" * (2 * TAIL) + b"\n"
    assert Block(long, 0, len(long), 1).last_line == long[-TAIL:]


@pytest.mark.parametrize("before", [b"", b"\0" * (2 * MAX_LINE), b"z" * (2 * MAX_LINE)])
def test_last_line_stands_in_the_file_even_if_the_line_was_cut(log: Path, before: bytes) -> None:
    log.write_bytes(b"first\n" + before + b"second\n")
    block = read(log)[-1]
    tail = block.last_line
    assert tail.endswith(b"\n")
    assert log.read_bytes()[: block.end].endswith(tail)
