"""Blocks on several processes: the same results in the same order, whatever becomes of a worker."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from logparse.blocks import Block, read_blocks
from logparse.formats import BUILT_IN
from logparse.kernel import Kernel
from logparse.pattern import compile_pattern
from logparse.rules import Rules
from plugins.logs.parallel import Pool
from plugins.logs.worker import Worker, WorkerLost

ROOT = Path(__file__).parents[3]
SHOP = ROOT / "sample_logs" / "shop.log"
COMBINED = next(known for known in BUILT_IN if known.name == "combined")


@pytest.fixture(autouse=True)
def _tasks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers take over the path of modules; the tasks of this file are found by it."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return Kernel.of(compile_pattern(COMBINED), Rules(), bytes(32))


def blocks() -> Iterator[Block]:
    """The sample log in some dozens of blocks."""
    with SHOP.open("rb") as file:
        yield from read_blocks(file, tail_is_line=True, size=20_000)


def whole(kernel: Kernel, workers: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    with Pool(workers) as pool:
        parsed = list(pool.map(kernel.parse, blocks(), as_it_is))
    return pl.concat([one.hits for one in parsed]), pl.concat([one.rejects for one in parsed])


def as_it_is(_: int, result: object) -> object:
    return result


def pid(_: Block) -> int:
    return os.getpid()


def pids_of_workers(pool: Pool) -> set[int]:
    """The processes that work for this one, once both are up."""
    found: set[int] = set()
    for _ in range(200):
        found |= set(pool.map(pid, blocks(), as_it_is)) - {os.getpid()}  # type: ignore[arg-type]  # they are numbers
        if len(found) == 2:
            break
    return found


def die(block: Block) -> int:
    """End the process that runs it, unless it is the one that runs the tests."""
    if "PYTEST_CURRENT_TEST" in os.environ and os.environ.get("POLARS_MAX_THREADS") == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return block.line


def fail(block: Block) -> int:
    raise ValueError(f"block at line {block.line}")


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_give_what_one_process_gives(kernel: Kernel, workers: int) -> None:
    for one, many in zip(whole(kernel, 1), whole(kernel, workers), strict=True):
        assert_frame_equal(one, many)


def test_a_long_log_is_worked_on_by_workers_and_a_short_one_here() -> None:
    with Pool(2) as pool:
        short = list(pool.map(pid, list(blocks())[:2], as_it_is))
        assert len(pids_of_workers(pool)) == 2
    assert set(short) == {os.getpid()}


def test_a_lost_worker_costs_no_block() -> None:
    worker = Worker()
    with pytest.raises(WorkerLost):
        worker.run(die, next(blocks()))
    worker.close()
    with Pool(2) as pool:
        for _ in range(3):
            assert list(pool.map(die, blocks(), as_it_is)) == [block.line for block in blocks()]


def test_a_lost_worker_leaves_no_process_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[Worker] = []
    close = Worker.close
    monkeypatch.setattr(Worker, "close", lambda worker: (lost.append(worker), close(worker)))
    with Pool(2) as pool:
        pool.start()
        for start in pool._starts:
            start.join()
        list(pool.map(die, blocks(), as_it_is))
        assert pool._up == []
    assert len(lost) == len(set(lost)) == 2


def test_a_block_for_which_there_is_no_shared_memory_is_worked_on_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("plugins.logs.worker._write", full)
    with Pool(2) as pool:
        pool.start()
        for start in pool._starts:
            start.join()
        assert set(pool.map(pid, blocks(), as_it_is)) == {os.getpid()}


def test_an_error_of_the_task_comes_back() -> None:
    worker = Worker()
    with pytest.raises(ValueError, match="block at line 1"):
        worker.run(fail, next(blocks()))
    assert worker.run(pid, next(blocks())) != os.getpid()
    worker.close()


def test_workers_end_with_the_pool() -> None:
    with Pool(2) as pool:
        pids = pids_of_workers(pool)
    for number in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
