"""`crm query` and `crm tables`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import Crm


@pytest.fixture
def site(crm: "Crm") -> "Crm":
    lines = (crm.line(n, f"/{n % 2}", login="wang", status=200 + n) for n in range(4))
    crm("logs", "mine", crm.log("access.log", *lines))
    return crm


def test_a_select_reads_every_kind_of_table(site: "Crm") -> None:
    hits = "select page, count(*) as n, sum(bytes) as bytes from hits group by page order by page"
    assert site.rows("query", hits) == [
        {"page": "/0", "n": 2, "bytes": 200},
        {"page": "/1", "n": 2, "bytes": 200},
    ]
    joined = "select s.lines, h.line from sources s join hits h on s.source = h.source order by h.line limit 1"
    assert site.rows("query", joined) == [{"lines": 4, "line": 1}]


def test_the_query_may_come_from_standard_input(site: "Crm") -> None:
    result = site("query", "-", "-f", "csv", stdin=b"-- how many?\nSELECT count(*) AS n FROM hits\n")
    assert result.stdout == "n\n4\n"


def test_personal_columns_are_masked_before_the_query_sees_them(site: "Crm") -> None:
    renamed = site("query", "select distinct login as a, address as b from hits", "-f", "csv").stdout
    assert renamed == "a,b\nw***,192.0.*.*\n"
    assert site.rows("query", "select count(*) as n from hits where login = 'wang'") == [{"n": 0}]
    shown = site("query", "select distinct login from hits where login = 'wang'", "--unmask", "-f", "csv")
    assert shown.stdout == "login\nwang\n"
    (entry,) = site.rows("query", "select action, rows from audit")
    assert entry == {"action": "unmask", "rows": None}


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from hitss", "there is no table `hitss` (did you mean `hits`?)"),
        ("select * from nosuch", "there is no table `nosuch`; `crm tables` lists the tables"),
        ("select pge from hits", "there is no column `pge` (did you mean `page`?); there are: "),
        ("select hits.pge from hits", "there is no column `pge` (did you mean `page`?); there are: "),
        ("select h.pge from hits h", "no column named 'pge' found in table 'h'; `crm tables`"),
        ("selec 1", "Expected: an SQL statement"),
        ("select 1; select 2", "one (and only one) statement"),
        ("select cast(page as int) from hits", "conversion from"),
        ("select status from hits group by page having count(*) > 'a'", "the query cannot be run: "),
        ("", "the query is empty"),
        ("/* only */ ", "the query is empty"),
    ],
)
def test_a_query_that_cannot_be_run_is_one_sentence(site: "Crm", sql: str, said: str) -> None:
    stderr = site("query", sql, code=2).stderr
    assert said in stderr
    assert stderr.startswith("crm: the query ")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    "sql",
    ["drop table hits", "Delete from hits", "/* x */ truncate table hits", "create table x as select 1"],
)
def test_nothing_that_would_change_a_table_seems_to_work(site: "Crm", sql: str) -> None:
    assert "would change a table, and queries only read" in site("query", sql, code=2).stderr
    assert site.rows("query", "select count(*) as n from hits") == [{"n": 4}]


def test_tables_lists_all_and_the_columns_of_one(site: "Crm") -> None:
    rows = {row["table"]: row for row in site.rows("tables")}
    assert {"hits", "sessions", "sources", "audit", "pages", "transitions"} <= set(rows)
    assert (rows["pages"]["owner"], rows["sources"]["store"]) == ("paths", "records")
    columns = {row["column"]: row for row in site.rows("tables", "hits")}
    assert list(columns) == list(site.rows("query", "select * from hits limit 1")[0])
    assert (columns["bytes"]["unit"], columns["login"]["mask"]) == ("bytes", "name")


def test_an_unknown_table_is_answered_with_the_nearest(crm: "Crm") -> None:
    said = "there is no table `session` (did you mean `sessions`?); `crm tables` lists the tables"
    assert said in crm("tables", "session", code=2).stderr
