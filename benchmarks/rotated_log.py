"""A log as a server writes it and a rotation moves it about: part of soak_kill.py.

Lines arrive in bursts, the last of which may be half written. The log is rotated by renaming (the server goes on
writing to the old file for a while) or by copying and emptying it; older pieces are renamed one further, compressed, or
copied. Time never stands still over a rotation, so the pieces share no instant, and everything that is written is kept
in one file too.
"""

from __future__ import annotations

import gzip
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
AGENTS = (
    FIREFOX,
    FIREFOX,
    "Mozilla/5.0 (Macintosh) Safari/605.1.15",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    'a \\"b\\"',
)
PAGES = ("/", "/list", "/item/1", "/item/2", "/cart", "/%E5%A4%A7%E7%B1%B3", "/style.css", "/robots.txt")
STEPS, STEP_WEIGHTS = (0, 1, 2, 30, 4000), (400, 400, 150, 49, 1)
"""Seconds between two lines, and how often."""

CONFIGURATION = "logs: {drop: [{name: health, path: [/health]}]}\n"
"""What the workspace drops: some of the lines are filtered."""


class RotatedLog:
    """The log `access.log` in a folder, its older pieces beside it, and everything ever written in `whole`.

    Args:
        folder: Where it lies; made anew.
        whole: The file that gets every line, unbroken.
        chance: What decides.
    """

    def __init__(self, folder: Path, whole: Path, chance: random.Random) -> None:
        folder.mkdir()
        self.folder = folder
        self.lines = 0
        self.rotations = 0
        self._chance = chance
        self._now = datetime(2026, 3, 1, 22, tzinfo=UTC)
        self._whole = whole.open("ab", buffering=0)
        self._out = self._current.open("ab", buffering=0)
        self._half = b""
        self._packing: tuple[Path, bytes] | None = None

    @property
    def _current(self) -> Path:
        return self.folder / "access.log"

    def __enter__(self) -> RotatedLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._whole.close()

    def grow(self, lines: int) -> None:
        """Write lines; now and then the last of them is only half there."""
        text = b"".join(self._line() for _ in range(lines))
        self._whole.write(text)
        cut = self._chance.randrange(1, 20) if self._chance.random() < 0.4 else 0
        self._out.write(self._half + text[: len(text) - cut])
        self._half = text[len(text) - cut :]

    def finish(self) -> None:
        """Write the rest of a half line, and of a half packed piece."""
        self._out.write(self._half)
        self._half = b""
        self._pack()

    def rotate(self) -> None:
        """Rotate in one of the ways there are, and treat an old piece in one of the ways there are."""
        self.rotations += 1
        self._pack()
        self._shift()
        if self._chance.random() < 0.5:
            self._rename()
        else:
            self._copy_and_empty()
        self._now += timedelta(seconds=1)
        if self._chance.random() < 0.5:
            self._compress()
        elif self._chance.random() < 0.2:
            self._copy_aside()

    def _rename(self) -> None:
        self._current.rename(self._piece(1))
        if self._chance.random() < 0.5:
            self.grow(3)
        self.finish()
        self._out.close()
        self._out = self._current.open("ab", buffering=0)

    def _copy_and_empty(self) -> None:
        self.finish()
        shutil.copyfile(self._current, self._piece(1))
        self._out.truncate(0)

    def _shift(self) -> None:
        """Rename every older piece one further: .1 to .2, .2.gz to .3.gz."""
        for file in sorted(self.folder.glob("access.log.*"), key=_age, reverse=True):
            file.rename(self._piece(_age(file) + 1, ".gz" if file.suffix == ".gz" else ""))

    def _compress(self) -> None:
        """Begin to compress a piece that is not the newest: for a while, half of it lies beside the plain one."""
        plain = [file for file in self.folder.glob("access.log.*") if file.suffix != ".gz" and _age(file) > 1]
        if plain:
            file = self._chance.choice(sorted(plain))
            packed = gzip.compress(file.read_bytes(), 1)
            file.with_name(f"{file.name}.gz").write_bytes(packed[: len(packed) // 2])
            self._packing = file, packed
            if self._chance.random() < 0.5:
                self._pack()

    def _pack(self) -> None:
        """Compress the rest of a half packed piece, and delete the plain one."""
        if self._packing:
            file, packed = self._packing
            file.with_name(f"{file.name}.gz").write_bytes(packed)
            file.unlink()
            self._packing = None

    def _copy_aside(self) -> None:
        """A copy of a finished piece under another name holds nothing new."""
        pieces = sorted(self.folder.glob("access.log.*"))
        if pieces:
            file = self._chance.choice(pieces)
            copy = self.folder / f".copy-{self.rotations}"
            shutil.copyfile(file, copy)
            copy.rename(self.folder / f"copy-{self.rotations}{file.suffix if file.suffix == '.gz' else ''}")

    def _piece(self, age: int, ending: str = "") -> Path:
        return self.folder / f"access.log.{age}{ending}"

    def _line(self) -> bytes:
        """The next line: mostly a request, at times broken or blank."""
        self.lines += 1
        kind = self._chance.random()
        if kind < 0.01:
            return self._chance.choice(
                (b"\n", b"# note\n", b"broken %d\n" % self.lines, b'"\xff\xfe" %d\n' % self.lines)
            )
        self._now += timedelta(seconds=self._chance.choices(STEPS, STEP_WEIGHTS)[0])
        page = "/health" if kind < 0.03 else self._chance.choice(PAGES)
        login = self._chance.choice(("-", "-", "-", "-", "li", "wang"))
        status = self._chance.choice((200, 200, 200, 304, 404))
        return (
            f"192.0.2.{self._chance.randrange(1, 40)} - {login} [{self._now:%d/%b/%Y:%H:%M:%S %z}] "
            f'"GET {page}?n={self.lines} HTTP/1.1" {status} {self._chance.randrange(9999)} "-" '
            f'"{self._chance.choice(AGENTS)}"\n'
        ).encode()


def _age(file: Path) -> int:
    """The number in the name of a piece: 1 for the newest."""
    return int(file.name.split(".")[2])
