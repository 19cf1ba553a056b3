"""Whether `crm logs mine` costs the same per line on a long log, in a full workspace, and nothing where nothing is new.

    python benchmarks/growth.py [--lines 2000000] [--times 10] [--sources 100] [--crm PATH]

Four measurements, each printed with its ratio: a log and one that is `--times` as long (time per line, peak memory of
all processes); the same 100,000 new lines into an empty workspace and into the one that the long log has filled; and a
run over `--sources` logs that are all known. The logs are those of `make_log.py`, of the same traffic for longer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import MIB, BenchmarkError, found, machine, measured, warm

NEW_LINES = 100_000


def make_log(out: Path, lines: int, days: int, start: str, seed: int = 1) -> Path:
    """A log of `make_log.py`, in the page cache."""
    maker = Path(__file__).with_name("make_log.py")
    options = ["--lines", str(lines), "--days", str(days), "--start", start, "--seed", str(seed)]
    subprocess.run([sys.executable, str(maker), str(out), *options], check=True)
    warm(out)
    return out


def mined(crm: str, workspace: Path, *logs: Path) -> tuple[float, int]:
    """Seconds and peak bytes of one run."""
    command = [crm, "-q", "-w", str(workspace), "logs", "mine", *map(str, logs)]
    return measured(command, workspace.parent / "printed")


def told(what: str, seconds: float, peak: int, lines: int = 0) -> None:
    """Print one measurement."""
    speed = f"{lines / seconds:>11,.0f} lines/s" if lines else " " * 19
    print(f"{what:<44} {seconds:>8.2f} s {speed} {peak / MIB:>8,.0f} MiB", flush=True)


def benchmark(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print."""
    crm, lines, times = found(arguments.crm, "name it with --crm"), arguments.lines, arguments.times
    print(f"machine  {machine()}\n")
    short = make_log(folder / "short.log", lines, 7, "2026-03-01")
    once = mined(crm, folder / "once", short)
    told(f"{lines:,} lines", *once, lines)
    short.unlink()
    long = make_log(folder / "long.log", lines * times, 7 * times, "2026-03-01")
    many = mined(crm, folder / "full", long)
    told(f"{lines * times:,} lines", *many, lines * times)
    print(f"ratio: time per line {many[0] / once[0] / times:.2f}, peak memory {many[1] / once[1]:.2f}\n")
    long.unlink()
    new = make_log(folder / "new.log", NEW_LINES, 1, "2027-06-01", seed=2)
    alone = mined(crm, folder / "empty", new)
    told(f"{NEW_LINES:,} new lines into an empty workspace", *alone, NEW_LINES)
    added = mined(crm, folder / "full", new)
    told(f"{NEW_LINES:,} new lines into {lines * times:,}", *added, NEW_LINES)
    print(f"ratio: time {added[0] / alone[0]:.2f}, peak memory {added[1] / alone[1]:.2f}\n")
    known = [make_log(folder / f"known-{n:03d}.log", 1000, 1, "2026-03-01", seed=n) for n in range(arguments.sources)]
    told(f"{arguments.sources} new logs of 1,000 lines", *mined(crm, folder / "sources", *known))
    told(f"{arguments.sources} known logs, nothing new", *mined(crm, folder / "sources", *known))


def main() -> int:
    """Run as a program: 0 when done, 1 when it cannot be done."""
    parser = argparse.ArgumentParser(description="What crm logs mine costs as logs and workspaces grow.")
    parser.add_argument("--lines", type=int, default=2_000_000, help="lines of the short log (default: 2000000)")
    parser.add_argument("--times", type=int, default=10, help="how many times as long the long log is (default: 10)")
    parser.add_argument("--sources", type=int, default=100, help="known logs of the last measurement (default: 100)")
    parser.add_argument("--crm", default="crm", metavar="PATH", help="the crm program (default: the one on the PATH)")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="crm-growth-") as folder:
            benchmark(arguments, Path(folder))
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
