"""Compressed logs: every kind, in members one after another, padded, cut off, damaged, and read from any place."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.blocks import Block, open_stream, read_blocks
from logparse.errors import UnreadableSource

LINE = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /cart HTTP/1.1" 200 512 "-" "Firefox"\n'
LINES = "".join(f"{number} {LINE}" for number in range(300)).encode()

Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
SKIPPABLE = b"\x52\x2a\x4d\x18\x05\0\0\0notes"
"""A frame of zstd that holds no data, as tools write for indexes."""


def unpack(data: bytes) -> bytes:
    """What a stream of these bytes holds, read as a pipe gives it."""
    with open_stream(io.BytesIO(data)) as (stream, plain):
        assert not plain
        return stream.read()


def read(log: Path, size: int = 1 << 16) -> list[Block]:
    with open_stream(log) as (stream, plain):
        return list(read_blocks(stream, tail_is_line=not plain, size=size))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.mark.parametrize("kind", PACKS)
class TestEveryKind:
    def test_is_known_by_its_first_bytes_whatever_the_name(self, log: Path, kind: str) -> None:
        log.write_bytes(PACKS[kind](LINES))
        with open_stream(log) as (stream, plain):
            assert (stream.read(), plain) == (LINES, False)

    def test_members_one_after_another_are_one_log(self, kind: str) -> None:
        parts = [LINES[:10], b"", LINES[10:999], LINES[999:]]
        assert unpack(b"".join(map(PACKS[kind], parts))) == LINES

    def test_padding_is_no_part_of_it(self, kind: str) -> None:
        assert unpack(PACKS[kind](LINES) + bytes(8) + PACKS[kind](b"more\n") + bytes(9000)) == LINES + b"more\n"

    def test_a_log_without_lines_is_empty(self, kind: str) -> None:
        assert unpack(PACKS[kind](b"")) == b""

    @pytest.mark.parametrize("cut", [12, 40, -30, -9, -1])
    def test_what_is_cut_off_is_unreadable(self, log: Path, kind: str, cut: int) -> None:
        log.write_bytes(PACKS[kind](LINES)[:cut])
        with pytest.raises(UnreadableSource, match=f"cannot be read: damaged {kind} data: "):
            read(log)

    @pytest.mark.parametrize("garbage", [b"x", b"\0\0garbage", LINE.encode(), b"\x1f\x8c", b"\0" * 5000 + b"y"])
    def test_what_follows_and_is_no_member_makes_it_unreadable(self, log: Path, kind: str, garbage: bytes) -> None:
        log.write_bytes(PACKS[kind](LINES) + garbage)
        with pytest.raises(UnreadableSource, match=f"damaged {kind} data: what follows its data"):
            read(log)

    def test_flipped_bytes_are_unreadable(self, log: Path, kind: str) -> None:
        data = bytearray(PACKS[kind](os.urandom(5000)))
        data[len(data) // 2] ^= 0xFF
        log.write_bytes(data)
        with pytest.raises(UnreadableSource, match=f"damaged {kind} data: "):
            read(log)

    def test_blocks_before_the_damage_are_given(self, log: Path, kind: str) -> None:
        log.write_bytes(PACKS[kind](LINES) + PACKS[kind](LINES)[:-4])
        with open_stream(log) as (stream, _):
            blocks = read_blocks(stream, tail_is_line=True, size=1000)
            assert next(blocks).line == 1
            with pytest.raises(UnreadableSource):
                list(blocks)

    @given(places=st.lists(st.integers(0, len(LINES) + 9), max_size=6), size=st.integers(0, 3000))
    @settings(deadline=None, max_examples=20)
    def test_any_place_can_be_gone_to(self, kind: str, places: list[int], size: int) -> None:
        packed = PACKS[kind](LINES[:5000]) + PACKS[kind](LINES[5000:])
        with open_stream(io.BytesIO(packed)) as (stream, _):
            for place in places:
                assert stream.seek(place) == stream.tell() == min(place, len(LINES))
                assert stream.read(size) == LINES[place : place + size]

    def test_a_pipe_is_unpacked_and_cannot_be_gone_back_in(self, kind: str) -> None:
        program = (
            "import sys; from logparse.blocks import open_stream\n"
            "with open_stream(sys.stdin.buffer) as (stream, plain):\n"
            "    print(stream.seekable(), plain, len(stream.read()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], input=PACKS[kind](LINES), capture_output=True, check=True
        )
        assert done.stdout.decode() == f"False False {len(LINES)}\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x1f\x8b",
        b"\x1f\x8b\x09" + b"\0" * 20,
        gzip.compress(LINES)[:-8] + b"\0" * 8,
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
    ],
    ids=["gzip magic", "unknown method", "wrong checksum", "xz magic", "zstd magic"],
)
def test_hardly_more_than_first_bytes_is_unreadable(log: Path, data: bytes) -> None:
    log.write_bytes(data)
    with pytest.raises(UnreadableSource, match="cannot be read: damaged"):
        read(log)


def test_frames_of_zstd_without_data_are_passed_over() -> None:
    packed = PACKS["zstd"](LINES)
    assert unpack(SKIPPABLE + packed + SKIPPABLE) == LINES


def test_a_member_of_another_kind_is_no_part_of_it(log: Path) -> None:
    log.write_bytes(gzip.compress(LINES) + bz2.compress(LINES))
    with pytest.raises(UnreadableSource, match="what follows its data is no part of it"):
        read(log)


@pytest.mark.parametrize("text", ["BZh", "BZhello", "BZh9.example.org", "7zXZ", "(", "\x1f"])
def test_a_text_that_begins_alike_is_a_text(log: Path, text: str) -> None:
    log.write_text(f"{text} {LINE}")
    with open_stream(log) as (stream, plain):
        assert (stream.read(), plain) == (f"{text} {LINE}".encode(), True)


def test_a_small_file_of_a_huge_log_is_unpacked_piece_by_piece(log: Path) -> None:
    log.write_bytes(PACKS["zstd"](b"\n" * (64 << 20)))
    with open_stream(log) as (stream, _):
        blocks = [len(block.data) for block in read_blocks(stream, tail_is_line=True, size=1 << 20)]
    assert blocks == [1 << 20] * 64
