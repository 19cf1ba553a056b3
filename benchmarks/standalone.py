"""A standalone cluster of Apache Spark on loopback: one master and some workers, as pyspark's own jars have them.

    python benchmarks/standalone.py FOLDER [--workers 2] [--cores 64] [--memory 64g]

writes its URL to FOLDER/url and ends, with all its processes, once none of the processes is left whose ids are the
names of the files in FOLDER/users. The tests share one so; the benchmark of Spark starts its own. What a worker offers
is an account only: so many cores and so much memory are given away to programs, whatever the machine has.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from measuring import descendants

MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
READY = {MASTER: r"Starting Spark master at (spark://\S+)", WORKER: r"(Successfully registered) with master"}
"""What a daemon logs when it is ready."""

LIGHT = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
"""A daemon has little to do, and is to start fast."""

PATIENCE = 300.0
"""So many seconds a daemon may take to start, or to end."""

LOOPBACK = "127.0.0.1"


class ClusterError(Exception):
    """A daemon of the cluster does not start."""


def is_possible() -> bool:
    """Whether there are Java and pyspark."""
    from importlib.util import find_spec

    return shutil.which("java") is not None and find_spec("pyspark") is not None


class Cluster:
    """A master and workers, each a process of its own.

    Args:
        folder: An empty folder for what they log and keep.
        workers: How many workers.
        cores: How many cores each worker gives away.
        memory: How much memory each worker gives away, such as 4g.
    """

    def __init__(self, folder: Path, workers: int = 2, cores: int = 64, memory: str = "64g") -> None:
        self._folder = folder
        self._offer = ["--cores", str(cores), "--memory", memory, "--webui-port", "0", "--host", LOOPBACK]
        self._daemons: list[subprocess.Popen[bytes]] = []
        try:
            master = self._start(MASTER, "master", ["--host", LOOPBACK, "--port", "0", "--webui-port", "0"])
            self.url = self._said(master, MASTER, "master")
            self._add([f"worker-{number}" for number in range(workers)])
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def workers(self) -> list[int]:
        """The processes of the workers, the oldest first."""
        return [daemon.pid for daemon in self._daemons[1:]]

    def _add(self, names: list[str]) -> None:
        """Start workers, each under a name of its own, and wait until the master knows them."""
        for name in names:
            (self._folder / name).mkdir()
        words = [["--work-dir", str(self._folder / name), *self._offer, self.url] for name in names]
        started = [self._start(WORKER, name, more) for name, more in zip(names, words, strict=True)]
        for name, process in zip(names, started, strict=True):
            self._said(process, WORKER, name)

    def kill_worker(self, pid: int) -> None:
        """End a worker at once, with the executors on it and their Python processes, as a power cut would."""
        gone = [pid, *descendants(pid)]
        for process in gone:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        lost = next(daemon for daemon in self._daemons if daemon.pid == pid)
        lost.wait(PATIENCE)
        self._daemons.remove(lost)

    def stop(self) -> None:
        """End all of its processes."""
        left = [pid for daemon in self._daemons for pid in descendants(daemon.pid)]
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in reversed(self._daemons):
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(PATIENCE)
            daemon.kill()
            daemon.wait(PATIENCE)
        for pid in left:
            if is_spark(pid):  # not another one, which has got the number since
                os.kill(pid, signal.SIGKILL)
        self._daemons = []

    def _start(self, daemon: str, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        scala = next((home / "jars").glob("spark-core_*.jar")).name.split("_")[1].split("-")[0]
        spark = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_SCALA_VERSION": scala}
        command = ["java", *LIGHT, "-cp", f"{home}/jars/*", daemon, *words]
        with (self._folder / f"{name}.log").open("wb") as out:
            self._daemons.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env={**os.environ, **spark},
                    cwd=self._folder,
                )
            )
        return self._daemons[-1]

    def _said(self, process: subprocess.Popen[bytes], daemon: str, name: str) -> str:
        """Wait until a daemon is ready, and return what it says of itself then."""
        log = self._folder / f"{name}.log"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and process.poll() is None:
            if found := re.search(READY[daemon], log.read_text(errors="replace")):
                return found[1]
            time.sleep(0.1)
        raise ClusterError(f"{daemon} does not start; see {log}")


def is_spark(pid: int) -> bool:
    """Whether a process runs and is one of Spark's."""
    with suppress(OSError):
        return b"spark" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def serve(folder: Path, workers: int, cores: int, memory: str) -> None:
    """Run a cluster for as long as one of the processes in `users` is there."""
    users = folder / "users"
    with Cluster(folder, workers, cores, memory) as cluster:
        (folder / "url.new").write_text(cluster.url)
        (folder / "url.new").replace(folder / "url")
        while any(Path(f"/proc/{user.name}").exists() for user in users.iterdir()):
            time.sleep(0.5)


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="A standalone Spark cluster for the processes in FOLDER/users.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2, help="how many workers (default: 2)")
    parser.add_argument("--cores", type=int, default=64, help="cores that each gives away (default: 64)")
    parser.add_argument("--memory", default="64g", help="memory that each gives away (default: 64g)")
    arguments = parser.parse_args()
    serve(arguments.folder, arguments.workers, arguments.cores, arguments.memory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
