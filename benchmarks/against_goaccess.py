"""Mine one access log by `crm logs mine` and by GoAccess, in turn; print time and peak memory side by side.

    python benchmarks/against_goaccess.py [--log FILE | --lines 2000000] [--rounds 3] [--crm PATH]
                                          [--goaccess-jobs N] [--crm-only]

Each round runs `crm -w <fresh workspace> logs mine LOG` and then `goaccess LOG -o <file>.json` on the same
file, which has been read once before the first round so that neither pays for the disk. The two do not do
the same work: crm stores every hit and mines sessions, paths and patterns for later questions; GoAccess
counts for one report. That both went through the whole log is checked by their own counts: `lines` of crm's
JSON summary and `general.total_requests` of GoAccess's JSON report.

Time is the wall clock from the start of the program to its end, start-up included. Peak memory is the largest
sum of what the program and its workers hold (the proportional set size of each process, which shares out pages
that several have), looked at every 100 ms; and at least `ru_maxrss` of `os.wait4`, the largest resident set of
any one process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message is one sentence for the user."""


@dataclass(frozen=True)
class Run:
    """One finished program: wall time, peak resident memory (bytes), and its own counts."""

    program: str
    seconds: float
    peak: int
    counts: dict[str, int]

    @property
    def lines(self) -> int:
        """The lines of the log that the program says it went through."""
        return next(iter(self.counts.values()))


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

    @contextmanager
    def of(self, pid: int) -> Iterator[None]:
        """Look at a process until the block ends."""
        watch = threading.Thread(target=self._watch, args=(pid,))
        watch.start()
        try:
            yield
        finally:
            self._ended.set()
            watch.join()

    def _watch(self, pid: int) -> None:
        while not self._ended.wait(0.1):
            self.bytes = max(self.bytes, sum(map(held, [pid, *descendants(pid)])))


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


def run_crm(crm: str, log: Path, folder: Path) -> Run:
    """`crm logs mine` into a fresh workspace in `folder`, with the counts of its JSON summary."""
    summary = folder / "summary.json"
    command = [crm, "-w", str(folder / "workspace"), "logs", "mine", str(log), "--json-summary", str(summary)]
    seconds, peak = measured(command, folder / "printed")
    counts = json.loads(summary.read_text())
    return Run("crm", seconds, peak, {key: int(counts[key]) for key in ("lines", "hits")})


def run_goaccess(goaccess: str, log: Path, folder: Path, jobs: int | None) -> Run:
    """GoAccess to a JSON report in `folder`, with the counts of that report."""
    report = folder / "report.json"
    command = [goaccess, str(log), "--log-format=COMBINED", "--no-global-config", "--no-progress"]
    command += ["--no-parsing-spinner", "-o", str(report)] + ([f"--jobs={jobs}"] if jobs else [])
    seconds, peak = measured(command, folder / "printed", HOME=str(folder))  # no .goaccessrc of the user
    general = json.loads(report.read_text(errors="replace"))["general"]
    return Run("GoAccess", seconds, peak, {key: int(general[key]) for key in ("total_requests", "valid_requests")})


def compare(log: Path, programs: dict[str, str], rounds: int, jobs: int | None) -> list[Run]:
    """All runs, printed as they end. The workspace and report of a run are gone before the next."""
    runs = []
    for number in range(1, rounds + 1):
        for name, path in programs.items():
            with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
                run = run_crm(path, log, Path(folder)) if name == "crm" else run_goaccess(path, log, Path(folder), jobs)
            counts = "  ".join(f"{key} {count:,}" for key, count in run.counts.items())
            print(f"{number:>5}  {_row(name, run.seconds, run.peak, run.lines)}  {counts}", flush=True)
            runs.append(run)
    if len({run.lines for run in runs}) > 1:
        raise BenchmarkError(
            f"The programs went through different numbers of lines: {sorted({r.lines for r in runs})}."
        )
    return runs


def _row(name: str, seconds: float, peak: int, lines: int) -> str:
    return f"{name:<9} {seconds:>8.2f} s {lines / seconds:>11,.0f} lines/s {peak / MIB:>8,.0f} MiB"


def print_medians(runs: list[Run]) -> None:
    """The medians of each program, and the ratio where there are two."""
    medians = {}
    for name in dict.fromkeys(run.program for run in runs):
        of = [run for run in runs if run.program == name]
        medians[name] = statistics.median(run.seconds for run in of)
        print(f"median {_row(name, medians[name], int(statistics.median(run.peak for run in of)), of[0].lines)}")
    if len(medians) > 1:
        ours, theirs = medians["crm"], medians["GoAccess"]
        print(f"ratio  crm / GoAccess {ours / theirs:.2f} (crm is {theirs / ours:.2f} times as fast)")


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


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="crm logs mine and GoAccess on one access log, side by side.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--log", type=Path, help="a log in the Combined Log Format (default: one is generated)")
    source.add_argument("--lines", type=_positive, default=2_000_000, help="lines to generate (default: 2000000)")
    parser.add_argument("--rounds", type=_positive, default=3, help="runs of each program (default: 3)")
    parser.add_argument("--crm", default="crm", metavar="PATH", help="the crm program (default: the one on the PATH)")
    parser.add_argument("--crm-only", action="store_true", help="leave GoAccess out")
    parser.add_argument(
        "--goaccess-jobs", type=_positive, metavar="N", help="GoAccess's --jobs, from its version 1.8 on"
    )
    return parser.parse_args()


def benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    """Everything after the arguments; the log, if it is generated, is written to `folder`."""
    programs = {"crm": found(arguments.crm, "install this project or name the program with --crm")}
    if not arguments.crm_only:
        programs["GoAccess"] = found("goaccess", "install it (Debian: goaccess) or leave it out with --crm-only")
    log = arguments.log
    if log is None:
        log = folder / "access.log"
        maker = Path(__file__).with_name("make_log.py")
        subprocess.run([sys.executable, str(maker), str(log), "--lines", str(arguments.lines)], check=True)
    elif not log.is_file():
        raise BenchmarkError(f"There is no log file {log}.")
    print(f"log      {warm(log) / 1e6:,.1f} MB")
    print(f"machine  {machine()}")
    for name, path in programs.items():
        print(f"{name:<8} {version(path)}")
    print("\nround  program      time            speed  peak memory  counts")
    runs = compare(log.resolve(), programs, arguments.rounds, arguments.goaccess_jobs)
    print_medians(runs)


def main() -> int:
    """Run as a program: 0 when done, 1 when it cannot be done."""
    arguments = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
            benchmark(arguments, Path(folder))
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
