"""A program that has all rows it wants ends well, though more of them are in the making."""

import subprocess
import sys
from collections.abc import Iterator

from crm.turns import Turns

PROGRAM = """
import time
import polars as pl
from polars.io.plugins import register_io_source
from crm.turns import Turns

def rows(columns, condition, count, size):
    for at in range(40):
        time.sleep(0.05)
        frame = pl.DataFrame({"a": range(at * 1000, at * 1000 + 1000)})
        yield frame if condition is None else frame.filter(condition)

turns = Turns()
frame = register_io_source(lambda *asked: turns.each(rows(*asked)), schema={"a": pl.Int64()})
found = frame.filter(pl.col("a") % 2 == 0).head(4).collect(engine="streaming")
turns.end()
print(found["a"].to_list())
"""


def test_a_program_ends_while_a_part_is_in_the_making() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[0, 2, 4, 6]\n"), done.stderr


def test_parts_come_in_order_until_the_end() -> None:
    turns = Turns()

    def numbers() -> Iterator[int]:
        yield from range(1, 6)

    parts = turns.each(numbers())
    assert [next(parts), next(parts)] == [1, 2]
    turns.end()
    assert list(parts) == []
    assert list(Turns().each(numbers())) == [1, 2, 3, 4, 5]
