"""Sessions and miners' tables made on a real cluster are those that this machine makes."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm
    from tests.plugins.logs.spark.conftest import Engines

Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]
SHOP = Path(__file__).parents[4] / "sample_logs" / "shop.log"
DAY = 86_400.0


@pytest.fixture
def other(new_crm: "Callable[[Path], Crm]", tmp_path: Path) -> "Crm":
    """The program on a second workspace."""
    return new_crm(tmp_path / "other")


def pieces(log: Path, folder: Path, *cuts: int) -> list[Path]:
    """A log in pieces that begin with these lines."""
    lines = log.read_bytes().splitlines(keepends=True)
    edges = [0, *cuts, len(lines)]
    found = []
    for begin, end in pairwise(edges):
        found.append(folder / f"piece-{begin}.log")
        found[-1].write_bytes(b"".join(lines[begin:end]))
    return found


def test_a_log_in_pieces_with_changing_engines_gives_the_tables_of_one_pass_here(
    crm: "Crm", other: "Crm", engines: "Engines", same: Same, tmp_path: Path
) -> None:
    other("logs", "mine", SHOP)
    for engine, log in zip(["local", "spark", "spark"], pieces(SHOP, tmp_path, 2000, 4003), strict=True):
        engines.use(engine)
        crm("logs", "mine", log, "--log-format", "combined")
    same(crm.tables(), other.tables())
    crm("logs", "prune", "--before", "2026-03-05", "--yes")
    engines.use("local")
    other("logs", "prune", "--before", "2026-03-05", "--yes")
    same(crm.tables(), other.tables())


def test_everything_is_made_anew_by_other_rules_there_as_here(
    crm: "Crm", other: "Crm", engines: "Engines", same: Same
) -> None:
    rules = ("--idle", "5m", "--max-hits", "7", "--new-referrer")
    for engine, one in (("local", other), ("spark", crm)):
        one("logs", "mine", SHOP)
        engines.use(engine)
        one("logs", "mine", SHOP, *rules)
        engines.use("local")
    same(crm.tables(), other.tables())


def test_runs_are_found_whole_over_midnights_that_new_hits_do_not_touch(
    crm: "Crm", other: "Crm", engines: "Engines", same: Same
) -> None:
    night = [crm.line(day * DAY + at, f"/{day}", who=who) for day in range(5) for at in (600, 85_800) for who in (1, 2)]
    bridge = [crm.line(day * DAY + 43_000, "/bridge", who=1) for day in (1, 2)]
    for one in (other, crm):
        one("logs", "mine", one.log("night.log", *night), "--idle", "13h")
    engines.use("spark")
    crm("logs", "mine", crm.log("bridge.log", *bridge), "--idle", "13h")
    engines.use("local")
    other("logs", "mine", other.log("bridge.log", *bridge), "--idle", "13h")
    same(crm.tables(), other.tables())
    assert crm.table("sessions").filter(pl.col("path").list.contains("/bridge")).height == 1


OWN = """
OWN = Table("own", "A test.", (Column("date", "date", "a date"), Column("who", "string", "a test")), owner="mine_own")


def mine_own(sessions, changed):
    import os
    import polars as pl
    {0}
    return dict(own=sessions.select("date", who=pl.lit(str(os.getppid()))))


@hookimpl
def tables():
    return [OWN]


@hookimpl
def miners():
    return [Miner("own", ("own",), mine_own)]
"""


def test_a_miner_of_a_plugin_in_one_file_runs_on_the_workers(crm: "Crm", engines: "Engines") -> None:
    crm.plugin("mine_own", OWN.format(""))
    engines.use("spark")
    crm("logs", "mine", SHOP)
    people = crm.table("sessions").filter(pl.col("bot").is_null())
    assert crm.table("own").height == people.height
    assert str(os.getppid()) not in crm.table("own")["who"]


def test_a_miner_whose_plugin_the_workers_lack_runs_here_which_is_said(
    crm: "Crm", engines: "Engines", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "only_here.py").write_text("NOTHING = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    crm.plugin("mine_own", "import only_here\n" + OWN.format("only_here.NOTHING"))
    engines.use("spark")
    said = crm("logs", "mine", SHOP).output
    assert "own: made here instead of on the workers: what it needs is not installed there (No module named" in said
    assert crm.table("own")["who"].unique().to_list() == [str(os.getppid())]


def test_a_miner_that_fails_is_named_and_the_others_go_on(crm: "Crm", engines: "Engines") -> None:
    crm.plugin("mine_own", OWN.format('raise ValueError("no such thing")'))
    engines.use("spark")
    said = crm("logs", "mine", SHOP, code=1)
    assert "no such thing" in said.stderr
    assert crm.table("own").height == 0
    assert crm.table("pages").height > 0


@pytest.mark.reference
def test_other_peoples_logs_give_the_same_tables(
    crm: "Crm", other: "Crm", engines: "Engines", same: Same, reference_data: Path
) -> None:
    log = reference_data / "elastic_apache_logs" / "apache_logs.gz"
    other("logs", "mine", log)
    engines.use("spark")
    crm("logs", "mine", log)
    assert crm.table("sessions").height > 1000
    same(crm.tables(), other.tables())


def test_a_tenth_of_all_hits_of_one_visitor_without_a_gap_does_not_break_a_worker(
    crm: "Crm", other: "Crm", engines: "Engines", same: Same, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.logs.spark import sessions

    for name in ("READ_HITS", "SHUFFLE_HITS", "FILE_HITS"):
        monkeypatch.setattr(sessions, name, 5_000)  # so that there are many tasks
    lines = [crm.line(6 * n, f"/{n % 97}", who=1 if n % 10 == 0 else 2 + n % 241) for n in range(40_000)]
    log = crm.log("skewed.log", *lines)
    other("logs", "mine", log)
    engines.use("spark")
    crm("logs", "mine", log)
    same(crm.tables(), other.tables())
    assert crm.table("sessions")["hits"].max() == 4_000
