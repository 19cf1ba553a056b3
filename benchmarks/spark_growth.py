"""What `crm logs mine --engine spark` costs on longer logs, on one worker and on two, and beside the local engine.

    python benchmarks/spark_growth.py [--lines 2000000] [--times 5 20] [--memory 1g] [--skip-one] [--logs FOLDER]

Each run is of a log of `make_log.py` into a fresh workspace, on a standalone cluster of its own on this machine, of one
or two workers that run one executor each, of one core and so much memory. Printed are time, processor time of all
processes (which says more where the machine does other work), lines a second, the peak memory of the program with its
driver, and that of the worker that held most; then the ratios: time per line of the logs that are `--times` as long to
that of the short one, one worker to two, Spark to the local engine. All tables of the short log are compared with those
that the local engine makes. The first run, of a log of 1,000 lines, is what it takes to start and to end; ratios
"without the start" are of the times that are left without it.

The workers share this machine with each other and with the driver: two workers say more of a machine with four cores
or more. `--times 5 20` goes to 40 million lines and writes logs of 14 GB, which `--logs` keeps for another time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from growth import make_log
from measuring import MIB, BenchmarkError, Peak, descendants, found, held, machine, measured, warm
from standalone import Cluster, ClusterError, is_possible
from workspace_differences import table_differences

from crm.workspace import write_key

KEY = bytes(range(32))
"""All workspaces have one pseudonym key, so that their tables can be compared."""

FEW_LINES = 1000


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        lines: How many lines it has read.
        workers: On how many workers; 0 is the local engine.
        seconds: Its wall time.
        processor: Seconds of processor time of all its processes, those of the cluster among them.
        program: The most bytes that the program and its driver have held.
        worker: The most bytes that an executor and its Python processes have held.
    """

    lines: int
    workers: int
    seconds: float
    processor: float
    program: int
    worker: int

    @property
    def per_line(self) -> float:
        """Seconds a line."""
        return self.seconds / self.lines

    def tell(self) -> None:
        """Print it."""
        engine = f"spark, {self.workers} worker{'s' if self.workers > 1 else ''}" if self.workers else "local"
        worker = f"{self.worker / MIB:>8,.0f} MiB a worker" if self.workers else ""
        speed = f"{1 / self.per_line:>10,.0f} lines/s {self.program / MIB:>8,.0f} MiB"
        print(
            f"{self.lines:>12,} lines  {engine:<16} {self.seconds:>9.2f} s {self.processor:>9.2f} s {speed} {worker}",
            flush=True,
        )


class Watch(Peak):
    """Processor time of all processes of a run, and the most memory that what one worker has started has held."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def of_any(self, workers: Sequence[int]) -> AbstractContextManager[None]:
        """Look at them until the block ends; workers themselves hold little."""
        before = spent()

        def look() -> None:
            self.seconds = max(self.seconds, spent() - before)
            for pid in workers:
                self.at_least(sum(map(held, descendants(pid))))

        return self.looking(look, 0.25)


def spent() -> float:
    """Seconds of processor time of all processes that this one has started and that are still there, with what theirs
    have spent before they ended."""
    return sum(map(_spent, descendants(os.getpid())))


def _spent(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Benchmark:
    """What all runs have in common: the program, folders for workspaces and for logs, and an executor's memory."""

    crm: str
    folder: Path
    logs: Path
    memory: str

    def log(self, lines: int) -> Path:
        """A log of so many lines: the same traffic for longer, two million lines a week."""
        file = self.logs / f"{lines}.log"
        if not file.exists():
            return make_log(file, lines, max(1, 7 * lines // 2_000_000), "2026-03-01")
        warm(file)
        return file

    def mine(self, lines: int, workers: int) -> Run:
        """Mine a log into a workspace of its own, on so many workers; 0 for the local engine."""
        log, workspace = self.log(lines), self.workspace(lines, workers)
        command = [self.crm, "-q", "-w", str(workspace), "logs", "mine", str(log)]
        write_key(workspace, KEY)
        if not workers:
            run = self._run(command, lines, [])
        else:
            settings = f"{{spark.executor.memory: {self.memory}, spark.executor.cores: 1}}"
            (workspace / "crm.yaml").write_text(f"logs: {{spark: {{settings: {settings}}}}}\n")
            run = self._on_cluster([*command, "--engine", "spark"], lines, workers)
        run.tell()
        return run

    def workspace(self, lines: int, workers: int) -> Path:
        """Where a run keeps what it has mined."""
        return self.folder / f"workspace-{lines}-{workers}"

    def _on_cluster(self, command: list[str], lines: int, workers: int) -> Run:
        with (
            tempfile.TemporaryDirectory(prefix="cluster-", dir=self.folder) as folder,
            Cluster(Path(folder), workers, cores=1) as cluster,
        ):
            return self._run([*command, "--master", cluster.url], lines, cluster.workers)

    def _run(self, command: list[str], lines: int, workers: Sequence[int]) -> Run:
        watch = Watch()
        with watch.of_any(workers):
            seconds, program = measured(command, self.folder / "printed")
        return Run(lines, len(workers), seconds, watch.seconds, program, watch.bytes)


def benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print."""
    if not is_possible():
        raise BenchmarkError("There is no Java or no pyspark: install a JRE and crm-toolkit[spark].")
    crm, lines = found(arguments.crm, "name it with --crm"), arguments.lines
    runs = Benchmark(crm, folder, arguments.logs or folder, arguments.memory)
    print(f"machine  {machine()}, executors of {arguments.memory}\n")
    start = runs.mine(FEW_LINES, 2)
    local, spark = runs.mine(lines, 0), runs.mine(lines, 2)
    ratios = {"spark on two workers to local": spark.seconds / local.seconds}
    if not arguments.skip_one:
        ratios["one worker to two"] = runs.mine(lines, 1).seconds / spark.seconds
    for times in arguments.times:
        ratios |= against(runs, times, start, spark)
    # Last of all: a child begins with what this process holds, which would count as its own memory.
    if differ := table_differences(runs.workspace(lines, 2), runs.workspace(lines, 0), ()):
        raise BenchmarkError("\n".join(["The tables are not those of the local engine:", *differ]))
    print("\nall tables of the short log are those of the local engine")
    print("\n".join(f"ratio: {ratio:>6.2f}  {what}" for what, ratio in ratios.items()))


def against(runs: Benchmark, times: int, start: Run, short: Run) -> dict[str, float]:
    """Mine a longer log; its ratios to the short one, and to the local engine."""
    longer, local = runs.mine(short.lines * times, 2), runs.mine(short.lines * times, 0)
    without = (longer.seconds - start.seconds) / (short.seconds - start.seconds) / times
    processor = (longer.processor - start.processor) / (short.processor - start.processor) / times
    return {
        f"time per line, {times} times the lines": longer.per_line / short.per_line,
        f"time per line, {times} times the lines, without the start": without,
        f"processor time per line, {times} times the lines, without the start": processor,
        f"spark to local, {times} times the lines": longer.seconds / local.seconds,
        f"spark to local in processor time, {times} times the lines": longer.processor / local.processor,
    }


def main() -> int:
    """Run as a program: 0 when done, 1 when it cannot be done."""
    parser = argparse.ArgumentParser(description="What crm logs mine costs on a cluster of Apache Spark.")
    parser.add_argument("--lines", type=int, default=2_000_000, help="lines of the short log (default: 2000000)")
    parser.add_argument(
        "--times", type=int, nargs="*", default=[5, 20], help="how many times as long longer logs are (default: 5 20)"
    )
    parser.add_argument("--memory", default="1g", help="memory of an executor (default: 1g)")
    parser.add_argument("--skip-one", action="store_true", help="leave out the run on one worker")
    parser.add_argument("--crm", default="crm", metavar="PATH", help="the crm program (default: the one on the PATH)")
    parser.add_argument("--folder", type=Path, help="where workspaces go (default: the system's)")
    parser.add_argument("--logs", type=Path, help="an existing folder where logs are made, stay, and are used again")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="crm-spark-", dir=arguments.folder) as folder:
            benchmark(arguments, Path(folder))
    except (BenchmarkError, ClusterError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
