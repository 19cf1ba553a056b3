"""Records: SQL tables made from their contracts."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from crm.errors import Unusable
from crm.records import Records
from crm.tables import Column, Table

NOTES = Table(
    "notes",
    "Notes.",
    (
        Column("id", "int64", "number"),
        Column("text", "string", "text"),
        Column("ts", "timestamp", "time"),
        Column("day", "date", "day"),
        Column("done", "boolean", "whether it is done"),
        Column("score", "float64", "score"),
    ),
    owner="test",
    store="records",
    by_date=False,
    key=("id",),
)
LAKE = Table("elsewhere", "In the lake.", (Column("date", "date", "day"),), owner="test")
ROW = {
    "id": 2**62,
    "text": "退货 'x'",
    "ts": datetime(2026, 3, 2, 10, 0, 0, 1),
    "day": date(2026, 3, 2),
    "done": True,
    "score": 0.1,
}


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records.db", {"notes": NOTES, "elsewhere": LAKE})


def insert(records: Records, **values: object) -> None:
    with records.begin() as connection:
        connection.execute(records.table("notes").insert().values(**ROW | values))


def test_tables_of_the_store_are_made_and_those_of_the_lake_are_not(records: Records) -> None:
    assert sa.inspect(records.engine).get_table_names() == ["notes"]


def test_the_file_is_its_owners_alone(records: Records) -> None:
    records.count("notes")
    assert stat.S_IMODE(records.file.stat().st_mode) == 0o600


def test_values_come_back_as_the_contract_types_them(records: Records) -> None:
    insert(records)
    insert(records, id=1, text=None, ts=None, day=None, done=None, score=None)
    frame = records.frame("notes").sort("id")
    assert frame.schema == {
        "id": pl.Int64,
        "text": pl.String,
        "ts": pl.Datetime("us", "UTC"),
        "day": pl.Date,
        "done": pl.Boolean,
        "score": pl.Float64,
    }
    assert frame.row(1, named=True) == ROW | {"ts": ROW["ts"].replace(tzinfo=UTC)}  # type: ignore[attr-defined]  # a time
    assert frame.row(0)[1:] == (None,) * 5


def test_an_empty_table_has_its_columns(records: Records) -> None:
    assert records.frame("notes").columns == [column.name for column in NOTES.columns]
    assert records.count("notes") == 0


def test_a_transaction_that_fails_leaves_nothing(records: Records) -> None:
    def fail() -> None:
        with records.begin() as connection:
            connection.execute(records.table("notes").insert().values(**ROW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert records.count("notes") == 0


def test_the_key_of_a_table_is_kept_unique(records: Records) -> None:
    insert(records)
    with pytest.raises(sa.exc.IntegrityError):
        insert(records, text="other")


def test_what_a_transaction_has_read_stays_true_until_it_has_written(records: Records) -> None:
    table = records.table("notes")

    def add_one(_: int) -> None:
        with records.begin() as connection:
            last = connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
            connection.execute(table.insert().values(**ROW | {"id": last + 1}))

    records.count("notes")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(20)))
    assert records.frame("notes")["id"].sort().to_list() == list(range(1, 21))


def test_a_reader_does_not_wait_for_a_writer(records: Records) -> None:
    insert(records)
    with records.begin() as connection:
        connection.execute(records.table("notes").delete())
        assert records.count("notes") == 1
    assert records.count("notes") == 0


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"nonsense" * 200)
    records = Records(tmp_path / "records.db", {"notes": NOTES})
    with pytest.raises(Unusable, match=r"records\.db is no database of records: .*; restore it from a backup"):
        records.count("notes")


def test_the_write_ahead_log_is_on(records: Records) -> None:
    insert(records)
    connection = sqlite3.connect(records.file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
