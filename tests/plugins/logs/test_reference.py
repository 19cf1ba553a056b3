"""A real log, and what others say of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def log(reference_data: Path) -> Path:
    return reference_data / "elastic_apache_logs" / "apache_logs.gz"


@pytest.fixture(scope="module")
def crm(new_crm: "Callable[[Path], Crm]", tmp_path_factory: pytest.TempPathFactory) -> "Crm":
    return new_crm(tmp_path_factory.mktemp("reference"))


def test_raw_sessions_are_as_many_as_others_find(crm: "Crm", log: Path) -> None:
    assert len(crm.rows("logs", "sessions", log, "--raw", "--columns", "session")) == 3223


def test_every_line_is_accounted_for_and_mining_it_twice_adds_nothing(crm: "Crm", log: Path) -> None:
    first = crm("logs", "mine", log).stdout
    assert "\n  line 8899 rejected: does not fit the format at %{User-Agent}i\n" in first
    assert "\n10,000 lines = 9,999 hits + 0 filtered + 1 rejected + 0 blank, in " in first
    before = crm.tables()
    assert "nothing new" in crm("logs", "mine", log, "--verify").stdout
    assert all(crm.table(name).equals(frame) for name, frame in before.items())
    statuses = {row["status"]: row["hits"] for row in crm.rows("logs", "top", "status")}
    assert {status: statuses[status] for status in (200, 304, 404)} == {200: 9125, 304: 445, 404: 213}
    assert sum(statuses.values()) == 9999


def test_of_readers_whose_browsers_load_assets_one_alone_is_taken_for_a_robot(crm: "Crm", log: Path) -> None:
    crm("logs", "mine", log)
    workspace = crm.open()
    judged = workspace.scan("sessions").drop_nulls("bot").collect()
    assert judged["bot"].to_list() == ["robots.txt"] * 9
    own = pl.col("referrer").str.contains(r"^https?://(?:www\.)?semicomplete\.com/")
    assets = workspace.scan("hits").filter(pl.col("kind") == "asset", own, pl.col("bot").is_null()).collect()
    readers = assets.join(judged, on="visitor").filter(pl.col("ts").is_between("start", "end"))
    assert readers["session"].n_unique() == 1


def test_addresses_are_as_many_as_others_find(crm: "Crm", log: Path) -> None:
    crm.configure("logs: {visitors: {addresses: full}}")
    out = crm.folder / "hits.csv"
    crm("logs", "parse", log, "--unmask", "--columns", "address", "-o", out)
    assert len(set(out.read_text().split()[1:])) == 1753
