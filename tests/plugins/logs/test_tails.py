"""Logs that were read while their last line had no end yet, and how they go on."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

Give = Callable[["Crm", bytes], object]


def on_stdin(crm: "Crm", data: bytes) -> object:
    return crm("logs", "mine", "-", stdin=data)


def packed(pack: Callable[[bytes], bytes]) -> Give:
    def give(crm: "Crm", data: bytes) -> object:
        file = crm.folder / "packed.log"
        file.write_bytes(pack(data))
        return crm("logs", "mine", file)

    return give


def plain(crm: "Crm", data: bytes) -> object:
    file = crm.folder / "plain.log"
    file.write_bytes(data)
    return crm("logs", "mine", file)


WAYS: dict[str, Give] = {
    "stdin": on_stdin,
    "gzip": packed(gzip.compress),
    "bzip2": packed(bz2.compress),
    "xz": packed(lzma.compress),
    "zstd": packed(zstandard.compress),
}


def status(crm: "Crm") -> tuple[int, int, int, int]:
    (row,) = crm.rows("logs", "status")
    return row["lines"], row["hits"], row["rejected"], row["blank"]


def text(crm: "Crm", count: int) -> bytes:
    return "".join(f"{line}\n" for line in crm.lines(count)).encode()


@pytest.mark.parametrize("way", WAYS)
def test_a_rejected_beginning_of_a_line_becomes_a_hit_when_its_rest_is_there(crm: "Crm", way: str) -> None:
    whole = text(crm, 6)
    cut = len(text(crm, 3)) - 30
    WAYS[way](crm, whole[:cut])
    assert status(crm) == (3, 2, 1, 0)
    WAYS[way](crm, whole[:cut])
    assert status(crm) == (3, 2, 1, 0)
    plain(crm, whole)
    assert status(crm) == (6, 6, 0, 0)
    assert crm.rows("query", "select line from hits order by line") == [{"line": n} for n in range(1, 7)]
    plain(crm, whole)
    assert crm.counts() == (6, 1)


def test_only_that_line_may_be_new(crm: "Crm") -> None:
    whole = text(crm, 3)
    on_stdin(crm, whole[:-30])
    on_stdin(crm, whole)
    assert status(crm) == (3, 3, 0, 0)
    assert "nothing new" in str(getattr(plain(crm, whole), "stdout", ""))


def test_while_the_rest_has_no_end_either_a_plain_file_waits(crm: "Crm") -> None:
    whole = text(crm, 3)
    on_stdin(crm, whole[:-30])
    plain(crm, whole[:-10])
    assert status(crm) == (3, 2, 1, 0)
    plain(crm, whole)
    assert status(crm) == (3, 3, 0, 0)


def test_on_standard_input_a_line_may_come_in_many_pieces(crm: "Crm") -> None:
    whole = text(crm, 3)
    for cut in (-60, -40, -20, -1, len(whole)):
        on_stdin(crm, whole[:cut])
        lines, hits, rejected, _ = status(crm)
        assert (lines, hits + rejected) == (3, 3)
    assert status(crm) == (3, 3, 0, 0)


def test_a_line_that_is_none_when_it_is_whole_is_rejected_once(crm: "Crm") -> None:
    whole = text(crm, 3) + b"no line of a log\n" + text(crm, 4)[len(text(crm, 3)) :]
    on_stdin(crm, whole[: len(text(crm, 3)) + 5])
    assert status(crm) == (4, 3, 1, 0)
    plain(crm, whole)
    assert status(crm) == (5, 4, 1, 0)


def test_a_line_that_could_be_read_as_it_was_stays_so_and_its_rest_is_no_line(crm: "Crm") -> None:
    lines = [crm.line(n, f"/{n}").split(' "-"')[0] for n in range(3)]
    whole = "".join(f"{line}345\n" for line in lines).encode()
    on_stdin(crm, whole[:-4])
    sizes = "select bytes from hits order by line"
    assert crm.rows("query", sizes) == [{"bytes": 100345}] * 2 + [{"bytes": 100}]
    plain(crm, whole[:-1])
    plain(crm, whole + whole.splitlines(keepends=True)[0])
    assert status(crm) == (4, 4, 0, 0)
    assert crm.rows("query", sizes) == [{"bytes": 100345}] * 2 + [{"bytes": 100}, {"bytes": 100345}]


@pytest.mark.parametrize("beginning", [b"\0\0\0", b"#", b"# Fields"])
def test_a_blank_beginning_of_a_line_is_read_again_with_its_rest(crm: "Crm", beginning: bytes) -> None:
    first = text(crm, 2)
    on_stdin(crm, first + beginning)
    assert status(crm) == (3, 2, 0, 1)
    rest = text(crm, 3)[len(first) :] if beginning.startswith(b"\0") else b" more\n"
    plain(crm, first + beginning + rest)
    assert status(crm) == ((3, 3, 0, 0) if beginning.startswith(b"\0") else (3, 2, 0, 1))


def test_a_line_longer_than_what_the_ledger_keeps_of_it_is_read_again_whole(crm: "Crm") -> None:
    whole = text(crm, 1) + crm.line(60, "/" + "x" * 30_000).encode() + b"\n"
    on_stdin(crm, whole[:-50])
    assert status(crm) == (2, 1, 1, 0)
    plain(crm, whole)
    assert status(crm) == (2, 2, 0, 0)


def test_a_line_that_was_filtered_or_dropped_stays_so(crm: "Crm") -> None:
    crm.configure("logs: {drop: [{name: health, page: ['/a']}]}")
    lines = [crm.line(n, page).split(' "-"')[0] for n, page in enumerate(("/", "/a"))]
    whole = "".join(f"{line}\n" for line in lines).encode()
    on_stdin(crm, whole[:-2])
    plain(crm, whole)
    (row,) = crm.rows("logs", "status")
    assert (row["lines"], row["hits"], row["filtered"]) == (2, 1, 1)


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 800), st.sampled_from([*WAYS, "plain"])), max_size=4))
def test_pieces_cut_anywhere_are_one_log_in_the_end(
    new_crm: "Callable[[Path], Crm]", cuts: list[tuple[int, str]]
) -> None:
    """Combined lines end with a quote, so that what is cut is never a hit by chance."""
    with TemporaryDirectory() as folder:
        crm = new_crm(Path(folder))
        whole = text(crm, 6)
        full = text(crm, 1)
        for cut, way in sorted(cuts):
            piece = whole[: len(full) + cut]
            (WAYS | {"plain": plain})[way](crm, piece)
            lines, hits, rejected, _ = status(crm)
            assert lines == hits + rejected
            assert hits == piece.count(b'Firefox/140.0"' if way != "plain" else b"\n") or way == "plain"
        plain(crm, whole)
        assert status(crm) == (6, 6, 0, 0)
        assert crm.table("hits")["ts"].n_unique() == 6
