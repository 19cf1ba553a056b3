"""The sample data are as their program writes them."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "sample_data" / "generate.py"


def test_the_files_are_as_the_program_writes_them() -> None:
    subprocess.run([sys.executable, str(PROGRAM), "--check"], check=True)
