"""A worker that is lost, with all that it held, changes nothing in the result."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"
PATIENCE = 300.0

PROGRAM = """
import os, sys, time
from pathlib import Path

from plugins.logs.config import SparkConfig
from plugins.logs.mining import Mine
from plugins.logs.spark import sessions
from plugins.logs.spark.engine import Spark
from plugins.logs.spark.session import spark_session

url, folder = sys.argv.pop(), Path(sys.argv.pop())
original, cut = Mine.of, sessions.cut


def held_up(batches, rules):
    for found in cut(batches, rules):
        yield found
        (folder / f"at-work-{{os.getppid()}}").touch()
        while not (folder / "killed").exists():
            time.sleep(0.05)


sessions.cut = held_up
sessions.SHUFFLE_HITS = 1_000
from cli.main import run

with spark_session(SparkConfig(settings={settings!r}), url, note=print) as spark:
    Mine.of = lambda *words, **named: original(*words, **named, engine=Spark(spark))
    run()
"""


@pytest.fixture
def own_cluster(standalone: ModuleType, tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with standalone.Cluster(folder) as cluster:
        yield cluster


def test_a_worker_that_is_killed_in_the_shuffle_changes_nothing(
    crm: "Crm",
    new_crm: "Callable[[Path], Crm]",
    own_cluster: Any,
    spark_settings: dict[str, str | int],
    same: Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None],
    tmp_path: Path,
) -> None:
    killed: list[int] = []

    def kill() -> None:
        end = time.monotonic() + PATIENCE
        while len(list(tmp_path.glob("at-work-*"))) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        killed.append(own_cluster.workers[0])
        own_cluster.kill_worker(killed[0])
        (tmp_path / "killed").touch()

    killer = Thread(target=kill)
    killer.start()
    program = PROGRAM.format(settings=spark_settings)
    process = crm.process("logs", "mine", SHOP, tmp_path, own_cluster.url, program=program)
    _, said = process.communicate(timeout=PATIENCE)
    killer.join()
    assert process.returncode == 0, said.decode()
    assert len(list(tmp_path.glob("at-work-*"))) >= 2
    other = new_crm(tmp_path / "other")
    other("logs", "mine", SHOP)
    same(crm.tables(), other.tables())
