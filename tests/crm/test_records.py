"""Records: SQL tables made from their contracts, in SQLite and in PostgreSQL."""

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crm.errors import Locked, Unusable
from crm.records import Records
from crm.schema import polars_schema
from crm.storage.sqlite import SQLite
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
PAIRS = Table(
    "pairs",
    "Two keys, and names that are words of SQL.",
    (
        Column("group", "string", "first key"),
        Column("order", "int32", "second key"),
        Column("select", "string", "a secret", secret=True),
        Column("%s", "int8", "a small number"),
    ),
    owner="test",
    store="records",
    by_date=False,
    key=("group", "order"),
    indexes=(("order",),),
)
LAKE = Table("elsewhere", "In the lake.", (Column("date", "date", "day"),), owner="test")
TABLES = {"notes": NOTES, "pairs": PAIRS, "elsewhere": LAKE}
ROW = {
    "id": 2**62,
    "text": "退货 'x'",
    "ts": datetime(2026, 3, 2, 10, 0, 0, 1),
    "day": date(2026, 3, 2),
    "done": True,
    "score": 0.1,
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["", "\\.", "\\N", "NULL", '"', "a,b", "\r\n", "\n", " x ", "enc1:x", "enc0:", "'", "%s", "1"]
)
NOTE_ROWS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.none() | TEXTS,
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.none() | st.dates(),
        st.none() | st.booleans(),
        st.none() | st.floats(allow_nan=False),
    ),
    max_size=5,
    unique_by=lambda row: row[0],
)
PAIR_ROWS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b", "%"]), st.integers(1, 3), st.none() | TEXTS, st.none() | st.just(7)),
    max_size=6,
)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)


class Backwards:
    """A cipher that anybody can read."""

    def seal(self, values: pl.Series) -> list[str | None]:
        return [None if value is None else "enc1:" + value[::-1] for value in values]

    def open(self, values: pl.Series) -> list[str | None]:
        return [value.removeprefix("enc1:")[::-1] for value in values]


@pytest.fixture
def records(tmp_path: Path, records_url: str | None) -> Records:
    return Records(tmp_path / "records.db", TABLES, url=records_url)


@pytest.fixture
def in_file(tmp_path: Path) -> Records:
    return Records(tmp_path / "records.db", TABLES)


def insert(records: Records, **values: object) -> None:
    with records.begin() as connection:
        connection.execute(records.table("notes").insert().values(**ROW | values))


def rows(table: Table, values: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(values, schema=polars_schema(table), orient="row")


def put(records: Records, name: str, frame: pl.DataFrame, *, anew: bool = False) -> None:
    with records.begin() as connection:
        if anew:
            connection.execute(records.table(name).delete())
        records.upsert(connection, name, frame)


def test_tables_of_the_store_are_made_and_those_of_the_lake_are_not(records: Records) -> None:
    assert set(sa.inspect(records.engine).get_table_names()) - {"crm_marks"} == {"notes", "pairs"}


def test_the_file_is_its_owners_alone(in_file: Records) -> None:
    in_file.count("notes")
    assert stat.S_IMODE(in_file.file.stat().st_mode) == 0o600


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
    assert records.frame("notes", columns=["ts", "id"]).schema == {"ts": pl.Datetime("us", "UTC"), "id": pl.Int64}
    assert records.count("notes") == 0


@SHARED
@given(stored=NOTE_ROWS)
def test_what_is_stored_in_bulk_is_read_as_it_was(records: Records, stored: list[tuple[object, ...]]) -> None:
    frame = rows(NOTES, stored)
    with records.begin() as connection:
        connection.execute(records.table("notes").delete())
        records.append(connection, "notes", frame)
    assert_frame_equal(records.frame("notes").sort("id"), frame.sort("id"))
    for column in frame.columns:
        assert records.frame("notes", columns=[column])[column].null_count() == frame[column].null_count()


@SHARED
@given(stored=NOTE_ROWS)
def test_rows_written_one_by_one_and_in_bulk_are_the_same(records: Records, stored: list[tuple[object, ...]]) -> None:
    table = records.table("notes")
    frame = rows(NOTES, stored)
    found = []
    for bulk in (False, True):
        with records.begin() as connection:
            connection.execute(table.delete())
            if bulk:
                records.append(connection, "notes", frame)
            elif stored:
                one_by_one = frame.with_columns(pl.col("ts").dt.replace_time_zone(None)).to_dicts()
                connection.execute(table.insert(), one_by_one)
            found.append(connection.execute(sa.select(table).order_by(table.c.id)).all())
    assert found[0] == found[1]


@SHARED
@given(first=PAIR_ROWS, second=PAIR_ROWS)
def test_upsert_is_a_dictionary_update(
    records: Records, first: list[tuple[object, ...]], second: list[tuple[object, ...]]
) -> None:
    put(records, "pairs", rows(PAIRS, first), anew=True)
    put(records, "pairs", rows(PAIRS, second).drop("%s"))
    expected = {row[:2]: row for row in first}
    for group, order, secret, _ in second:
        old = expected.get((group, order), (None,) * 4)[3]
        expected[group, order] = (group, order, secret, old)
    assert sorted(records.frame("pairs").rows()) == sorted(expected.values())


@SHARED
@given(stored=PAIR_ROWS, gone=PAIR_ROWS)
def test_delete_takes_the_rows_with_these_keys(
    records: Records, stored: list[tuple[object, ...]], gone: list[tuple[object, ...]]
) -> None:
    put(records, "pairs", rows(PAIRS, stored), anew=True)
    keys = {row[:2] for row in gone}
    with records.begin() as connection:
        count = records.delete(connection, "pairs", rows(PAIRS, gone).select("group", "order"))
    expected = {row[:2]: row for row in stored}
    left = [row for key, row in expected.items() if key not in keys]
    assert sorted(records.frame("pairs").rows()) == sorted(left)
    assert count == len(expected) - len(left)


@pytest.mark.parametrize("text", ["a", "%", "'; --", "\0", "退\\", "%(x)s"])
def test_a_condition_finds_any_text(records: Records, text: str) -> None:
    put(records, "notes", rows(NOTES, [(1, text, None, None, None, None), (2, "other", None, None, None, None)]))
    column = records.table("notes").c.text
    assert records.frame("notes", columns=["id"], where=column == text).rows() == [(1,)]
    assert records.frame("notes", columns=["id"], where=column.in_([text, "x"])).rows() == [(1,)]
    assert records.frame("notes", where=column.in_([])).rows() == []


def test_batches_are_sorted_by_the_numbers_of_characters_whatever_the_database(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sqlite.BATCH", "sqlite._FETCHED", "postgresql.BATCH"):
        monkeypatch.setattr(f"crm.storage.{name}", 2)
    texts = ["é", "B", "a", "_", "退", "Z"]
    put(records, "notes", rows(NOTES, [(n, text, None, None, None, None) for n, text in enumerate(texts)]))
    parts = list(records.batches("notes", columns=["text"], order=["text"]))
    assert [part.height for part in parts] == [2, 2, 2]
    assert pl.concat(parts)["text"].to_list() == sorted(texts)


def test_a_number_that_is_none_is_null_and_a_nul_is_replaced(records: Records) -> None:
    put(records, "notes", rows(NOTES, [(1, "a\0b", None, None, None, float("nan"))]))
    insert(records, id=2, text="a\0b")
    assert records.frame("notes", columns=["text", "score"]).rows() == [("a\ufffdb", None), ("a\ufffdb", 0.1)]


def test_a_column_that_the_contract_lacks_is_refused(records: Records) -> None:
    with records.begin() as connection, pytest.raises(pl.exceptions.ColumnNotFoundError, match="has no column colour"):
        records.append(connection, "notes", pl.DataFrame({"id": [1], "colour": ["red"]}))


def test_secrets_are_sealed_in_the_database_and_open_outside(tmp_path: Path, records_url: str | None) -> None:
    secret = rows(PAIRS, [("a", 1, "secret", 1), ("a", 2, None, 1), ("a", 3, "", 1), ("a", 4, "enc1:x", 1)])
    sealing = Records(tmp_path / "r.db", TABLES, url=records_url, cipher=Backwards, seals=True)  # type: ignore[arg-type]
    put(sealing, "pairs", secret)
    with sealing.engine.connect() as connection:
        table = sealing.table("pairs")
        stored = connection.execute(sa.select(table.c.select).order_by(table.c.order)).scalars().all()
    assert stored == ["enc1:terces", None, "enc1:", "enc1:x:1cne"]
    assert_frame_equal(sealing.frame("pairs").sort("order"), secret)
    reading = Records(tmp_path / "r.db", TABLES, url=records_url, cipher=Backwards)  # type: ignore[arg-type]
    put(reading, "pairs", rows(PAIRS, [("b", 1, "enc1:plain", 1)]))
    assert reading.frame("pairs").sort("group", "order")["select"].to_list()[-1] == "enc1:plain"
    with pytest.raises(Unusable, match="values of `select` in the table pairs are encrypted, and the file of the key"):
        Records(tmp_path / "r.db", TABLES, url=records_url).frame("pairs")


def test_a_transaction_that_fails_leaves_nothing(records: Records) -> None:
    def fail() -> None:
        with records.begin() as connection:
            insert_one = records.table("notes").insert().values(**ROW)
            connection.execute(insert_one)
            records.append(connection, "notes", rows(NOTES, [(1, None, None, None, None, None)]))
            records.upsert(connection, "notes", rows(NOTES, [(2, None, None, None, None, None)]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert records.count("notes") == 0


def test_the_key_of_a_table_is_kept_unique(records: Records) -> None:
    insert(records)
    with pytest.raises(sa.exc.IntegrityError):
        insert(records, text="other")
    with pytest.raises(sa.exc.IntegrityError) as caught, records.begin() as connection:
        records.append(connection, "notes", rows(NOTES, [(2**62, "名字", None, None, None, None)]))
    assert "名字" not in str(caught.value)
    assert str(2**62) not in str(caught.value)
    assert records.count("notes") == 1


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


def test_a_writer_who_waits_for_long_gives_up_with_a_sentence(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite", "postgresql"):
        monkeypatch.setattr(f"crm.storage.{module}.PATIENCE_S", 1)
    sentence = "another run has been writing to .* for long; try again when it has ended"
    with records.begin(), pytest.raises(Locked, match=sentence), records.begin():
        pass


def test_a_reader_does_not_wait_for_a_writer(records: Records) -> None:
    insert(records)
    with records.begin() as connection:
        connection.execute(records.table("notes").delete())
        assert records.count("notes") == 1
        assert records.count("notes", connection=connection) == 0
        assert records.frame("notes", connection=connection).height == 0
    assert records.count("notes") == 0


def test_a_snapshot_does_not_change(records: Records) -> None:
    insert(records)
    with records.snapshot() as connection:
        insert(records, id=1)
        assert records.frame("notes", connection=connection).height == 1
    assert records.count("notes") == 2


def test_many_who_come_first_at_once_make_the_tables_once(tmp_path: Path, records_url: str | None) -> None:
    barrier = threading.Barrier(6)

    def first(_: int) -> int:
        records = Records(tmp_path / "records.db", TABLES, url=records_url)
        barrier.wait()
        return records.count("notes")

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(first, range(6))) == [0] * 6


def test_columns_and_indexes_that_contracts_have_got_since_are_added(tmp_path: Path, records_url: str | None) -> None:
    old = replace(PAIRS, columns=PAIRS.columns[:2], indexes=())
    before = Records(tmp_path / "records.db", {"pairs": old}, url=records_url)
    with before.begin() as connection:
        before.append(connection, "pairs", pl.DataFrame({"group": ["a"], "order": [1]}))
    after = Records(tmp_path / "records.db", TABLES, url=records_url)
    assert after.frame("pairs").rows() == [("a", 1, None, None)]
    assert [index["name"] for index in sa.inspect(after.engine).get_indexes("pairs")] == ["ix_pairs_order"]
    assert before.frame("pairs").rows() == [("a", 1)]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"nonsense" * 200)
    records = Records(tmp_path / "records.db", {"notes": NOTES})
    with pytest.raises(Unusable, match=r"records\.db is no database of records: .*; restore it from a backup"):
        records.count("notes")


@pytest.mark.parametrize(
    ("code", "free", "said"),
    [
        (sqlite3.SQLITE_FULL, 0, "told: the disk is full, 0.0 MiB are free; make room and try again"),
        (sqlite3.SQLITE_FULL, None, "told: the disk is full; make room and try again"),
        (sqlite3.SQLITE_IOERR_WRITE, 2**20, "told: the disk is probably full, 1.0 MiB are free"),
        (sqlite3.SQLITE_IOERR_WRITE, 2**40, "told"),
        (sqlite3.SQLITE_IOERR, None, "told"),
    ],
)
def test_a_full_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, free: int | None, said: str
) -> None:
    monkeypatch.setattr("crm.storage.sqlite._free", lambda _folder: free)
    error = sqlite3.OperationalError("told")
    error.sqlite_errorcode = code
    found = SQLite(tmp_path / "records.db").explained(error)
    assert isinstance(found, Unusable)
    assert str(found).startswith(f"{tmp_path / 'records.db'}: {said}")
    assert ("the disk" in str(found)) == ("the disk" in said)


def test_the_write_ahead_log_is_on(in_file: Records) -> None:
    insert(in_file)
    connection = sqlite3.connect(in_file.file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
