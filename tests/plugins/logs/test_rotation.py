"""Every way in which servers and administrators rotate logs adds each line once."""

import bz2
import gzip
import lzma
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from logparse.blocks import Block
from plugins.logs import opening

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    New = Callable[[Path], Crm]
    Same = Callable[..., None]

PACKS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": (".gz", gzip.compress),
    "bzip2": (".bz2", bz2.compress),
    "xz": (".xz", lzma.compress),
    "zstd": (".zst", zstandard.compress),
}


def old(*files: Path) -> None:
    """Make files look as if they had last been changed long ago."""
    for file in files:
        os.utime(file, ns=(10**18 + 7, 10**18 + 7))


def mine(crm: "Crm") -> str:
    return crm("logs", "mine", f"{crm.folder}/access.log*").stdout


@pytest.mark.parametrize("kind", PACKS)
class TestCompressed:
    def test_a_rotated_log_that_is_compressed_adds_only_what_is_new(self, crm: "Crm", kind: str) -> None:
        ending, pack = PACKS[kind]
        every = crm.lines(8)
        log = crm.log("access.log", *every[:3])
        mine(crm)
        crm.grow(log, *every[3:6])
        packed = crm.folder / f"access.log.1{ending}"
        packed.write_bytes(pack(log.read_bytes()))
        log.unlink()
        crm.log("access.log", *every[6:])
        mine(crm)
        assert crm.counts() == (8, 2)
        old(packed, log)
        mine(crm)
        assert mine(crm).count("unchanged") == 2

    def test_beside_the_log_that_it_was_made_of_it_adds_nothing(self, crm: "Crm", kind: str) -> None:
        ending, pack = PACKS[kind]
        log = crm.log("access.log", *crm.lines(5))
        (crm.folder / f"access.log{ending}").write_bytes(pack(log.read_bytes()))
        assert "nothing new" in mine(crm)
        assert crm.counts() == (5, 1)

    def test_cut_off_it_is_refused_in_one_sentence_and_read_once_it_is_whole(self, crm: "Crm", kind: str) -> None:
        ending, pack = PACKS[kind]
        packed = crm.folder / f"access.log{ending}"
        whole = pack("".join(f"{line}\n" for line in crm.lines(500)).encode())
        packed.write_bytes(whole[:-5])
        result = crm("logs", "mine", packed, code=4)
        assert f"{packed}: cannot be read: damaged {kind} data: it is cut off\n" in result.stderr
        assert crm.counts() == (0, 0)
        packed.write_bytes(whole)
        crm("logs", "mine", packed)
        assert crm.counts() == (500, 1)

    def test_on_standard_input_it_is_unpacked_and_adds_nothing_twice(self, crm: "Crm", kind: str) -> None:
        data = "".join(f"{line}\n" for line in crm.lines(6)).encode()
        for count, given_bytes in ((4, b"".join(data.splitlines(keepends=True)[:4])), (6, data), (6, data)):
            crm("logs", "mine", "-", stdin=PACKS[kind][1](given_bytes))
            assert crm.counts() == (count, 1)

    def test_parse_reads_it(self, crm: "Crm", kind: str) -> None:
        packed = crm.folder / "any.name"
        packed.write_bytes(PACKS[kind][1](f"{crm.line()}\n".encode()))
        assert [row["page"] for row in crm.rows("logs", "parse", packed)] == ["/"]


class TestIdentity:
    def test_with_other_inodes_and_times_nothing_is_new(self, crm: "Crm") -> None:
        """As on a network file system that was mounted anew."""
        logs = [crm.log("access.log", *crm.lines(4)), crm.log("access.log.1", *crm.lines(3, first=30))]
        old(*logs)
        mine(crm)
        for log in logs:
            copy = shutil.copy(log, crm.folder / "other")
            assert Path(copy).stat().st_ino != log.stat().st_ino
            os.replace(copy, log)
        assert mine(crm).count("nothing new") == 2
        crm.grow(logs[0], *crm.lines(2, first=20))
        mine(crm)
        assert crm.counts() == (9, 2)

    @pytest.mark.parametrize("kind", ["plain", *PACKS])
    @pytest.mark.parametrize("end", ["", "pending"])
    def test_a_copy_that_was_left_behind_adds_nothing_when_it_is_opened_again(
        self, crm: "Crm", kind: str, end: str
    ) -> None:
        every = crm.lines(150)
        log = crm.log("access.log", *every[:2])
        for count in (3, 90, 120, 150):
            mine(crm)
            copy = crm.folder / f"copy.{count}"
            data = log.read_bytes()
            copy.write_bytes(data + end.encode() if kind == "plain" else PACKS[kind][1](data))
            crm.grow(log, *every[len(data.splitlines()) : count])
        crm("logs", "mine", log)
        for _ in range(2):
            said = crm("logs", "mine", f"{crm.folder}/copy.*", "--verify").stdout
            assert said.count("nothing new") == 4
        assert crm.counts() == (150, 1)

    def test_a_copy_that_went_its_own_way_is_a_source_of_its_own(self, crm: "Crm") -> None:
        every = crm.lines(90)
        log = crm.log("access.log", *every[:80])
        mine(crm)
        copy = Path(shutil.copy(log, crm.folder / "copy.log"))
        crm.grow(log, *every[80:])
        mine(crm)
        crm.grow(copy, crm.line(90_000, "/own"))
        crm("logs", "mine", copy)
        assert crm.counts() == (90 + 81, 2)

    def test_a_log_written_anew_in_one_tick_of_a_coarse_clock_is_seen(self, crm: "Crm") -> None:
        """The same path, inode, size and time, and yet other lines."""
        log = crm.log("access.log", crm.line(0, "/aaa"))
        tick = time.time_ns() // 10**9 * 10**9
        os.utime(log, ns=(tick, tick))
        mine(crm)
        before = log.stat()
        log.write_text(crm.line(1, "/bbb") + "\n")
        os.utime(log, ns=(tick, tick))
        after = log.stat()
        assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)
        mine(crm)
        assert sorted(crm.table("hits")["page"]) == ["/aaa", "/bbb"]

    def test_an_inode_that_is_used_again_makes_no_old_log_of_a_new_one(self, crm: "Crm") -> None:
        log = crm.log("access.log", *crm.lines(4))
        mine(crm)
        inode = log.stat().st_ino
        with log.open("r+") as file:  # the same inode with other content, whatever the file system does
            file.truncate()
            file.write("".join(f"{line}\n" for line in crm.lines(4, first=30)))
        assert log.stat().st_ino == inode
        mine(crm)
        assert crm.counts() == (8, 2)

    def test_logs_with_the_same_header_are_told_apart(self, crm: "Crm") -> None:
        header = [f"#Software: a server {n}" for n in range(400)]
        one = crm.log("access.log", *header, *crm.lines(2))
        two = crm.log("access.log.1", *header, *crm.lines(2, first=20))
        mine(crm)
        assert crm.counts() == (4, 2)
        crm.grow(one, *crm.lines(1, first=40))
        crm.grow(two, *crm.lines(1, first=50))
        mine(crm)
        assert crm.counts() == (6, 2)

    def test_a_log_with_a_header_alone_is_no_source_yet(self, crm: "Crm") -> None:
        one, two = crm.log("access.log", "#Version: 1.0"), crm.log("access.log.1", "#Version: 1.0")
        assert mine(crm).count("nothing to read yet") == 2
        crm.grow(one, *crm.lines(2))
        crm.grow(two, *crm.lines(3, first=20))
        mine(crm)
        assert crm.counts() == (5, 2)

    @pytest.mark.parametrize("steps", [(1, 2, 3), (1, 30, 60), (12, 13, 90)])
    def test_a_log_shorter_than_its_fingerprint_stays_one_source_as_it_grows(self, crm: "Crm", steps: Any) -> None:
        every, log = crm.lines(100), crm.folder / "access.log"
        done = 0
        for count in steps:
            crm.grow(log, *every[done:count])
            done = count
            mine(crm)
            assert crm.counts() == (count, 1)

    def test_a_shorter_log_that_grew_is_known_by_what_it_was(self, crm: "Crm") -> None:
        every = crm.lines(60)
        log = crm.log("access.log", *every[:2])
        mine(crm)
        log.rename(crm.folder / "access.log.1")
        crm.grow(crm.folder / "access.log.1", *every[2:40])
        crm.log("access.log", *every[40:])
        mine(crm)
        assert crm.counts() == (60, 2)


class TestWhileReading:
    @pytest.fixture
    def during(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
        """Do something once, right after the first block of a log has been read."""
        read = opening.read_blocks

        def arrange(action: Callable[[], object]) -> None:
            todo = [action]

            def reading(*args: Any, **kwargs: Any) -> Iterator[Block]:
                for block in read(*args, **kwargs, size=4096):
                    yield block
                    if todo:
                        todo.pop()()

            monkeypatch.setattr(opening, "read_blocks", reading)

        return arrange

    def test_a_log_that_is_renamed_is_read_to_its_end(self, crm: "Crm", during: Callable[..., None]) -> None:
        every = crm.lines(200)
        log = crm.log("access.log", *every[:150])

        def rotate() -> None:
            log.rename(crm.folder / "access.log.1")
            crm.log("access.log", *every[150:])

        during(rotate)
        mine(crm)
        assert crm.counts() == (150, 1)
        mine(crm)
        assert crm.counts() == (200, 2)

    @pytest.mark.parametrize("after", [0, 20, 200], ids=["empty", "shorter", "longer"])
    def test_a_log_that_is_copied_and_emptied_is_read_on_in_the_copy(
        self, crm: "Crm", during: Callable[..., None], after: int
    ) -> None:
        every = crm.lines(350)
        log = crm.log("access.log", *every[:150])

        def rotate() -> None:
            shutil.copy(log, crm.folder / "access.log.1")
            os.truncate(log, 0)
            if after:
                crm.grow(log, *every[150 : 150 + after])

        during(rotate)
        mine(crm)
        assert crm.counts()[0] < 150
        mine(crm)
        assert crm.counts() == (150 + after, 2 if after else 1)
        assert crm.table("hits")["ts"].n_unique() == 150 + after
        assert {row["rejected"] for row in crm.rows("logs", "status")} == {0}

    def test_a_log_that_grows_is_read_on_by_the_next_run(self, crm: "Crm", during: Callable[..., None]) -> None:
        every = crm.lines(200)
        log = crm.log("access.log", *every[:150])
        during(lambda: crm.grow(log, *every[150:]))
        mine(crm)
        mine(crm)
        assert crm.counts() == (200, 1)

    def test_a_log_that_was_found_and_is_gone_is_no_mistake(self, crm: "Crm", during: Callable[..., None]) -> None:
        every = crm.lines(200)
        crm.log("access.log", *every[:100])
        second = crm.log("access.log.1", *every[100:])
        during(lambda: second.rename(crm.folder / "access.log.2"))
        assert f"{second}: gone" in mine(crm)
        assert "No such file" in crm("logs", "mine", second, code=4).stderr
        mine(crm)
        assert crm.counts() == (200, 2)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 4)),
        st.tuples(st.sampled_from(["rename", "copytruncate", "mine", "copy"]), st.just(0)),
        st.tuples(st.just("pack"), st.sampled_from(sorted(PACKS))),
        st.tuples(st.just("partial"), st.integers(1, 100)),
    ),
    min_size=3,
    max_size=14,
)


class Server:
    """A log that is written to and rotated, as administrators do it."""

    def __init__(self, crm: "Crm", lines: list[str]) -> None:
        self.crm, self.lines = crm, lines
        self.log = crm.folder / "access.log"
        self.log.write_text("")
        self.written = 0
        self.begun = 0

    def append(self, count: int) -> None:
        """Write lines, the first of which may have been begun."""
        new = "".join(f"{line}\n" for line in self.lines[self.written : self.written + count])
        with self.log.open("a") as out:
            out.write(new[self.begun :] if new else "")
        if new:
            self.begun = 0
        self.written = min(self.written + count, len(self.lines))

    def partial(self, size: int) -> None:
        """Write a part of the next line."""
        if self.written < len(self.lines):
            line = self.lines[self.written]
            with self.log.open("a") as out:
                out.write(line[self.begun : self.begun + size])
            self.begun = min(self.begun + size, len(line))

    def _rotated(self) -> list[Path]:
        return sorted(self.log.parent.glob("access.log.*"), key=lambda file: int(file.name.split(".")[2]))

    def _shift(self) -> None:
        for file in reversed(self._rotated()):
            _, _, number, *ending = file.name.split(".")
            file.rename(file.with_name(".".join(["access.log", str(int(number) + 1), *ending])))

    def rename(self, _: object) -> None:
        """The server finishes its line, and begins a new file."""
        if self.begun:
            self.append(1)
        self._shift()
        self.log.rename(self.log.with_name("access.log.1"))
        self.log.write_text("")

    def copytruncate(self, _: object) -> None:
        """The log is copied and emptied; the server goes on in it."""
        if self.begun:
            self.append(1)
        self._shift()
        shutil.copy(self.log, self.log.with_name("access.log.1"))
        os.truncate(self.log, 0)

    def pack(self, kind: str) -> None:
        """The newest rotated log that is not compressed becomes so."""
        for file in self._rotated():
            if file.suffix[1:].isdecimal():
                ending, pack = PACKS[kind]
                Path(f"{file}{ending}").write_bytes(pack(file.read_bytes()))
                file.unlink()
                return

    def copy(self, _: object) -> None:
        """Somebody puts by what has just been read."""
        self.mine(None)
        saved = self.log.with_name(f"saved.{len(list(self.log.parent.iterdir()))}.log")
        shutil.copy(self.log, saved)

    def mine(self, _: object) -> None:
        """A run over everything that lies there."""
        self.crm("logs", "mine", str(self.log.parent), "--log-format", "combined")


@settings(max_examples=6, deadline=None)
@given(events=EVENTS, backwards=st.booleans())
def test_a_log_rotated_in_any_way_between_runs_gives_the_tables_of_one_pass(
    new_crm: "New", same: "Same", events: list[tuple[str, Any]], backwards: bool
) -> None:
    """The law of order, rotation included: hits, sessions, pages and transitions, and every line counted once."""
    with TemporaryDirectory() as folder:
        whole, parts = new_crm(Path(folder, "whole")), new_crm(Path(folder, "parts"))
        lines = [parts.line(at, f"/{at % 7}", who=1 + at % 3) for at in range(0, 40 * 900, 900)]
        lines = lines[::-1] if backwards else lines
        logs = parts.folder / "logs"
        logs.mkdir()
        server = Server(parts, lines)
        server.log.unlink()
        server.log = logs / "access.log"
        server.log.write_text("")
        server.append(1)
        for name, how in events:
            getattr(server, name)(how)
        server.append(1)
        server.mine(None)
        whole("logs", "mine", whole.log("access.log", *lines[: server.written]), "--log-format", "combined")
        same(parts.tables(), whole.tables())
        sources = parts.rows("logs", "status")
        assert sum(row["lines"] for row in sources) == sum(row["hits"] for row in sources) == server.written
