"""Ctrl-C cancels what a cluster works on while this program waits for it, also within Polars."""

import signal
import subprocess
import sys

PROGRAM = """
import threading
import polars as pl
from polars.io.plugins import register_io_source
from plugins.logs.spark.interrupts import cancelling

done = threading.Event()

def rows(columns, condition, count, size):
    print("waiting", flush=True)
    done.wait()
    yield pl.DataFrame({"a": [1]})

try:
    with cancelling(done.set):
        register_io_source(rows, schema={"a": pl.Int64()}).sink_csv("/dev/null")
        print("cancelled", flush=True)
        while True:
            pass
except KeyboardInterrupt:
    print("interrupted")
with cancelling(done.clear):
    print(done.is_set())
"""


def test_what_waits_within_polars_is_cancelled() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert said.splitlines()[-2:] == ["interrupted", "True"]
    assert process.returncode == 0
