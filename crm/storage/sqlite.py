"""Records in SQLite: one file of a workspace."""

import os
import shutil
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import polars as pl
import sqlalchemy as sa

from crm.errors import CrmError, Locked, Unusable
from crm.storage.base import BATCH, PATIENCE_S, Conflict, explain, translated

_FETCHED: Final = 2_000
"""So many rows are made from Python's objects at once; with more, these would not stay in the processor's cache."""

_WHOLE: Final = (sa.SmallInteger, sa.Integer, sa.BigInteger, sa.Boolean)
_KINDS: Final[dict[type, pl.DataType]] = {**dict.fromkeys(_WHOLE, pl.Int64()), sa.Float: pl.Float64()}
"""As what the driver gives values of a type; all others are texts."""

_PRIMARY: Final = 0xFF
"""The part of a code of SQLite that tells the kind of error; the rest tells more of it."""

_LITTLE: Final = 16 * 2**20
"""With less room than this on the disk, an error of input or output is taken for one of a full disk."""

_KNOWN: Final = """
    SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'
    UNION ALL SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'
"""


class SQLite:
    """A file of records.

    Args:
        file: The file; made on first use.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = str(file)

    @property
    def read_only(self) -> bool:
        """Whether the file, or its folder, in which SQLite keeps others beside it, cannot be written."""
        return self.file.exists() and not (os.access(self.file, os.W_OK) and os.access(self.file.parent, os.W_OK))

    def engine(self) -> sa.Engine:
        """What opens connections.

        Raises:
            Unusable: the file is no database, or cannot be read.
        """
        if self.read_only:
            return explain(self, self._engine_that_reads())
        engine = explain(self, _engine(f"sqlite:///{self.file}"))
        sa.event.listen(engine, "connect", _prepare)
        with engine.connect():
            self.file.chmod(0o600)
        return engine

    def _engine_that_reads(self) -> sa.Engine:
        """What opens connections that change nothing.

        SQLite keeps two files beside a database while it is open. Where they are missing and cannot be made, nobody
        has it open for writing, and it can be read as a file that does not change.

        Raises:
            Unusable: it is no database.
        """
        reason: sa.exc.DatabaseError | None = None
        for how in ("mode=ro", "immutable=1"):
            engine = _engine(f"sqlite:///file:{quote(str(self.file.absolute()))}?{how}&uri=true")
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            except sa.exc.DatabaseError as error:
                reason = error
            else:
                return engine
        raise Unusable(f"{self.file} cannot be read: {reason.orig if reason else ''}; it may be written just now")

    def lock(self, connection: sa.Connection) -> None:
        """Be the only one who writes, until the transaction ends."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def freeze(self, connection: sa.Connection) -> None:
        """See the database as it is now: a transaction that only reads sees one state of it."""
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")

    def known(self, connection: sa.Connection) -> set[tuple[str, str]]:
        """Tables with their columns and indexes."""
        return {(table, name) for table, name in connection.exec_driver_sql(_KNOWN)}

    def read(
        self, connection: sa.Connection, statement: "sa.Select[tuple[object, ...]]"
    ) -> Generator[pl.DataFrame, None, None]:
        """What a query finds; straight from the driver, because SQLAlchemy would look at every value."""
        kinds = [_KINDS.get(type(column.type), pl.String()) for column in statement.selected_columns]
        result = connection.execute(statement)
        cursor: sqlite3.Cursor = result.cursor  # type: ignore[assignment]  # SQLAlchemy types it as any driver's
        try:
            parts: list[pl.DataFrame] = []
            while rows := cursor.fetchmany(_FETCHED):
                columns = zip(kinds, zip(*rows, strict=True), strict=True)
                parts.append(
                    pl.DataFrame([pl.Series(str(n), part, dtype=kind) for n, (kind, part) in enumerate(columns)])
                )
                if len(parts) * _FETCHED >= BATCH:
                    yield pl.concat(parts)
                    parts = []
            if parts:
                yield pl.concat(parts)
        finally:
            result.close()

    def write(self, connection: sa.Connection, table: sa.Table, frames: Iterator[pl.DataFrame], on: Conflict) -> None:
        """Store rows by the driver's own `executemany`."""
        for frame in frames:
            self._run(connection, _insert(table, frame.columns, on), frame)

    def delete(self, connection: sa.Connection, table: sa.Table, frames: Iterator[pl.DataFrame]) -> int:
        """Delete rows by the values of some columns."""
        gone = 0
        for frame in frames:
            condition = " AND ".join(f"{_quoted(name)} = ?" for name in frame.columns)
            gone += self._run(connection, f"DELETE FROM {_quoted(table.name)} WHERE {condition}", frame)
        return gone

    def _run(self, connection: sa.Connection, statement: str, frame: pl.DataFrame) -> int:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            return driver.executemany(statement, _as_texts(frame).rows()).rowcount
        except sqlite3.Error as error:
            raise translated(self, error, statement.split("(")[0]) from None

    def explained(self, error: BaseException) -> CrmError | None:
        """A file that is locked, none at all, damaged, or on a disk that is full."""
        if not isinstance(error, sqlite3.DatabaseError):
            return None
        if isinstance(error, sqlite3.OperationalError):
            if "locked" in str(error):
                return Locked(f"another run has been writing to {self.file} for long; try again when it has ended")
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            return None if code == sqlite3.SQLITE_ERROR else Unusable(f"{self.file}: {self._reason(error, code)}")
        if type(error) is sqlite3.DatabaseError:
            return Unusable(f"{self.file} is no database of records: {error}; restore it from a backup")
        return None

    def _reason(self, error: sqlite3.Error, code: int) -> str:
        """What the driver says, and of a disk that is full, or nearly so, that this is why."""
        free = _free(self.file.parent)
        full = code & _PRIMARY == sqlite3.SQLITE_FULL
        if not full and (code & _PRIMARY != sqlite3.SQLITE_IOERR or free is None or free >= _LITTLE):
            return str(error)
        room = f", {free / 2**20:.1f} MiB are free" if free is not None else ""
        return f"{error}: the disk is {'' if full else 'probably '}full{room}; make room and try again"


def _free(folder: Path) -> int | None:
    """The bytes that are free on the disk of a folder; None if nobody can tell."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Dates and times as SQLAlchemy writes them, so that both ways of writing give the same."""
    forms = {pl.Date: "%Y-%m-%d", pl.Datetime: "%Y-%m-%d %H:%M:%S.%6f"}
    return frame.with_columns(
        pl.col(name).dt.strftime(forms[kind.base_type()])
        for name, kind in frame.schema.items()
        if kind.base_type() in forms
    )


def _insert(table: sa.Table, columns: list[str], on: Conflict) -> str:
    names = ", ".join(map(_quoted, columns))
    statement = f"INSERT INTO {_quoted(table.name)} ({names}) VALUES ({', '.join('?' * len(columns))})"
    if on == "fail":
        return statement
    key = [column.name for column in table.primary_key]
    rest = ", ".join(f"{_quoted(name)} = excluded.{_quoted(name)}" for name in columns if name not in key)
    return f"{statement} ON CONFLICT ({', '.join(map(_quoted, key))}) DO {f'UPDATE SET {rest}' if rest else 'NOTHING'}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _engine(url: str) -> sa.Engine:
    """What opens connections. No pool: opening a file is cheap, and nothing is left open when the program ends."""
    return sa.create_engine(url, connect_args={"timeout": PATIENCE_S}, poolclass=sa.pool.NullPool, hide_parameters=True)


def _prepare(connection: Any, _record: Any) -> None:
    """Set up an SQLite connection: readers do not wait for the writer; a commit survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
