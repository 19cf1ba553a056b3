"""Hold the program against its laws on examples that the tests have not drawn.

    python benchmarks/soak_laws.py [--rounds 20] [--seed 1] [TEST ...]

A round runs all tests that draw examples (Hypothesis), or those of the files named, from a seed of its own: the gate
draws few, and the same ones every time. A round takes some minutes. The first broken law ends it; the same seed finds
it again. It is the checkout that is tested, which must be installed with its extra `test`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def a_round(seed: int, tests: list[str]) -> int:
    """Run the tests with one seed; pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", f"--hypothesis-seed={seed}", "--exitfirst"]
    environment = {name: value for name, value in os.environ.items() if name != "CI"}  # which draws no others
    return subprocess.run([*command, *tests], cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Run as a program: 0 when all rounds hold, else the exit code of pytest."""
    parser = argparse.ArgumentParser(description="The laws of the tests, on other examples.")
    parser.add_argument("--rounds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each has the next one (default: 1)")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="files of tests (default: all)")
    arguments = parser.parse_args()
    for seed in range(arguments.seed, arguments.seed + arguments.rounds):
        began = time.monotonic()
        if code := a_round(seed, arguments.tests):
            print(f"a law is broken, or a test cannot run, with seed {seed}")
            return code
        print(f"seed {seed}: all laws hold, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
