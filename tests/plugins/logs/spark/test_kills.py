"""A worker that is lost with all that it held changes nothing; a driver that is lost has stored nothing."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]
SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"
PATIENCE = 600.0

PARSING, SHUFFLE = "worked", "cut"
"""Functions that work on a task, on the workers."""

PROGRAM = """
import os, sys, time
from importlib import import_module
from pathlib import Path

folder = Path(sys.argv.pop())


def hold_up(module, function):
    original = getattr(module, function)

    def held_up(*given):
        for found in original(*given):
            yield found
            (folder / f"{function}-at-{os.getppid()}").touch()
            while not (folder / f"{function}-killed").exists():
                time.sleep(0.05)

    setattr(module, function, held_up)


from plugins.logs.spark import reading, sessions
hold_up(reading, "worked")
hold_up(sessions, "cut")
sessions.SHUFFLE_HITS = 1_000
from cli.main import run
run()
"""


@pytest.fixture(scope="module")
def own_cluster(standalone: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with standalone.Cluster(tmp_path_factory.mktemp("cluster"), workers=3) as cluster:
        yield cluster


@pytest.fixture
def wanted(new_crm: "Callable[[Path], Crm]", tmp_path: Path) -> dict[str, pl.DataFrame]:
    other = new_crm(tmp_path / "other")
    other("logs", "mine", SHOP)
    return other.tables()


def start(crm: "Crm", url: str, settings: dict[str, str | int]) -> Any:
    """Mine the log on a cluster, in a process of its own, whose tasks stop in the middle of their work."""
    spark = msgspec.json.encode({"range": "200KiB", "settings": settings}).decode()
    crm.configure(f"logs: {{spark: {spark}}}\n")
    words = ["logs", "mine", SHOP, "--engine", "spark", "--master", url, crm.folder]
    return crm.process(*words, program=PROGRAM)


def await_work(folder: Path, where: str) -> None:
    """Wait until both executors are in the middle of a task."""
    end = time.monotonic() + PATIENCE
    while len(list(folder.glob(f"{where}-at-*"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_workers_that_are_killed_while_they_parse_and_in_the_shuffle_change_nothing(
    crm: "Crm",
    standalone: ModuleType,
    own_cluster: Any,
    spark_settings: dict[str, str | int],
    same: Same,
    wanted: dict[str, pl.DataFrame],
) -> None:
    killed = []

    def kill() -> None:
        for where in (PARSING, SHUFFLE):
            await_work(crm.folder, where)
            at_work = (worker for worker in own_cluster.workers if any(standalone.descendants(worker)))
            own_cluster.kill_worker(next(at_work))
            (crm.folder / f"{where}-killed").touch()
            killed.append(where)

    process = start(crm, own_cluster.url, spark_settings)
    killer = Thread(target=kill)
    killer.start()
    _, said = process.communicate(timeout=PATIENCE)
    killer.join()
    assert process.returncode == 0, said.decode()
    assert killed == [PARSING, SHUFFLE]
    same(crm.tables(), wanted)


def test_a_killed_driver_has_stored_nothing_and_the_next_run_is_exact(
    crm: "Crm", own_cluster: Any, spark_settings: dict[str, str | int], same: Same, wanted: dict[str, pl.DataFrame]
) -> None:
    process = start(crm, own_cluster.url, spark_settings)
    await_work(crm.folder, PARSING)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert crm.table("hits").height == 0
    (crm.folder / f"{PARSING}-killed").touch()  # executors need not wait any longer
    crm("logs", "mine", SHOP)
    same(crm.tables(), wanted)
    known = {file for name in crm.tables() for file in crm.open().lake.files(name)["path"]}
    crm("logs", "mine", SHOP, "--verify")
    assert {f"{file.parent.name}/{file.name}" for file in (crm.workspace / "lake" / "hits").rglob("*.parquet")} <= known
