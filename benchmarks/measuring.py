"""How long programs take, how much memory they hold, and on what machine: what the benchmarks have in common.

Time is the wall clock from the start of the program to its end, start-up included. Peak memory is the largest
sum of what the program and its workers hold (the proportional set size of each process, which shares out pages
that several have), looked at every 100 ms; and at least `ru_maxrss` of `os.wait4`, the largest resident set of
any one process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

MIB = 2**20


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message is one sentence for the user."""


def measured(command: list[str], output: Path, **environment: str) -> tuple[float, int]:
    """Run `command` to its end: seconds and peak resident bytes. What it prints goes to the file `output`."""
    peak = Peak()
    with output.open("wb") as sink:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env={**os.environ, **environment}
        )
        try:
            with peak.of(child.pid):
                _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            child.wait()
            raise
        seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        said = output.read_text(errors="replace").strip().splitlines()[-5:]
        raise BenchmarkError("\n".join([f"{' '.join(command)} ended with exit code {child.returncode}.", *said]))
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, max(peak.bytes, usage.ru_maxrss * scale)


class Peak:
    """The most memory that a process and all it has started have held together, where the system has /proc."""

    def __init__(self) -> None:
        self.bytes = 0
        self._ended = threading.Event()

    def of(self, pid: int) -> AbstractContextManager[None]:
        """Look at a process until the block ends."""
        return self.looking(lambda: self.at_least(sum(map(held, [pid, *descendants(pid)]))), 0.1)

    def at_least(self, number: int) -> None:
        """So many bytes have been seen."""
        self.bytes = max(self.bytes, number)

    @contextmanager
    def looking(self, look: Callable[[], None], every: float) -> Iterator[None]:
        """Look again and again, every so many seconds, until the block ends."""

        def watch() -> None:
            while not self._ended.wait(every):
                look()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have started, as far as they run."""
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            started = file.read_text().split()
        except OSError:  # the thread has ended
            continue
        for child in map(int, started):
            yield child
            yield from descendants(child)


def held(pid: int) -> int:
    """Bytes of memory that are a process's share; 0 once it has ended."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))


def found(program: str, how: str) -> str:
    """The path of a program. Raises BenchmarkError when there is none."""
    path = shutil.which(program)
    if path is None:
        raise BenchmarkError(f"{program} was not found: {how}.")
    return path


def version(path: str) -> str:
    """The first line that the program prints for --version."""
    printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = (printed.stdout + printed.stderr).strip().splitlines()
    return lines[0].rstrip(".") if lines else "unknown version"


def machine() -> str:
    """CPU model, cores that this process may use, and operating system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {os.uname().sysname} {os.uname().release}"


def warm(log: Path) -> int:
    """Read the file once, so that it lies in the page cache. Its size in bytes."""
    with log.open("rb") as file:
        return sum(len(block) for block in iter(lambda: file.read(4 * MIB), b""))
