"""The records of a workspace: SQL tables, made from their contracts, for what is edited row by row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from crm.errors import Unusable
from crm.storage.base import Conflict, Database
from crm.storage.sqlite import SQLite
from crm.tables import ColumnType, Table

if TYPE_CHECKING:
    import polars as pl

    from crm.secrets import Cipher


class Text(sa.types.TypeDecorator[str]):
    """Texts, compared by their characters' numbers in every database, without NUL, which PostgreSQL refuses."""

    impl = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """The text as it is stored."""
        from crm.storage.rows import INSTEAD_OF_NUL, NUL

        return value.replace(NUL, INSTEAD_OF_NUL) if value is not None and NUL in value else value


TYPES: dict[ColumnType, type[sa.types.TypeEngine[Any]]] = {
    "boolean": sa.Boolean,
    "int8": sa.SmallInteger,
    "int16": sa.SmallInteger,
    "int32": sa.Integer,
    "int64": sa.BigInteger,
    "float64": sa.Float,
    "string": Text,
    "date": sa.Date,
    "timestamp": sa.DateTime,
}
"""Times are kept in UTC without a zone, as SQLite knows none."""

MARKS = sa.Table(
    "crm_marks",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False),
)
"""What all workspaces that share a database must have in common: hashes of their keys, by name."""


class Records:
    """The SQL side of a workspace.

    Args:
        file: The SQLite file; made on first use.
        tables: Contracts of tables; those with the store "records" live here.
        url: A PostgreSQL database that is used instead of the file.
        cipher: Gives what seals and opens values of secret columns; None if there is no key.
        seals: Whether what is written to secret columns is sealed.
        marks: Gives a mark by name of each key that all workspaces which share the database must have.

    Raises:
        Unusable: the URL is none that can be used.
    """

    def __init__(
        self,
        file: Path,
        tables: Mapping[str, Table],
        *,
        url: str | None = None,
        cipher: "Callable[[], Cipher | None]" = lambda: None,
        seals: bool = False,
        marks: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self.file = file
        self.contracts = {name: table for name, table in tables.items() if table.store == "records"}
        self._metadata, self._defining = sa.MetaData(), Lock()
        self.database = _database(file, url)
        self._cipher = cipher
        self._seals = seals
        self._marks = marks

    @property
    def place(self) -> str:
        """Where they are, for messages: the file, or the URL without its password."""
        return self.database.name

    @property
    def shared(self) -> bool:
        """Whether other workspaces may have the same records."""
        return not isinstance(self.database, SQLite)

    @property
    def read_only(self) -> bool:
        """Whether it is known before trying that nothing can be written."""
        return self.database.read_only

    @cached_property
    def engine(self) -> sa.Engine:
        """What opens connections; tables, columns and indexes that are missing are made.

        Raises:
            Unusable: the database cannot be used, or belongs to a workspace with another key.
            Refused: a table is missing, and the database does not let the user make it.
        """
        engine = self.database.engine()
        if not self.read_only:
            with engine.connect() as connection:
                missing = self._missing(connection)
            if missing:
                self._make(engine)
        if self.shared:
            self._check_marks(engine)
        return engine

    def _missing(self, connection: sa.Connection) -> bool:
        known = self.database.known(connection)
        wanted = {(name, each) for name, contract in self.contracts.items() for each in _names(contract)}
        if self.shared:
            wanted |= {(MARKS.name, each.name) for each in MARKS.columns}
        return not wanted <= known

    def _all(self) -> list[sa.Table]:
        return [*map(self.table, sorted(self.contracts)), *([MARKS] if self.shared else [])]

    def _make(self, engine: sa.Engine) -> None:
        """Make what is missing, as the only one who does; columns that are new are null in old rows."""
        with engine.begin() as connection:
            self.database.lock(connection)
            known = self.database.known(connection)
            there = {table for table, _ in known}
            for table in self._all():
                if table.name not in there:
                    table.create(connection)
                    continue
                for column in table.columns:
                    if (table.name, column.name) not in known:
                        name = connection.dialect.identifier_preparer.format_table(table)
                        new = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {new}")
                for index in table.indexes:
                    if (table.name, str(index.name)) not in known:
                        index.create(connection)

    def _check_marks(self, engine: sa.Engine) -> None:
        """See that this workspace has the keys by which the records name people; the first one decides.

        Raises:
            Unusable: it has others.
        """
        for name, mark in self._marks().items():
            with engine.connect() as connection:
                found = _mark(connection, name)
            if found is None:
                with engine.begin() as connection:
                    self.database.lock(connection)
                    found = _mark(connection, name)
                    if found is None:
                        connection.execute(sa.insert(MARKS).values(name=name, mark=mark))
            if found not in (None, mark):
                raise Unusable(
                    f"the records in {self.place} were made with another {name} than this workspace has; give it a "
                    f"copy of the {name} of the workspace that made them"
                )

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction: all of it is stored, or nothing; what it reads stays true until it has written.

        Raises:
            Unusable: the file, or its folder, cannot be written.
            Locked: another run has been writing for long.
        """
        if self.read_only:
            raise Unusable(f"{self.file} cannot be written; check the permissions of its folder, and the file system")
        with self.engine.begin() as connection:
            self.database.lock(connection)
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection that sees all tables as they are now, whatever others write meanwhile."""
        with self.engine.connect() as connection:
            self.database.freeze(connection)
            yield connection

    def table(self, name: str) -> sa.Table:
        """The SQL table of a contract; it is defined when it is first asked for: most commands need few of them."""
        with self._defining:
            found = self._metadata.tables.get(name)
            return _define(self.contracts[name], self._metadata) if found is None else found

    def count(self, name: str, *, connection: sa.Connection | None = None) -> int:
        """How many rows a table has."""
        with self._reading(connection) as reader:
            return reader.execute(sa.select(sa.func.count()).select_from(self.table(name))).scalar_one()

    def frame(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        where: sa.ColumnElement[bool] | None = None,
        connection: sa.Connection | None = None,
    ) -> "pl.DataFrame":
        """Rows of a table as a frame with the contract's types, in no particular order; secrets are opened.

        Args:
            name: The table.
            columns: Names of its columns; all of them if None.
            where: Only rows of which this is true: a condition on `table(name)`.
            connection: Reads through this one, so also what its transaction has written; a new one if None.
        """
        import polars as pl

        parts = list(self.batches(name, columns=columns, where=where, connection=connection))
        return pl.concat(parts) if parts else self._empty(name, columns)

    def _empty(self, name: str, columns: Sequence[str] | None) -> "pl.DataFrame":
        import polars as pl

        from crm.schema import polars_schema

        frame = pl.DataFrame(schema=polars_schema(self.contracts[name]))
        return frame if columns is None else frame.select(columns)

    def batches(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        where: sa.ColumnElement[bool] | None = None,
        order: Sequence[str] = (),
        connection: sa.Connection | None = None,
        raw: bool = False,
    ) -> "Iterator[pl.DataFrame]":
        """The rows that `frame` gives, some thousands at a time; none at all where there are no rows.

        Args:
            name: The table.
            columns: Names of its columns; all of them if None.
            where: Only rows of which this is true.
            order: The columns by which they come sorted; texts by the numbers of their characters.
            connection: Reads through this one, which can do nothing else meanwhile; a new one if None.
            raw: Secrets stay as they are kept: for backups.
        """
        from crm.storage.rows import incoming

        contract, table = self.contracts[name], self.table(name)
        names = [column.name for column in contract.columns] if columns is None else list(columns)
        statement = sa.select(*(table.c[each] for each in names)).order_by(*(table.c[each] for each in order))
        if where is not None:
            statement = statement.where(where)
        with self._reading(connection) as reader, closing(self.database.read(reader, statement)) as parts:
            yield from incoming(contract, names, parts, self._cipher, raw=raw)

    @contextmanager
    def _reading(self, connection: sa.Connection | None) -> Iterator[sa.Connection]:
        if connection is not None:
            yield connection
            return
        with self.engine.connect() as own:
            yield own

    def any_sealed(self) -> bool:
        """Whether a secret value is kept encrypted, and so needs its key."""
        from crm.secrets import PREFIX

        with self.engine.connect() as connection:
            for contract in self.contracts.values():
                for column in (each.name for each in contract.columns if each.secret):
                    value = self.table(contract.name).c[column]
                    if connection.execute(sa.select(sa.literal(1)).where(value.startswith(PREFIX)).limit(1)).first():
                        return True
        return False

    def append(self, connection: sa.Connection, name: str, frame: "pl.DataFrame", *, raw: bool = False) -> None:
        """Add rows; columns that the frame lacks are null.

        Args:
            connection: In a transaction (`begin`).
            name: The table.
            frame: Columns of its contract, in any order.
            raw: Secrets are as they are kept: for what a backup holds.

        Raises:
            IntegrityError: the key of a row is there already.
        """
        self._write(connection, name, frame, "fail", raw=raw)

    def upsert(self, connection: sa.Connection, name: str, frame: "pl.DataFrame") -> None:
        """Add rows; where the key of one is there, its columns replace the old values, and others stay.

        Of several rows with the same key the last one counts.

        Args:
            connection: In a transaction (`begin`).
            name: The table; its contract has a key.
            frame: Columns of its contract, the key's among them, in any order.
        """
        from crm.distinct import all_differ

        key = self.contracts[name].key
        if not all_differ(frame.select(key)):
            frame = frame.unique(key, keep="last", maintain_order=True)
        self._write(connection, name, frame, "update")

    def _write(
        self, connection: sa.Connection, name: str, frame: "pl.DataFrame", on: Conflict, *, raw: bool = False
    ) -> None:
        from crm.storage.rows import outgoing

        rows = outgoing(self.contracts[name], frame, self._cipher() if self._seals else None, raw=raw)
        self.database.write(connection, self.table(name), rows, on)

    def delete(self, connection: sa.Connection, name: str, keys: "pl.DataFrame") -> int:
        """Delete the rows that have, in the columns of `keys`, the values of one of its rows.

        Args:
            connection: In a transaction (`begin`).
            name: The table.
            keys: Some columns of its contract that are not secret; nulls match nothing.

        Returns:
            How many rows are gone.
        """
        from crm.storage.rows import outgoing

        rows = outgoing(self.contracts[name], keys.unique(), None)
        return self.database.delete(connection, self.table(name), rows)


def _database(file: Path, url: str | None) -> Database:
    if url is None:
        return SQLite(file)
    from crm.storage.postgresql import PostgreSQL

    return PostgreSQL(url)


def _mark(connection: sa.Connection, name: str) -> str | None:
    return connection.execute(sa.select(MARKS.c.mark).where(MARKS.c.name == name)).scalar()


def _define(contract: Table, metadata: sa.MetaData) -> sa.Table:
    columns = [
        sa.Column(column.name, TYPES[column.type], primary_key=column.name in contract.key, autoincrement=False)
        for column in contract.columns
    ]
    indexes = [sa.Index(_index(contract, names), *names) for names in contract.indexes]
    return sa.Table(contract.name, metadata, *columns, *indexes)


def _index(contract: Table, columns: Sequence[str]) -> str:
    """The name of an index."""
    return f"ix_{contract.name}_{'_'.join(columns)}"


def _names(contract: Table) -> list[str]:
    """The names of the columns and the indexes of a table."""
    return [*(column.name for column in contract.columns), *(_index(contract, names) for names in contract.indexes)]
