"""`crm workspace info`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


def test_info_shows_rows_sizes_versions_and_runs(crm: "Crm") -> None:
    log = crm.log("access.log", crm.line(), crm.line(9, "/a"))
    crm("logs", "mine", log)
    crm.grow(log, crm.line(20, "/b"))
    crm("logs", "mine", log)
    rows = {row["table"]: row for row in crm.rows("workspace", "info")}
    expected = {
        "hits": 3,
        "sessions": 1,
        "sources": 2,
        "files": 1,
        "runs": 2,
        "audit": 0,
        "segment_members": 0,
        "pages": 3,
        "transitions": 2,
        "top_paths": 1,
        "patterns": 0,
        "rules": 0,
        "customers": 0,
    }
    assert {name: row["rows"] for name, row in rows.items()}.items() >= expected.items()
    assert (rows["hits"]["run"], rows["pages"]["run"], rows["runs"]["run"]) == (2, 2, None)
    assert rows["hits"]["version"] == 2
    stored = (crm.workspace / "lake" / "hits").rglob("*.parquet")
    assert rows["hits"]["bytes"] == sum(file.stat().st_size for file in stored)


def test_info_names_the_workspace(crm_on: "Crm") -> None:
    first, *rest = crm_on("workspace", "info").stderr.splitlines()
    assert first == f"workspace {crm_on.workspace}, version 1"
    assert [line.split("?")[0] for line in rest] == (
        [f"records in {crm_on.records_url.split('?')[0]}"] if crm_on.records_url else []
    )


def test_info_of_no_workspace_says_how_to_make_one(crm: "Crm") -> None:
    result = crm("-w", crm.folder / "none", "workspace", "info", code=4)
    assert "`crm logs mine FILE` makes one" in result.stderr
    assert not (crm.folder / "none").exists()
