"""Who is forgotten is gone from every table and every file, stays gone, and nobody else loses anything."""

import shutil
import signal
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugins.conftest import Crm

CUSTOMERS = """\
id,name,phone,email,login,idnumber,city,Motto
K1,张三丰,13800138000,zhang@example.com,zhang.san,11010519491231002X,,planted motto
K2,李四,13900139000,li@example.com,li.si,,深圳,quiet
K3,王五,13800138000,wang@example.com,wang.wu,,,
"""
ORDERS = """\
order_id,customer,date,amount,Remark
o1,K1,2026-03-01,10,planted remark
o2,K2,2026-03-01,20,
"""
PLANTED = ("张三丰", "zhang@example.com", "zhang.san", "11010519491231002X", "planted motto", "planted remark")
"""What nobody but K1 has; the phone number is also that of K3."""


def write(crm: "Crm", name: str, text: str) -> Path:
    file = crm.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def log(crm: "Crm") -> Path:
    """Visits: K1 alone by visitor 1, also before the login and another day; K1 and K2 by visitor 3; K2 by visitor 2."""
    line, lines = crm.line, []
    lines += [line(100 + 60 * n, f"/{n}", 1, login="zhang.san" if n > 2 else "-") for n in range(6)]
    lines += [line(90_000 + 60 * n, f"/{n}", 1) for n in range(4)]
    lines += [line(100 + 60 * n, f"/{n}", 2, login="li.si") for n in range(6)]
    lines += [line(30_000 + 60 * n, f"/{n}", 3, login="zhang.san") for n in range(3)]
    lines += [line(40_000 + 60 * n, f"/{n}", 3, login="li.si") for n in range(3)]
    return crm.log("shop.log", *sorted(lines, key=lambda text: text.split("[")[1]))


def fill(crm: "Crm") -> None:
    crm("customers", "import", write(crm, "customers.csv", CUSTOMERS))
    crm("orders", "import", write(crm, "orders.csv", ORDERS))
    for who in ("K1", "K2"):
        crm("customers", "consent", who, "--channel", "email", "--grant")
    crm("logs", "mine", log(crm))
    workspace = crm.open()
    visitor = workspace.scan("sessions").filter(pl.col("customer") == "zhang.san").collect()["visitor"][0]
    members = [
        ("gold", "K1"),
        ("gold", "K2"),
        ("web", "zhang.san"),
        ("web", f"visitor:{visitor}"),
        ("web", "visitor:7"),
    ]
    with workspace.records.begin() as connection:
        rows = pl.DataFrame(members, ["segment", "who"], orient="row")
        workspace.records.append(connection, "segment_members", rows)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, new_crm: "Callable[..., Crm]") -> Path:
    """A workspace that is filled, made once."""
    crm = new_crm(tmp_path_factory.mktemp("forget"))
    fill(crm)
    return crm.folder


@pytest.fixture
def full(crm: "Crm", template: Path) -> "Crm":
    """The program on a copy of it."""
    shutil.copytree(template, crm.folder, dirs_exist_ok=True)
    return crm


def everything(crm: "Crm") -> bytes:
    """All bytes of the workspace, the cells of its data files, and the rows of its records."""
    found = [file.read_bytes() for file in crm.workspace.rglob("*") if file.is_file()]
    found += [
        str(pl.read_parquet(file, hive_partitioning=False).rows()).encode() for file in crm.workspace.rglob("*.parquet")
    ]
    records = crm.open().records
    if crm.records_url is not None:
        with records.engine.connect() as connection:
            for name in records.contracts:
                found.append(str(connection.exec_driver_sql(f'SELECT * FROM "{name}"').fetchall()).encode())
    return b"\n".join(found)


def left(crm: "Crm", found: bytes) -> list[str]:
    return [text for text in PLANTED if text.encode() in found]


def tables(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["table"]: row["rows"] for row in rows}


@pytest.mark.parametrize("who", ["zhang.san", "11010519491231002x"])
def test_by_any_name_nothing_is_left_in_any_file(crm: "Crm", who: str) -> None:
    fill(crm)
    before = crm.table("hits")
    assert left(crm, everything(crm)) == list(PLANTED)
    found = tables(crm.rows("customers", "forget", who, "--yes"))
    assert found == {
        "consents": 1,
        "customers": 1,
        "hits": 13,
        "identities": 4,
        "orders": 1,
        "segment_members": 3,
        "sessions": 3,
    }
    assert left(crm, everything(crm)) == []
    assert [row["customer"] for row in crm.rows("customers", "list", "--unmask")] == ["K2", "K3"]
    logins = crm.table("sessions")["customer"].to_list()
    assert logins == ["li.si", "li.si"]
    assert crm.table("hits").height == before.height - 13
    assert sorted(crm.open().records.frame("segment_members")["who"]) == ["K2", "visitor:7"]
    crm("logs", "rebuild")
    assert crm.table("sessions")["customer"].to_list() == logins


def test_in_a_database_of_a_team_as_well(crm_on: "Crm") -> None:
    crm = crm_on
    fill(crm)
    crm("customers", "forget", "K1", "--yes")
    assert left(crm, everything(crm)) == []
    assert crm("audit", "verify").exit_code == 0
    crm("logs", "mine", crm.log("more.log", *crm.lines(4, 100)))


def test_what_was_deleted_before_lies_in_no_free_page(full: "Crm") -> None:
    connection = sqlite3.connect(full.workspace / "records.db")
    connection.execute("PRAGMA secure_delete = OFF")
    texts = [("page", f"a planted remnant {n}" * 50) for n in range(50)]
    connection.executemany("INSERT INTO segment_members (segment, who) VALUES (?, ?)", texts)
    connection.commit()
    connection.execute("DELETE FROM segment_members WHERE segment = 'page'")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    assert b"planted remnant" in everything(full)
    full("customers", "forget", "K1", "--yes")
    assert b"planted remnant" not in everything(full)


def test_encrypted_values_go_as_well(crm: "Crm") -> None:
    crm.configure("protection: {encrypt: true}\n")
    fill(crm)
    crm("customers", "forget", "zhang@example.com", "--yes")
    assert [row["customer"] for row in crm.rows("customers", "list", "--unmask")] == ["K2", "K3"]


def test_a_proof_without_the_data_is_left(crm: "Crm") -> None:
    fill(crm)
    crm("customers", "forget", "K1", "--yes")
    (entry,) = crm.rows("audit", "log", "--where", "action = 'forget'")
    assert entry["what"].endswith(
        ": consents 1, customers 1, hits 13, identities 4, orders 1, segment_members 3, sessions 3"
    )
    assert entry["rows"] == 26
    (row,) = crm.rows("customers", "forgotten")
    assert (row["entry"], row["hashes"]) == (entry["entry"], 4)  # id, login, e-mail, id number; the phone is shared
    assert '"hits": 13' in row["tables"]
    columns = crm.open().records.frame("forgotten").columns
    assert columns == ["kind", "hash", "ts", "entry", "tables"]
    crm("audit", "verify")


class TestMerges:
    def merge(self, crm: "Crm", *ids: str) -> None:
        from plugins.customers.merges import apply

        workspace = crm.open()
        with workspace.records.begin() as connection:
            apply(workspace, connection, pl.DataFrame({"customer": ids, "person": [1] * len(ids)}), None)

    @pytest.mark.parametrize("who", ["K1", "K2"])
    def test_all_that_was_put_together_goes_together(self, full: "Crm", who: str) -> None:
        crm = full
        self.merge(crm, "K1", "K2")
        crm("customers", "forget", who, "--yes")
        found = everything(crm)
        assert left(crm, found) == []
        assert b"li@example.com" not in found
        assert [row["customer"] for row in crm.rows("customers", "list", "--unmask")] == ["K3"]
        assert crm.table("sessions").height == 0

    def test_a_merge_that_was_undone_holds_nothing_of_either(self, full: "Crm") -> None:
        crm = full
        self.merge(crm, "K1", "K2", "K3")
        merges = crm.open().records.frame("merges").sort("merge")
        (mine,) = merges.filter(pl.col("merged") == "K2")["merge"]
        crm("customers", "unmerge", mine)
        crm("customers", "forget", "K2", "--yes")
        merges = crm.open().records.frame("merges")
        assert merges["merged"].to_list() == ["K3"]
        assert merges["origins"].str.contains('"city":""', literal=True).all()
        assert not merges["origins"].str.contains('"K2"', literal=True).any()
        assert b"li@example.com" not in everything(crm)
        assert [row["customer"] for row in crm.rows("customers", "list", "--unmask")] == ["K1"]

    def test_pairs_told_apart_name_nobody_who_is_forgotten(self, full: "Crm") -> None:
        crm = full
        records = crm.open().records
        with records.begin() as connection:
            records.append(connection, "apart", pl.DataFrame({"customer": ["K1", "K2"], "other": ["K2", "K3"]}))
        crm("customers", "forget", "K2", "--yes")
        assert crm.open().records.frame("apart").height == 0


PLUGIN = """
@hookimpl
def tables():
    who = Column('who', 'string', 'whom', mask='name')
    text = Column('text', 'string', 'what', mask='hidden')
    number = Column('number', 'int64', 'which')
    day = Column('date', 'date', 'when')
    return [
        Table('letters', 'help', (number, who, text), 'post', 'records', False, ('number',), person='who'),
        Table('bills', 'help', (number, who, text), 'post', 'records', False, ('number',), person='who', keep=True),
        Table('interests', 'help', (day, who, text), 'post', person='who'),
    ]
"""


def test_tables_of_plugins_are_erased_by_their_contracts(crm: "Crm") -> None:
    from datetime import date

    crm.plugin("post", PLUGIN)
    fill(crm)
    crm.plugin("post", PLUGIN)
    workspace = crm.open()
    rows = pl.DataFrame({"number": [1, 2, 3], "who": ["K1", "K2", "zhang.san"], "text": ["planted motto", "b", "c"]})
    with workspace.records.begin() as connection:
        for name in ("letters", "bills"):
            workspace.records.append(connection, name, rows)
    lake = workspace.lake
    interests = rows.select(pl.lit(date(2026, 3, 2)).alias("date"), "who", "text")
    lake.commit("interests", lake.write("interests", interests, 1, "0"), 1)
    found = tables(crm.rows("customers", "forget", "K1", "--yes"))
    assert (found["letters"], found["bills"], found["interests"]) == (2, 2, 2)
    records, kept = crm.open().records, [(1, None, None), (2, "K2", "b"), (3, None, None)]
    assert records.frame("letters").rows() == [(2, "K2", "b")]
    assert records.frame("bills").sort("number").rows() == kept
    assert crm.open().scan("interests").collect()["who"].to_list() == ["K2"]
    assert crm.open().lake.transaction("interests") == 1
    assert left(crm, everything(crm)) == []


def test_a_login_that_only_the_logs_know(crm: "Crm") -> None:
    fill(crm)
    lines = [crm.line(200_000 + 60 * n, f"/{n}", 5, login="stranger") for n in range(3)]
    crm("logs", "mine", crm.log("more.log", *lines))
    assert tables(crm.rows("customers", "forget", "stranger", "--yes")) == {"hits": 3, "sessions": 1}
    assert b"stranger" not in everything(crm)


def test_what_two_share_stays(crm: "Crm") -> None:
    """A login that is another's, too, says of no visit whose it is."""
    shared = CUSTOMERS.replace("wang.wu", "zhang.san")
    crm("customers", "import", write(crm, "customers.csv", shared))
    crm("logs", "mine", log(crm))
    sessions = crm.table("sessions").height
    result = crm("customers", "forget", "K1", "--yes")
    assert "1 login of this person is also somebody else's: visits under it stay" in result.stderr
    assert crm.table("sessions").height == sessions
    assert crm.rows("customers", "consent", "zhang.san") == []  # it is the other's alone now


class TestComingBack:
    """Those who were forgotten are kept out, and erased again."""

    def imported(self, crm: "Crm", text: str) -> dict[str, int]:
        rows = crm.rows("customers", "import", write(crm, "again.csv", text))
        return {row["outcome"]: row["rows"] for row in rows}

    def test_an_old_file_does_not_bring_them_back(self, full: "Crm") -> None:
        crm = full
        crm("customers", "forget", "K1", "--yes")
        found = self.imported(crm, CUSTOMERS)
        assert (found["changed"], found["rejected"]) == (2, 1)  # they say that they are from another file now
        result = crm("orders", "import", crm.folder / "orders.csv")
        assert "this person has been forgotten" in result.stderr
        assert left(crm, everything(crm)) == []
        assert "forgotten before" in crm("customers", "forget", "zhang.san", "--yes").stderr

    @pytest.mark.parametrize("column", ["email", "login", "idnumber"])
    def test_nor_under_another_id(self, full: "Crm", column: str) -> None:
        crm = full
        crm("customers", "forget", "K1", "--yes")
        value = {"email": "Zhang@Example.com", "login": "zhang.san", "idnumber": "11010519491231002X"}[column]
        found = self.imported(crm, f"id,name,{column}\nK8,张三丰,{value}\nK9,somebody,\n")
        assert (found["new"], found["rejected"]) == (1, 1)

    def test_who_shares_a_number_is_let_in(self, full: "Crm") -> None:
        crm = full
        crm("customers", "forget", "K1", "--yes")
        assert self.imported(crm, "id,name,phone\nK9,somebody,13800138000\n")["new"] == 1
        assert self.imported(crm, "id,city,login\nK2,深圳,zhang.san\n")["changed"] == 1  # who is there may have it now

    def test_who_is_readmitted_is_let_in(self, full: "Crm") -> None:
        crm = full
        crm("customers", "forget", "K1", "--yes")
        assert crm.rows("customers", "forgotten", "--readmit", "zhang@example.com") == []
        assert self.imported(crm, CUSTOMERS)["new"] == 1
        crm("customers", "forgotten", "--readmit", "K1", code=6)

    def test_a_backup_does_not_bring_them_back(self, crm_on: "Crm") -> None:
        crm = crm_on
        fill(crm)
        workspace = crm.open()
        backup = {name: workspace.records.frame(name) for name in ("customers", "orders", "identities")}
        crm("customers", "forget", "K1", "--yes")
        with workspace.records.begin() as connection:
            for name, rows in backup.items():
                workspace.records.upsert(connection, name, rows)
        crm("logs", "drop", "--all", "--yes")
        crm("logs", "mine", crm.folder / "shop.log")
        assert len(crm.rows("customers", "list")) == 3
        result = crm("customers", "forgotten", "--replay")
        assert "erased again: customers 1, hits 13, identities 4, orders 1, sessions 3" in result.stderr
        assert left(crm, everything(crm)) == []
        assert len(crm.rows("customers", "list")) == 2
        assert "nobody has come back" in crm("customers", "forgotten", "--replay").stderr
        assert [row["entry"] for row in crm.rows("customers", "forgotten")] == [5]  # whom it forgot first

    @pytest.mark.parametrize("ending", ["parquet", "csv", "ndjson"])
    def test_a_list_from_elsewhere_is_taken(self, full: "Crm", ending: str) -> None:
        crm = full
        records = (crm.workspace / "records.db").read_bytes()
        crm("customers", "forget", "K1", "--yes")
        crm("query", "select * from forgotten", "-o", crm.folder / f"list.{ending}")
        (crm.workspace / "records.db").write_bytes(records)
        assert "nobody has come back" in crm("customers", "forgotten", "--replay").stderr
        result = crm("customers", "forgotten", "--take", crm.folder / f"list.{ending}", "--replay")
        assert "customers 1" in result.stderr
        assert left(crm, everything(crm)) == []
        assert (
            "no export of the table"
            in crm("customers", "forgotten", "--take", crm.folder / "orders.csv", code=4).stderr
        )


@pytest.mark.parametrize("step", ["erase_records", "erase_lake", "Lake.erase", "Lake.vacuum"])
def test_a_kill_at_any_moment_is_made_good_by_calling_it_again(crm: "Crm", step: str) -> None:
    fill(crm)
    owner, name = step.split(".") if "." in step else ("forgetting", step)
    program = f"""
import os
from crm import forgetting
from crm.lake import Lake
whole = {owner}.{name}
def killed(*args, **kwargs):
    whole(*args, **kwargs)
    os.kill(os.getpid(), 9)
setattr({owner}, {name!r}, killed)
from cli.main import run
run()
"""
    process = crm.process("customers", "forget", "K1", "--yes", program=program)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    crm("customers", "forget", "K1", "--yes")
    assert left(crm, everything(crm)) == []
    assert crm.table("sessions")["customer"].to_list() == ["li.si", "li.si"]
    assert sorted(crm.open().records.frame("segment_members")["who"]) == ["K2", "visitor:7"]


class TestMistakes:
    def test_nobody_is_forgotten_unasked(self, full: "Crm") -> None:
        crm = full
        assert "say --yes" in crm("customers", "forget", "K1", code=2).stderr
        assert len(crm.rows("customers", "list")) == 3

    def test_one_who_is_not_known_stops_all(self, full: "Crm") -> None:
        crm = full
        result = crm("customers", "forget", "K1", "K9", "--yes", code=6)
        assert "WHO number 2: no customer is known by this" in result.stderr
        assert len(crm.rows("customers", "list")) == 3

    def test_a_number_of_two_is_told(self, full: "Crm") -> None:
        crm = full
        assert "2 customers are known by this" in crm("customers", "forget", "13800138000", "--yes", code=2).stderr

    def test_it_takes_an_admin(self, full: "Crm") -> None:
        crm = full
        crm.configure("access: {role: operator}\n")
        assert "the role operator may not forget" in crm("customers", "forget", "K1", "--yes", code=7).stderr
        assert "the role operator may not forget" in crm("customers", "forgotten", "--replay", code=7).stderr
