"""The records of a workspace: SQL tables, made from their contracts, for what is edited row by row."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from crm.errors import Unusable
from crm.tables import ColumnType, Table

if TYPE_CHECKING:
    import polars as pl

TYPES: dict[ColumnType, type[sa.types.TypeEngine[Any]]] = {
    "boolean": sa.Boolean,
    "int8": sa.SmallInteger,
    "int16": sa.SmallInteger,
    "int32": sa.Integer,
    "int64": sa.BigInteger,
    "float64": sa.Float,
    "string": sa.Text,
    "date": sa.Date,
    "timestamp": sa.DateTime,
}
"""Times are kept in UTC without a zone, as SQLite knows none."""


class Records:
    """The SQL side of a workspace.

    Args:
        file: The SQLite file; made on first use.
        tables: Contracts of all tables; those with the store "records" live here.
    """

    def __init__(self, file: Path, tables: Mapping[str, Table]) -> None:
        self.file = file
        self.contracts = {name: table for name, table in tables.items() if table.store == "records"}
        self.metadata = sa.MetaData()
        for contract in self.contracts.values():
            _define(contract, self.metadata)

    @cached_property
    def engine(self) -> sa.Engine:
        """What opens connections; tables and columns that are missing are made, where the file can be written."""
        if self.read_only:
            return self._engine_that_reads()
        engine = _engine(f"sqlite:///{self.file}")
        sa.event.listen(engine, "connect", _prepare)
        try:
            self.metadata.create_all(engine)
            self._add_columns(engine)
        except sa.exc.DatabaseError as error:
            raise Unusable(f"{self.file} is no database of records: {error.orig}; restore it from a backup") from error
        self.file.chmod(0o600)
        return engine

    def _add_columns(self, engine: sa.Engine) -> None:
        """Add to tables that are there the columns that their contracts have got since; they are null in old rows."""
        with engine.begin() as connection:
            inspector = sa.inspect(connection)
            for table in self.metadata.sorted_tables:
                known = {column["name"] for column in inspector.get_columns(table.name)}
                for column in table.columns:
                    if column.name not in known:
                        name = connection.dialect.identifier_preparer.format_table(table)
                        new = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {new}")

    @property
    def read_only(self) -> bool:
        """Whether the file, or its folder, in which SQLite keeps others beside it, cannot be written."""
        return self.file.exists() and not (os.access(self.file, os.W_OK) and os.access(self.file.parent, os.W_OK))

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

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: all of it is stored, or nothing; what it reads stays true until it has written.

        Raises:
            Unusable: the file, or its folder, cannot be written.
        """
        if self.read_only:
            raise Unusable(f"{self.file} cannot be written; check the permissions of its folder, and the file system")
        with self.engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def table(self, name: str) -> sa.Table:
        """The SQL table of a contract."""
        return self.metadata.tables[name]

    def count(self, name: str) -> int:
        """How many rows a table has."""
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(self.table(name))).scalar_one()

    def frame(self, name: str) -> "pl.DataFrame":
        """A whole table as a frame with the contract's types."""
        import polars as pl

        from crm.schema import polars_schema

        contract = self.contracts[name]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(self.table(name))).all()
        schema = polars_schema(contract)
        naive = {key: pl.Datetime("us") if kind == pl.Datetime("us", "UTC") else kind for key, kind in schema.items()}
        frame = pl.DataFrame([tuple(row) for row in rows], schema=naive, orient="row")
        return frame.with_columns(
            pl.col(key).dt.replace_time_zone("UTC") for key, kind in schema.items() if kind == pl.Datetime("us", "UTC")
        )


def _engine(url: str) -> sa.Engine:
    """What opens connections. No pool: opening a file is cheap, and nothing is left open when the program ends."""
    return sa.create_engine(url, connect_args={"timeout": 30}, poolclass=sa.pool.NullPool)


def _define(contract: Table, metadata: sa.MetaData) -> None:
    columns = [
        sa.Column(column.name, TYPES[column.type], primary_key=column.name in contract.key, autoincrement=False)
        for column in contract.columns
    ]
    sa.Table(contract.name, metadata, *columns)


def _prepare(connection: Any, _record: Any) -> None:
    """Set up an SQLite connection: readers do not wait for the writer; a commit survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
