"""What is pruned is gone for good: as if the logs had begun at that date, and without reading a line again."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.lake import Lake

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm

    Same = Callable[[dict[str, pl.DataFrame], dict[str, pl.DataFrame]], None]

HOUR = 3600
DAY = 24 * HOUR
BEFORE = ("--before", "2026-03-04", "--yes")
"""The test's logs begin on 2 March."""


def long_log(crm: "Crm") -> list[str]:
    """Four days; visitor 1 goes on over every midnight, visitor 2 comes at noon."""
    times = [
        (day * DAY + at, who)
        for day in range(4)
        for at, who in ((0, 1), (600, 1), (12 * HOUR, 2), (12 * HOUR + 60, 2), (DAY - 900, 1), (DAY - 300, 1))
    ]
    return [crm.line(at, f"/{n % 5}", who) for n, (at, who) in enumerate(times)]


def fresh(crm: "Crm", new_crm: "Callable[[Path], Crm]", lines: list[str]) -> dict[str, pl.DataFrame]:
    """The tables of a workspace that has only ever seen these lines."""
    other = new_crm(crm.folder / "fresh")
    other("logs", "mine", other.log("since.log", *lines))
    return other.tables()


def test_the_tables_are_those_of_a_log_that_begins_at_the_date(
    crm: "Crm", new_crm: "Callable[[Path], Crm]", same: "Same"
) -> None:
    lines = long_log(crm)
    crm("logs", "mine", crm.log("a.log", *lines))
    sessions = crm.table("sessions").height
    said = crm("logs", "prune", *BEFORE).stderr
    kept = fresh(crm, new_crm, lines[12:])
    same(crm.tables(), kept)
    gone = sessions - kept["sessions"].height
    assert f"deleted 12 hits and {gone} sessions of 2 days before 2026-03-04\n" in said
    assert crm.table("sessions")["date"].min().isoformat() == "2026-03-04"  # type: ignore[union-attr]  # there are some
    crm("logs", "rebuild")
    same(crm.tables(), kept)


def test_no_pruned_line_is_read_again_and_new_ones_are(
    crm: "Crm", new_crm: "Callable[[Path], Crm]", same: "Same"
) -> None:
    lines = long_log(crm)
    log = crm.log("a.log", *lines)
    crm("logs", "mine", log)
    crm("logs", "prune", *BEFORE)
    more = [crm.line(4 * DAY + 60, "/new", 1)]
    crm.grow(log, *more)
    crm("logs", "mine", "--verify", log, crm.log("copy.log", *lines, *more))
    same(crm.tables(), fresh(crm, new_crm, lines[12:] + more))
    assert [(row["lines"], row["hits"]) for row in crm.rows("logs", "status")] == [(25, 25)]


@pytest.mark.parametrize("table", ["hits", "sessions", "pages"])
def test_a_prune_that_is_killed_is_finished_by_the_next_run_or_never_was(
    crm: "Crm", new_crm: "Callable[[Path], Crm]", same: "Same", monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    lines = long_log(crm)
    log = crm.log("a.log", *lines)
    crm("logs", "mine", log)
    commit = Lake.commit

    def dying(lake: Lake, name: str, *args: object, **options: object) -> None:
        if name == table:
            raise KeyboardInterrupt
        commit(lake, name, *args, **options)  # type: ignore[arg-type]  # passed on as they are

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "commit", dying)
        crm("logs", "prune", *BEFORE, code=130)
    crm.grow(log, crm.line(4 * DAY))
    crm("logs", "mine", log)
    kept = lines if table == "hits" else lines[12:]
    same(crm.tables(), fresh(crm, new_crm, [*kept, crm.line(4 * DAY)]))


@settings(max_examples=6, deadline=None)
@given(
    hits=st.lists(st.tuples(st.integers(0, 5 * 96), st.integers(1, 3)), min_size=1, max_size=60),
    day=st.integers(2, 8),
    idle=st.sampled_from(["15m", "30m", "1d"]),
)
def test_whatever_the_log_the_tables_are_those_of_the_lines_since_the_date(
    tmp_path_factory: pytest.TempPathFactory,
    new_crm: "Callable[[Path], Crm]",
    same: "Same",
    hits: list[tuple[int, int]],
    day: int,
    idle: str,
) -> None:
    crm = new_crm(tmp_path_factory.mktemp("law"))
    rules = f"logs: {{sessions: {{idle: {idle}, max_hits: 3}}}}\n"
    crm.configure(rules)
    hits = sorted(set(hits))
    lines = [crm.line(900 * quarter + who, f"/{who}", who) for quarter, who in hits]
    crm("logs", "mine", crm.log("a.log", *lines))
    crm("logs", "prune", "--before", f"2026-03-{day:02}", "--yes")
    kept = [line for line, (quarter, _) in zip(lines, hits, strict=True) if quarter >= 96 * (day - 2)]
    if not kept:
        assert {table.height for table in crm.tables().values()} == {0}
        return
    other = new_crm(crm.folder / "fresh")
    other.configure(rules)
    other("logs", "mine", other.log("b.log", *kept))
    same(crm.tables(), other.tables())


def test_the_files_stay_for_an_hour_or_go_at_once(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *long_log(crm)))
    query = crm.open().scan("hits")
    first = crm("logs", "prune", "--before", "2026-03-03", "--yes").stderr
    assert "freed 0 bytes; " in first
    assert "more are freed by the first `crm logs mine` that stores lines, in an hour" in first
    assert query.collect().height == 24
    before = sum(file.stat().st_size for file in (crm.workspace / "lake").rglob("*.parquet"))
    said = crm("logs", "prune", "--before", "2026-03-04", "--now", "--yes").stderr
    left = sum(file.stat().st_size for file in (crm.workspace / "lake").rglob("*.parquet"))
    assert left < before
    assert "freed 0 bytes" not in said
    assert "in an hour" not in said
    assert not (crm.workspace / "lake" / "hits" / "date=2026-03-02").exists()


def test_it_is_recorded_and_asks_first(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *long_log(crm)))
    assert "say --yes" in crm("logs", "prune", "--before", "2026-03-04", code=2).stderr
    assert crm.table("hits").height == 24
    crm("logs", "prune", *BEFORE)
    (entry,) = crm.rows("query", "select action, what, rows from audit")
    assert entry == {"action": "prune", "what": "hits and sessions before 2026-03-04", "rows": 12}


def test_where_nothing_is_old_enough_nothing_happens(crm: "Crm") -> None:
    crm("logs", "mine", crm.log("a.log", *long_log(crm)))
    for yes in ((), ("--yes",)):
        assert "no hits from before 2026-03-02" in crm("logs", "prune", "--before", "2026-03-02", *yes).stderr
    assert crm.open().lake.transaction("hits") == 1
    assert crm.rows("query", "select * from audit") == []
    assert "`tomorrowish` is no time; write a date" in crm("logs", "prune", "--before", "tomorrowish", code=2).stderr
    days = (datetime.now(UTC).date() - date(2026, 3, 2)).days
    said = crm("logs", "prune", "--before", f"{days}d", "--yes").stderr
    assert "no hits from before 2026-03-02" in said
