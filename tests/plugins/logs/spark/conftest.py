"""A real cluster on loopback, started once for all tests that need it, in whatever processes they run."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from filelock import FileLock

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"

SETTINGS: dict[str, str | int] = {
    "spark.executor.memory": "1g",
    "spark.executor.cores": 1,
    "spark.cores.max": 2,
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
"""Two executors of 1 GB, one on each worker; little work is not worth Java's second compiler."""

PATIENCE = 600.0
"""So many seconds the cluster may take to start."""


@pytest.fixture(scope="session")
def standalone() -> ModuleType:
    """The script that starts clusters."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        module = import_module("standalone")
    finally:
        sys.path.remove(str(BENCHMARKS))
    if not module.is_possible():
        pytest.skip("there is no Java and pyspark, as Debian and PyPI have them")
    return module


@pytest.fixture(scope="session")
def cluster(standalone: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a cluster of two workers that all tests share; it ends with the last process that uses it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "spark-cluster"
    user = folder / "users" / str(os.getpid())
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            user.parent.mkdir(parents=True)
            user.touch()
            _serve(folder)
        user.touch()
    yield (folder / "url").read_text()
    user.unlink()


def _serve(folder: Path) -> None:
    """Start a cluster in a process of its own, which outlives this one if others need it."""
    command = ["setsid", "--fork", sys.executable, str(BENCHMARKS / "standalone.py"), str(folder)]
    with (folder / "log").open("wb") as log:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
    end = time.monotonic() + PATIENCE
    while not (folder / "url").exists():
        assert time.monotonic() < end, (folder / "log").read_text()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def spark_settings() -> dict[str, str | int]:
    return SETTINGS


@pytest.fixture(scope="session")
def session(cluster: str) -> Iterator[Any]:
    """A session on the cluster, with an executor of 1 GB on each worker."""
    from plugins.logs.config import SparkConfig
    from plugins.logs.spark.session import spark_session

    with spark_session(SparkConfig(settings=SETTINGS), cluster, print) as spark:
        yield spark


class Engines:
    """Chooses the engine of the commands that follow; on the cluster, all of them share one session."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
        from plugins.logs import engines
        from plugins.logs.mining import Mine
        from plugins.logs.spark.engine import Spark

        self._spark, self._original = Spark(session), Mine.of
        self._session = session
        self._is_far = False
        monkeypatch.setattr(Mine, "of", self._of)
        monkeypatch.setattr(engines, "_session", self._shared)

    def use(self, name: str) -> None:
        """Take the engine "local" or "spark" from now on."""
        self._is_far = name == "spark"

    def _of(self, *words: Any, **named: Any) -> Any:
        return self._original(*words, **{**named, "engine": self._spark if self._is_far else None})

    @contextmanager
    def _shared(self, *_: object) -> Iterator[Any]:
        yield self._session if self._is_far else None


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, session: Any) -> Engines:
    return Engines(monkeypatch, session)
