"""Records in PostgreSQL: what can go wrong with a server, said in one sentence, and what workspaces share."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from crm.errors import CrmError, Refused, Unusable
from crm.protection import ProtectionConfig, RecordsConfig
from crm.records import Records
from crm.tables import Column, Table
from crm.workspace import Workspace, write_key

NOTES = Table(
    "notes", "Notes.", (Column("id", "int64", "n"), Column("text", "string", "t", secret=True)),
    owner="test", store="records", key=("id",),
)  # fmt: skip
LEDGER = Table(
    "ledger", "Runs.", (Column("run", "int64", "n"),), owner="test", store="records", key=("run",), local=True
)
TABLES = {"notes": NOTES, "ledger": LEDGER}


def said(tmp_path: Path, url: str, kind: type[CrmError] = Unusable) -> str:
    with pytest.raises(kind) as caught:
        Records(tmp_path / "records.db", {"notes": NOTES}, url=url).count("notes")
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    return text


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u:secret@h/d", "begins with mysql://, and records are kept in PostgreSQL"),
        ("postgresql+asyncpg://u:secret@h/d", "begins with postgresql+asyncpg://"),
        ("sqlite:///x.db", "begins with sqlite://"),
        ("nonsense secret", "is no URL; it should look like postgresql://user@host/database"),
        ("postgresql://u:secret@h:port/d", "is no URL"),
        ("postgresql://u:secret@127.0.0.1:1/d", "the database postgresql://u:***@127.0.0.1:1/d cannot be used: conn"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_sentence_without_the_password(
    tmp_path: Path, url: str, sentence: str
) -> None:
    assert sentence in said(tmp_path, url)


def test_what_the_server_refuses_is_one_sentence(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new()
    name = url.split("/")[3].split("?")[0]
    assert "does not exist" in said(tmp_path, postgres.url("nowhere"))
    assert "does not exist" in said(tmp_path, postgres.url(name, "stranger"))
    with_password = url.replace("crm@", "stranger:secret@")
    assert "stranger:***@" in said(tmp_path, with_password)
    postgres.sql("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    assert "has the encoding LATIN1; make one with the encoding UTF8" in said(tmp_path, postgres.url("latin"))


def test_the_driver_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'crm-toolkit[postgres]'" in said(tmp_path, "postgresql://u@h/d")


def test_a_role_that_may_only_read_reads_and_is_refused_to_write(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new()
    name = url.split("/")[3].split("?")[0]
    postgres.sql("CREATE ROLE reader LOGIN")
    reader = postgres.url(name, "reader")
    assert "does not let reader do this: permission denied for schema public" in said(tmp_path, reader, Refused)
    owner = Records(tmp_path / "r.db", {"notes": NOTES}, url=url, marks=lambda: {"key": "1"})
    with owner.begin() as connection:
        owner.append(connection, "notes", pl.DataFrame({"id": [1], "text": ["a"]}))
    postgres.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", name)
    reads = Records(tmp_path / "r.db", {"notes": NOTES}, url=reader, marks=lambda: {"key": "1"})
    assert reads.frame("notes").rows() == [(1, "a")]

    def insert(connection: sa.Connection) -> None:
        connection.execute(reads.table("notes").insert().values(id=2))

    writers: list[Callable[[sa.Connection], object]] = [
        insert,
        lambda connection: reads.append(connection, "notes", pl.DataFrame({"id": [2]})),
        lambda connection: reads.delete(connection, "notes", pl.DataFrame({"id": [1]})),
    ]
    for write in writers:
        with (
            pytest.raises(Refused, match="does not let reader do this: permission denied"),
            reads.begin() as connection,
        ):
            write(connection)
    assert owner.count("notes") == 1


def test_a_text_with_lines_and_quotes_in_a_large_table_comes_back(tmp_path: Path, postgres: Any) -> None:
    records = Records(tmp_path / "r.db", {"notes": NOTES}, url=postgres.new())
    texts = pl.select(id=pl.int_range(120_000)).with_columns(
        text=pl.when(pl.col("id") % 7 == 0).then(pl.lit('a "b"\r\n,c\n')).otherwise(pl.format("{}\n{}", "id", "id"))
    )
    with records.begin() as connection:
        records.append(connection, "notes", texts)
        records.upsert(connection, "notes", texts)
    assert records.frame("notes").sort("id").equals(texts)


def opened(folder: Path, url: str | None, key: bytes, *, encrypt: bool = False) -> Workspace:
    write_key(folder, key)
    return Workspace.open(folder, TABLES, where=RecordsConfig(url=url), protection=ProtectionConfig(encrypt=encrypt))


def test_workspaces_with_the_same_key_share_records_but_not_the_ledger(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new()
    one, two = (opened(tmp_path / name, url, bytes(range(32))) for name in ("one", "two"))
    with one.records.begin() as connection:
        one.records.append(connection, "notes", pl.DataFrame({"id": [1], "text": ["a"]}))
    with one.local.begin() as connection:
        one.local.append(connection, "ledger", pl.DataFrame({"run": [7]}))
    assert two.scan("notes").collect().rows() == [(1, "a")]
    assert two.scan("ledger").collect().rows() == []
    assert one.scan("ledger").collect().rows() == [(7,)]
    assert one.records_of("ledger") is one.local
    assert not (tmp_path / "two" / "records.db").exists() or two.local.count("ledger") == 0


def test_a_workspace_with_another_key_is_refused(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new()
    opened(tmp_path / "one", url, bytes(range(32))).records.count("notes")
    with pytest.raises(Unusable, match="were made with another key than this workspace has; give it a copy of the key"):
        opened(tmp_path / "two", url, bytes(32)).records.count("notes")


def test_no_new_key_is_made_while_values_in_the_database_are_sealed_by_another(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new()
    one = opened(tmp_path / "one", url, bytes(range(32)), encrypt=True)
    with one.records.begin() as connection:
        one.records.append(connection, "notes", pl.DataFrame({"id": [1], "text": ["a"]}))
    two = opened(tmp_path / "two", url, bytes(range(32)), encrypt=True)
    with pytest.raises(Unusable, match=r"field\.key, by which values in .* are encrypted, is missing"):
        two.records.frame("notes")
    assert not (tmp_path / "two" / "field.key").exists()
    (tmp_path / "two" / "field.key").write_bytes((tmp_path / "one" / "field.key").read_bytes())
    (tmp_path / "two" / "field.key").chmod(0o600)
    assert two.records.frame("notes").rows() == [(1, "a")]


def test_without_a_url_all_records_are_in_one_file(tmp_path: Path) -> None:
    workspace = opened(tmp_path / "one", None, bytes(range(32)))
    assert workspace.records is workspace.local
    assert set(sa.inspect(workspace.records.engine).get_table_names()) == {"notes", "ledger"}
