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

PARSING, SHUFFLE = ("plugins.logs.spark.reading", "worked"), ("plugins.logs.spark.sessions", "cut")
"""Functions that work on a task, on the workers."""

PROGRAM = """
import os, sys, time
from importlib import import_module
from pathlib import Path

name, function, folder = sys.argv.pop(), sys.argv.pop(), Path(sys.argv.pop())
module = import_module(name)
original = getattr(module, function)


def held_up(*given):
    for found in original(*given):
        yield found
        (folder / f"at-work-{os.getppid()}").touch()
        while not (folder / "killed").exists():
            time.sleep(0.05)


setattr(module, function, held_up)
from plugins.logs.spark import sessions
sessions.SHUFFLE_HITS = 1_000
from cli.main import run
run()
"""


@pytest.fixture(scope="module")
def own_cluster(standalone: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with standalone.Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def wanted(new_crm: "Callable[[Path], Crm]", tmp_path: Path) -> dict[str, pl.DataFrame]:
    other = new_crm(tmp_path / "other")
    other("logs", "mine", SHOP)
    return other.tables()


def start(crm: "Crm", url: str, settings: dict[str, str | int], where: tuple[str, str]) -> Any:
    """Mine the log on a cluster, in a process of its own, whose tasks stop in the middle of a function."""
    spark = msgspec.json.encode({"range": "200KiB", "settings": settings}).decode()
    crm.configure(f"logs: {{spark: {spark}}}\n")
    words = ["logs", "mine", SHOP, "--engine", "spark", "--master", url, crm.folder, *reversed(where)]
    return crm.process(*words, program=PROGRAM)


def await_work(folder: Path) -> None:
    """Wait until executors on both workers are in the middle of a task."""
    end = time.monotonic() + PATIENCE
    while len(list(folder.glob("at-work-*"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("where", [PARSING, SHUFFLE], ids=["parsing", "shuffle"])
def test_a_worker_that_is_killed_changes_nothing(
    crm: "Crm",
    own_cluster: Any,
    spark_settings: dict[str, str | int],
    same: Same,
    where: tuple[str, str],
    wanted: dict[str, pl.DataFrame],
) -> None:
    def kill() -> None:
        await_work(crm.folder)
        own_cluster.kill_worker(own_cluster.workers[0])
        (crm.folder / "killed").touch()

    process = start(crm, own_cluster.url, spark_settings, where)
    killer = Thread(target=kill)
    killer.start()
    _, said = process.communicate(timeout=PATIENCE)
    killer.join()
    assert process.returncode == 0, said.decode()
    assert (crm.folder / "killed").exists()
    same(crm.tables(), wanted)
    own_cluster.add_worker(f"after-{where[1]}")


def test_a_killed_driver_has_stored_nothing_and_the_next_run_is_exact(
    crm: "Crm", own_cluster: Any, spark_settings: dict[str, str | int], same: Same, wanted: dict[str, pl.DataFrame]
) -> None:
    process = start(crm, own_cluster.url, spark_settings, PARSING)
    await_work(crm.folder)
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert crm.table("hits").height == 0
    (crm.folder / "killed").touch()
    crm("logs", "mine", SHOP)
    same(crm.tables(), wanted)
    known = {file for name in crm.tables() for file in crm.open().lake.files(name)["path"]}
    crm("logs", "mine", SHOP, "--verify")
    assert {f"{file.parent.name}/{file.name}" for file in (crm.workspace / "lake" / "hits").rglob("*.parquet")} <= known
