"""Take in one access log by `crm logs mine`, GoAccess, AWStats and lnav, in turn; print time and peak memory.

    python benchmarks/against_analyzers.py [--log FILE | --lines 2000000] [--rounds 3] [--crm PATH]
                                           [--peers goaccess awstats lnav] [--goaccess-jobs N]

Each round runs, on the same file, which has been read once before the first round so that nobody pays for the disk:

    crm -w <fresh workspace> logs mine LOG
    goaccess LOG -o <file>.json
    awstats.pl -config=benchmark -configdir=<folder> -update
    lnav -n -c ';SELECT ...' LOG

They do not do the same work: crm stores every hit and mines sessions, paths and patterns for later questions; GoAccess
counts for one report; AWStats adds to its file of the month, from which it makes pages; lnav indexes the log and
answers one question, the number of requests and of addresses. That each went through the whole log is checked by its
own count. AWStats looks up no names of hosts.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from measuring import MIB, BenchmarkError, found, machine, measured, version, warm

AWSTATS = """
LogFile="{log}"
LogType=W
LogFormat=1
LogSeparator=" "
SiteDomain="www.example.com"
HostAliases="localhost"
DNSLookup=0
DirData="{folder}"
"""
"""All that AWStats must be told; everything else is as it comes."""

QUESTION = "SELECT count(*) AS requests, count(DISTINCT c_ip) AS addresses FROM access_log"


@dataclass(frozen=True)
class Run:
    """One finished program: wall time, peak resident memory (bytes), and its own counts, that of lines first."""

    program: str
    seconds: float
    peak: int
    counts: dict[str, int]

    @property
    def lines(self) -> int:
        """The lines of the log that the program says it went through."""
        return next(iter(self.counts.values()))


def run_crm(crm: str, log: Path, folder: Path) -> Run:
    """`crm logs mine` into a fresh workspace in `folder`, with the counts of its JSON summary."""
    summary = folder / "summary.json"
    command = [crm, "-w", str(folder / "workspace"), "logs", "mine", str(log), "--json-summary", str(summary)]
    seconds, peak = measured(command, folder / "printed")
    counts = json.loads(summary.read_text())
    return Run("crm", seconds, peak, {key: int(counts[key]) for key in ("lines", "hits")})


def run_goaccess(goaccess: str, log: Path, folder: Path, jobs: int | None = None) -> Run:
    """GoAccess to a JSON report in `folder`, with the counts of that report."""
    report = folder / "report.json"
    command = [goaccess, str(log), "--log-format=COMBINED", "--no-global-config", "--no-progress"]
    command += ["--no-parsing-spinner", "-o", str(report)] + ([f"--jobs={jobs}"] if jobs else [])
    seconds, peak = measured(command, folder / "printed", HOME=str(folder))  # no .goaccessrc of the user
    general = json.loads(report.read_text(errors="replace"))["general"]
    return Run("goaccess", seconds, peak, {key: int(general[key]) for key in ("total_requests", "valid_requests")})


def run_awstats(awstats: str, log: Path, folder: Path) -> Run:
    """AWStats into a fresh history in `folder`, with the counts that it prints."""
    (folder / "awstats.benchmark.conf").write_text(AWSTATS.format(log=log, folder=folder))
    command = ["perl", awstats, "-config=benchmark", f"-configdir={folder}", "-update"]
    printed = folder / "printed"
    seconds, peak = measured(command, printed)
    said = printed.read_text(errors="replace")
    wanted = {"parsed": r"Parsed lines in file: (\d+)", "new": r"Found (\d+) new qualified records"}
    counts = {name: int(match[1]) for name, rule in wanted.items() if (match := re.search(rule, said))}
    if len(counts) < len(wanted):
        raise BenchmarkError(f"AWStats does not say what it has counted: {said.strip()[-300:]}")
    return Run("awstats", seconds, peak, counts)


def run_lnav(lnav: str, log: Path, folder: Path) -> Run:
    """Run lnav without a terminal, with the answer to one question."""
    answer = folder / "answer.json"
    command = [lnav, "-n", "-c", f";{QUESTION}", "-c", f":write-json-to {answer}", str(log)]
    seconds, peak = measured(command, folder / "printed", HOME=str(folder), TERM="dumb")
    return Run("lnav", seconds, peak, {name: int(count) for name, count in json.loads(answer.read_text())[0].items()})


@dataclass(frozen=True)
class Peer:
    """A program: where Debian has it, and how a log is given to it."""

    program: str
    how: str
    run: Callable[[str, Path, Path], Run]


PEERS = {
    "goaccess": Peer("goaccess", "install it (Debian: goaccess)", run_goaccess),
    "awstats": Peer("/usr/lib/cgi-bin/awstats.pl", "install it (Debian: awstats)", run_awstats),
    "lnav": Peer("lnav", "install it (Debian: lnav)", run_lnav),
}


def compare(log: Path, programs: dict[str, tuple[str, Peer]], rounds: int) -> list[Run]:
    """All runs, printed as they end. What a run has made is gone before the next."""
    runs = []
    for number in range(1, rounds + 1):
        for path, peer in programs.values():
            with tempfile.TemporaryDirectory(prefix="crm-benchmark-") as folder:
                run = peer.run(path, log, Path(folder))
            counts = "  ".join(f"{key} {count:,}" for key, count in run.counts.items())
            print(f"{number:>5}  {_row(run.program, run.seconds, run.peak, run.lines)}  {counts}", flush=True)
            runs.append(run)
    if len({run.lines for run in runs}) > 1:
        raise BenchmarkError(
            f"The programs went through different numbers of lines: {sorted({r.lines for r in runs})}."
        )
    return runs


def _row(name: str, seconds: float, peak: int, lines: int) -> str:
    return f"{name:<9} {seconds:>8.2f} s {lines / seconds:>11,.0f} lines/s {peak / MIB:>8,.0f} MiB"


def print_medians(runs: list[Run]) -> None:
    """The medians of each program, and the ratios of crm to the others."""
    medians = {}
    for name in dict.fromkeys(run.program for run in runs):
        of = [run for run in runs if run.program == name]
        medians[name] = statistics.median(run.seconds for run in of)
        print(f"median {_row(name, medians[name], int(statistics.median(run.peak for run in of)), of[0].lines)}")
    ours = medians.pop("crm")
    for name, theirs in medians.items():
        print(f"ratio  crm / {name} {ours / theirs:.2f} (crm is {theirs / ours:.2f} times as fast)")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="crm logs mine and its peers on one access log, side by side.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--log", type=Path, help="a log in the Combined Log Format (default: one is generated)")
    source.add_argument("--lines", type=_positive, default=2_000_000, help="lines to generate (default: 2000000)")
    parser.add_argument("--rounds", type=_positive, default=3, help="runs of each program (default: 3)")
    parser.add_argument("--crm", default="crm", metavar="PATH", help="the crm program (default: the one on the PATH)")
    parser.add_argument(
        "--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="beside whom (default: all of them)"
    )
    parser.add_argument(
        "--goaccess-jobs", type=_positive, metavar="N", help="GoAccess's --jobs, from its version 1.8 on"
    )
    return parser.parse_args()


def benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    """Everything after the arguments; the log, if it is generated, is written to `folder`."""
    crm = Peer(arguments.crm, "install this project or name the program with --crm", run_crm)
    chosen = {"crm": crm, **{name: PEERS[name] for name in arguments.peers}}
    if arguments.goaccess_jobs:
        chosen["goaccess"] = replace(PEERS["goaccess"], run=partial(run_goaccess, jobs=arguments.goaccess_jobs))
    programs = {name: (found(peer.program, peer.how), peer) for name, peer in chosen.items()}
    log = arguments.log
    if log is None:
        log = folder / "access.log"
        maker = Path(__file__).with_name("make_log.py")
        subprocess.run([sys.executable, str(maker), str(log), "--lines", str(arguments.lines)], check=True)
    elif not log.is_file():
        raise BenchmarkError(f"There is no log file {log}.")
    print(f"log      {warm(log) / 1e6:,.1f} MB")
    print(f"machine  {machine()}")
    for name, (path, _) in programs.items():
        print(f"{name:<8} {version(path)}")
    print("\nround  program      time            speed  peak memory  counts")
    runs = compare(log.resolve(), programs, arguments.rounds)
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
