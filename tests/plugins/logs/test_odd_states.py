"""Logs and workspaces in odd states: holes, restored copies, lost keys, drop rules, many runs, full disks."""

from typing import TYPE_CHECKING

import pytest

from crm.lake import Lake

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

HOUR = 3600


def test_too_many_rejects_are_told_when_all_is_stored(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(8), "broken", "broken")
    assert "2 of 10 lines were rejected" in crm("logs", "mine", log, "--max-rejects", "19%", code=3).stderr
    assert crm.counts() == (8, 1)
    crm.grow(log, "broken")
    crm("logs", "mine", log, "--max-rejects", "1")
    crm("logs", "mine", log, "--max-rejects", "some", code=2)
    crm("logs", "mine", log, "--max-rejects", "100%")
    assert "`200%` is no share" in crm("logs", "mine", log, "--max-rejects", "200%", code=2).stderr


def test_a_run_that_fails_leaves_no_summary_of_an_earlier_one(crm: "Crm") -> None:
    log, summary = crm.log("a.log", *crm.lines(4)), crm.folder / "summary.json"
    crm("logs", "mine", log, "--json-summary", summary)
    assert summary.exists()
    crm.configure("logs: {visitors: {cookie: sid}}\n")
    crm("logs", "mine", log, "--json-summary", summary, code=4)
    assert not summary.exists()


def test_a_query_reads_no_files_and_counts_behind_masks(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *crm.lines(4)))
    for sql in ("select * from read_parquet('x')", "select * from READ_CSV ('/etc/hostname')"):
        assert "reads the workspace's tables" in crm("query", sql, code=2).stderr
    assert crm.rows("query", "select count(*) as login from hits where page <> 'read_csv('") == [{"login": 4}]
    assert "values that look alike" in crm("query", "select count(distinct address) as n from hits").stderr


def test_a_query_unmasked_under_another_name_is_recorded(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *crm.lines(4)))
    crm("query", "select address as a from hits", "--unmask")
    assert crm.open().records.frame("audit")["what"].to_list() == ["crm query: login, address of hits"]


def test_a_log_that_begins_alike_and_goes_on_otherwise_is_a_new_source(crm: "Crm") -> None:
    every = crm.lines(60)
    crm("logs", "mine", crm.log("a.log", *every))
    restored = crm.log("b.log", *every[:50])
    crm.grow(restored, crm.line(24 * HOUR, "/other"))
    crm("logs", "mine", restored)
    assert "/other" in crm.table("hits")["page"]
    assert len(crm.rows("logs", "status")) == 2


def test_a_log_that_begins_with_a_long_hole_is_read_and_told_from_another(crm: "Crm") -> None:
    logs = []
    for number, size in enumerate((300_000, 5_000)):
        log = crm.log(f"{number}.log", *crm.lines(5, first=10 * number))
        log.write_bytes(bytes(size) + log.read_bytes())
        logs.append(log)
    crm("logs", "mine", *logs)
    assert crm.counts() == (10, 2)


def test_a_lost_key_is_not_replaced(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(4))
    crm("logs", "mine", log)
    (crm.workspace / "key").unlink()
    crm.grow(log, *crm.lines(1, first=10))
    assert "restore it from a backup" in crm("logs", "mine", log, code=4).stderr


def test_a_run_without_new_lines_is_no_run(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(4))
    crm("logs", "mine", log)
    crm("logs", "mine", "--verify", log)
    crm.grow(log, "unfinish", end="")
    assert "nothing new" in crm("logs", "mine", log).stdout
    assert crm.open().lake.transaction("hits") == 1
    assert "unchanged" in crm("logs", "mine", log).stdout


def test_a_drop_rule_may_take_out_all_hits_of_an_address(crm: "Crm") -> None:
    crm.configure("logs: {drop: [{name: health, path: [/health]}]}\n")
    log = crm.log("a.log", crm.line(0, "/health", who=1), crm.line(1, "/a", who=2), crm.line(2, "/b", who=3))
    assert "1 filtered" in crm("logs", "mine", log).stdout
    assert crm.counts() == (2, 1)


def test_a_ledger_of_many_runs_stays_short(crm: "Crm") -> None:
    log = crm.log("a.log", *crm.lines(1))
    for number in range(1, 8):
        crm("logs", "mine", log)
        crm.grow(log, *crm.lines(1, first=number), "broken line")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plugins.logs.ledger.KEPT_ROWS", 3)
        crm("logs", "mine", log)
    assert crm.open().records.count("sources") <= 4
    (row,) = crm.rows("logs", "status")
    assert (row["lines"], row["hits"], row["rejected"]) == (15, 8, 7)
    crm("logs", "mine", "--verify", log)
    assert crm.counts() == (8, 1)


def test_what_was_dropped_is_no_longer_on_the_disk(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *crm.lines(4)))
    crm("logs", "drop", "--all", "--yes")
    assert list((crm.workspace / "lake").rglob("*.parquet")) == []


def test_a_full_disk_ends_the_run_and_leaves_nothing_for_good(crm: "Crm", monkeypatch: pytest.MonkeyPatch) -> None:
    log = crm.log("a.log", *crm.lines(4))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_store_file", full)
        result = crm("logs", "mine", log, code=4)
    assert "No space left on device" in result.stderr
    crm("logs", "mine", log)
    assert crm.counts() == (4, 1)
