"""The file of `--rejects`: every rejected line with its place, in the order of logs and lines."""

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugins.conftest import Crm


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def at(data: bytes, row: dict[str, Any]) -> bytes:
    """The line that a row points to, without its end."""
    return data[row["offset"] :].partition(b"\n")[0]


@pytest.mark.parametrize("command", ["mine", "parse", "sessions"])
def test_every_rejected_line_is_there_with_its_place_and_the_reason(crm: "Crm", command: str) -> None:
    one = crm.log("1.log", *crm.lines(20), *(f"broken {n}" for n in range(8)), "", "# comment", "客户")
    two = crm.log(
        "2.log", crm.line(9000), "broken", crm.line(9001).replace("02/Mar", "31/Feb"), *crm.lines(5, first=200)
    )
    file = crm.folder / "rejects.ndjson"
    crm("logs", command, one, two, "--rejects", file)
    found = read(file)
    assert list(found[0]) == ["name", "source", "line", "offset", "reason", "field", "text"]
    assert [(Path(row["name"]).name, row["line"]) for row in found] == [
        *[("1.log", n) for n in range(21, 29)],
        ("1.log", 31),
        ("2.log", 2),
        ("2.log", 3),
    ]
    for row in found:
        data = Path(row["name"]).read_bytes()
        assert at(data, row).decode() == row["text"]
        assert data[: row["offset"]].count(b"\n") == row["line"] - 1
        assert row["source"] == ({"1.log": 1, "2.log": 2}[Path(row["name"]).name] if command == "mine" else None)
    assert (found[-1]["reason"], found[-1]["field"]) == ("no valid time", "%t")
    assert found[0]["reason"] == "does not fit the format"


def test_a_later_run_writes_only_what_it_rejects_with_places_in_the_whole_log(crm: "Crm") -> None:
    log, file = crm.log("a.log", *crm.lines(4), "broken"), crm.folder / "rejects"
    crm("logs", "mine", log, "--rejects", file)
    crm.grow(log, *crm.lines(3, first=10), "broken again")
    crm("logs", "mine", log, "--rejects", file)
    (row,) = read(file)
    assert (row["line"], row["text"], row["source"]) == (9, "broken again", 1)
    assert at(log.read_bytes(), row) == b"broken again"
    crm("logs", "mine", log, "--rejects", file)
    assert file.read_bytes() == b""


@pytest.mark.parametrize("command", ["mine", "parse"])
def test_of_a_refused_log_all_are_written_and_it_has_no_number(crm: "Crm", command: str) -> None:
    bad = crm.log("bad.log", *crm.lines(2), *["no log"] * 7)
    good = crm.log("good.log", *crm.lines(6, first=20), "broken")
    file = crm.folder / "rejects"
    crm("logs", command, bad, good, "--log-format", "combined", "--rejects", file, code=4)
    found = read(file)
    assert [row["source"] for row in found] == [None] * 7 + [1 if command == "mine" else None]
    assert [row["text"] for row in found] == ["no log"] * 7 + ["broken"]


def test_offsets_are_those_of_the_uncompressed_stream_whatever_its_packing(crm: "Crm") -> None:
    data = "".join(f"{line}\r\n" for line in [*crm.lines(5), "broken", *crm.lines(2, first=9), "end"]).encode()
    for name, packed in (("a.gz", gzip.compress(data)), ("b", data)):
        (crm.folder / name).write_bytes(packed)
        crm("logs", "parse", crm.folder / name, "--rejects", crm.folder / "rejects")
        first, last = read(crm.folder / "rejects")
        assert (at(data, first), at(data, last)) == (b"broken\r", b"end\r")


def test_bytes_that_are_not_utf_8_are_shown_as_escapes_and_found_by_their_place(crm: "Crm") -> None:
    log = crm.folder / "a.log"
    log.write_bytes("".join(f"{line}\n" for line in crm.lines(3)).encode() + b'\xe9\x00\x01 \x1b[2J "\\\n')
    crm("logs", "parse", log, "--rejects", crm.folder / "rejects")
    (row,) = read(crm.folder / "rejects")
    assert row["text"] == '\\xe9\x00\x01 \x1b[2J "\\'
    assert at(log.read_bytes(), row) == b'\xe9\x00\x01 \x1b[2J "\\'


def test_lines_behind_an_endless_one_or_a_hole_have_their_true_offsets(crm: "Crm") -> None:
    log = crm.folder / "a.log"
    good = "".join(f"{line}\n" for line in crm.lines(6)).encode()
    endless, hole = b"x" * (blocks.MAX_LINE + 17_000_000), bytes(17_000_000)
    log.write_bytes(good + endless + b"\nbroken\n" + good + hole + b"hidden\nmore\n")
    crm("logs", "parse", log, "--rejects", crm.folder / "rejects")
    found = read(crm.folder / "rejects")
    data = log.read_bytes()
    assert [row["line"] for row in found] == [7, 8, 15, 16]
    assert found[0]["text"] == "x" * 4096
    assert [at(data, row)[:6].lstrip(b"\0") for row in found] == [b"xxxxxx", b"broken", b"", b"more"]
    assert found[2]["offset"] == len(good) * 2 + len(endless) + len(b"\nbroken\n")


def test_a_run_that_fails_leaves_no_file_of_an_earlier_one(crm: "Crm") -> None:
    log, file = crm.log("a.log", *crm.lines(4), "broken"), crm.folder / "rejects"
    crm("logs", "mine", log, "--rejects", file)
    crm.configure("logs: {visitors: {cookie: sid}}\n")
    crm("logs", "mine", log, "--rejects", file, code=4)
    assert not file.exists()
    assert "there is no folder" in crm("logs", "mine", log, "--rejects", "/no/where", code=2).stderr


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((command, "--rejects") for command in ("mine", "parse", "sessions")),
        *(("mine", option) for option in ("--metrics", "--json-summary")),
        *((command, "-o") for command in ("parse", "sessions")),
    ],
)
def test_no_output_may_be_one_of_the_logs(crm: "Crm", command: str, option: str) -> None:
    log = crm.log("a.csv", *crm.lines(5))
    before = log.read_bytes()
    linked = crm.folder / "b.csv"
    linked.symlink_to(log)
    for file in (log, linked):
        assert "is one of the logs that are read" in crm("logs", command, crm.folder, option, file, code=2).stderr
        assert log.read_bytes() == before


def test_two_outputs_cannot_be_one_file(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(5))
    result = crm("logs", "mine", log, "--rejects", crm.folder / "out", "--metrics", crm.folder / "out", code=2)
    assert "is named for two outputs" in result.stderr
    crm("logs", "mine", log, "--rejects", "/dev/null", "--metrics", "/dev/null")


def test_only_the_owner_reads_what_mine_has_written(crm: "Crm") -> None:
    file = crm.folder / "rejects"
    crm("logs", "mine", crm.log("a.log", *crm.lines(4), "broken"), "--rejects", file)
    assert file.stat().st_mode & 0o077 == 0


@settings(max_examples=30, deadline=None)
@given(
    data=st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"# c", b"\0\0x", b"\r", b"GOOD", b"GOOD"])),
        max_size=25,
    ),
    size=st.integers(1, 200),
)
def test_whatever_the_bytes_and_the_blocks_each_row_points_to_its_line(
    tmp_path_factory: pytest.TempPathFactory, new_crm: "Callable[[Path], Crm]", data: list[bytes], size: int
) -> None:
    crm = new_crm(tmp_path_factory.mktemp("law"))
    good = crm.line().encode()
    whole = b"\n".join([good, *(line.replace(b"GOOD", good) for line in data)]) + b"\n"
    log = crm.folder / "a.log"
    log.write_bytes(whole)
    file = crm.folder / "rejects"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks.read_blocks, "__kwdefaults__", {**blocks.read_blocks.__kwdefaults__, "size": size})
        words = ["-w", str(crm.workspace), "logs", "parse", str(log), "--log-format", "combined", "-f", "csv"]
        from click.testing import CliRunner

        from cli.main import main

        result = CliRunner().invoke(main, [*words, "--rejects", str(file)])
    assert result.exit_code in (0, 4)
    lines = whole.split(b"\n")
    for row in read(file):
        assert whole[: row["offset"]].count(b"\n") == row["line"] - 1
        assert row["offset"] == 0 or whole[row["offset"] - 1 : row["offset"]] == b"\n"
        raw = lines[row["line"] - 1].strip(b"\0\r").decode("utf-8", "backslashreplace")
        assert row["text"] in (raw, raw.removeprefix("\ufeff"))
    assert f"{len(read(file)):,} rejected" in result.stderr
