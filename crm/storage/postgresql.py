"""Records in PostgreSQL: a database that a team shares."""

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import sqlalchemy as sa

from crm.errors import CrmError, Locked, Refused, Unusable
from crm.storage.base import BATCH, PATIENCE_S, Conflict, explain, translated
from crm.storage.rows import INSTEAD_OF_NUL, NUL

if TYPE_CHECKING:
    import psycopg

DRIVER: Final = "postgresql+psycopg"
SCHEMES: Final = ("postgresql", DRIVER, "postgres")

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('crm'), hashtext(current_schema()::text))"
_KNOWN: Final = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT tablename, indexname FROM pg_indexes WHERE schemaname = current_schema()
"""
_SETTINGS: Final = "SET TIME ZONE 'UTC'; SET DateStyle TO ISO, YMD"
_NEW: Final = "crm_new"
"""The temporary table to which rows go before they are put to those that are there."""

_FORBIDDEN, _LOCK_TIMEOUT = "42501", "55P03"
_NO_SCHEMA: Final = "3F000"


class PostgreSQL:
    """A database on a server.

    Args:
        url: As the user gives it: `postgresql://user@host/database`.

    Raises:
        Unusable: it is no such URL, or the driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)
        self.name = self._url.set(drivername="postgresql").render_as_string(hide_password=True)

    @property
    def read_only(self) -> bool:
        """What may be written is for the server to say."""
        return False

    def engine(self) -> sa.Engine:
        """What opens connections. No pool: a command makes few, and nothing is left open when the program ends.

        Raises:
            Unusable: the server cannot be reached or does not let the user in, or the database is none for this.
        """
        engine = sa.create_engine(
            self._url,
            poolclass=sa.pool.NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": 10, "client_encoding": "utf8", "application_name": "crm"},
        )
        explain(self, engine)
        sa.event.listen(engine, "connect", _prepare)
        with engine.connect() as connection:
            encoding, schema = connection.exec_driver_sql(
                "SELECT current_setting('server_encoding'), current_schema()"
            ).one()
        if encoding != "UTF8":
            raise Unusable(f"the database {self.name} has the encoding {encoding}; make one with the encoding UTF8")
        if schema is None:
            raise Unusable(f"the database {self.name} has no schema for {self._url.username}; see its search_path")
        return engine

    def lock(self, connection: sa.Connection) -> None:
        """Be the only one who writes, until the transaction ends; what was committed before is seen."""
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
        connection.exec_driver_sql(_LOCK)

    def freeze(self, connection: sa.Connection) -> None:
        """See the database as it is now, and change nothing."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.exec_driver_sql("SELECT 1")

    def known(self, connection: sa.Connection) -> set[tuple[str, str]]:
        """Tables, also views in their places, with their columns and indexes."""
        return {(table, name) for table, name in connection.exec_driver_sql(_KNOWN)}

    def read(
        self, connection: sa.Connection, statement: "sa.Select[tuple[object, ...]]"
    ) -> Generator[pl.DataFrame, None, None]:
        """What a query finds, by COPY; all columns as texts.

        It holds the connection until it ends or is closed; to close the connection before that would wait for ever.
        """
        count = len(statement.selected_columns)
        if count == 1:
            # A null alone in its line would be an empty line, which readers of CSV pass over.
            statement = statement.add_columns(sa.literal_column("1"))
        compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        wanted = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
        schema = {str(n): pl.String for n in range(len(statement.selected_columns))}
        with closing(self._copied(connection, wanted, compiled.params)) as texts:
            for text in texts:
                part = pl.read_csv(text, has_header=False, schema=schema, infer_schema=False)
                yield part[:, :count]

    def _copied(self, connection: sa.Connection, wanted: str, values: dict[str, Any]) -> Generator[bytes, None, None]:
        """The lines of a COPY, `BATCH` rows at a time: the server sends each row by itself."""
        import psycopg

        # COPY takes no parameters, so the driver puts them in. It undoubles %% only where there are some.
        given = {
            name: value.replace(NUL, INSTEAD_OF_NUL) if isinstance(value, str) else value
            for name, value in values.items()
        }
        try:
            with _driver(connection).cursor() as cursor, cursor.copy(wanted.encode(), {**given, "": None}) as copy:
                lines: list[bytes] = []
                for line in copy:
                    lines.append(bytes(line))
                    if len(lines) == BATCH:
                        yield b"".join(lines)
                        lines = []
                if lines:
                    yield b"".join(lines)
        except psycopg.Error as error:
            raise translated(self, error, "reading rows") from None

    def write(self, connection: sa.Connection, table: sa.Table, frames: Iterator[pl.DataFrame], on: Conflict) -> None:
        """Store rows by COPY: into the table itself, or into a temporary one that is then put to it."""
        name = _quoted(table.name)
        if on == "fail":
            self._load(connection, name, frames)
            return

        def put(columns: list[str]) -> str:
            names, key = _names(columns), [column.name for column in table.primary_key]
            rest = ", ".join(f"{_quoted(each)} = excluded.{_quoted(each)}" for each in columns if each not in key)
            does = f"UPDATE SET {rest}" if rest else "NOTHING"
            return f"INSERT INTO {name} ({names}) SELECT {names} FROM {_NEW} ON CONFLICT ({_names(key)}) DO {does}"

        self._through(connection, name, frames, put)

    def delete(self, connection: sa.Connection, table: sa.Table, frames: Iterator[pl.DataFrame]) -> int:
        """Delete the rows that have these values in these columns."""
        name = _quoted(table.name)

        def gone(columns: list[str]) -> str:
            same = " AND ".join(f"t.{_quoted(each)} = n.{_quoted(each)}" for each in columns)
            return f"DELETE FROM {name} t USING {_NEW} n WHERE {same}"

        return self._through(connection, name, frames, gone)

    def _through(
        self,
        connection: sa.Connection,
        table: str,
        frames: Iterator[pl.DataFrame],
        statement: Callable[[list[str]], str],
    ) -> int:
        """Put rows into a temporary table, run a statement with it, and say how many rows that concerned."""
        first = next(frames, None)
        if first is None:
            return 0

        def all_of_them() -> Iterator[pl.DataFrame]:
            yield first
            yield from frames

        names = _names(first.columns)
        self._run(connection, f"CREATE TEMP TABLE {_NEW} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
        self._load(connection, _NEW, all_of_them())
        self._run(connection, f"ANALYZE {_NEW}")
        count = self._run(connection, statement(first.columns))
        self._run(connection, f"DROP TABLE {_NEW}")
        return count

    def _run(self, connection: sa.Connection, statement: str) -> int:
        import psycopg

        try:
            return _driver(connection).execute(statement.encode()).rowcount
        except psycopg.Error as error:
            raise translated(self, error, "writing rows") from None

    def _load(self, connection: sa.Connection, table: str, frames: Iterator[pl.DataFrame]) -> None:
        import psycopg

        first = next(frames, None)
        if first is None:
            return
        statement = f"COPY {table} ({_names(first.columns)}) FROM STDIN (FORMAT csv)"
        try:
            with _driver(connection).cursor() as cursor, cursor.copy(statement.encode()) as copy:
                copy.write(_csv(first))
                for frame in frames:
                    copy.write(_csv(frame))
        except psycopg.Error as error:
            raise translated(self, error, "writing rows") from None

    def explained(self, error: BaseException) -> CrmError | None:
        """A server that cannot be reached or refuses, and what the user may not do."""
        import psycopg

        if not isinstance(error, psycopg.Error):
            return None
        said = self._said(error)
        if error.sqlstate == _FORBIDDEN:
            return Refused(f"the database {self.name} does not let {self._url.username or 'you'} do this: {said}")
        if error.sqlstate == _LOCK_TIMEOUT:
            return Locked(f"another run has been writing to {self.name} for long; try again when it has ended")
        if isinstance(error, psycopg.OperationalError):
            return Unusable(f"the database {self.name} cannot be used: {said}")
        return None

    def _said(self, error: "psycopg.Error") -> str:
        """What the server or its driver says, in one line, without the password."""
        lines = (error.diag.message_primary or str(error)).splitlines() or [type(error).__name__]
        text = lines[0].strip()
        password = self._url.password
        return text.replace(str(password), "***") if password else text


def _checked(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise Unusable(
            "`records.url` in the configuration is no URL; it should look like postgresql://user@host/database"
        ) from None
    if parsed.drivername not in SCHEMES:
        raise Unusable(
            f"`records.url` in the configuration begins with {parsed.drivername}://, and records are kept in "
            "PostgreSQL (postgresql://user@host/database) or, without it, in the workspace"
        )
    try:
        import psycopg
    except ImportError:
        raise Unusable("records in PostgreSQL need the package psycopg: pip install 'crm-toolkit[postgres]'") from None
    del psycopg
    return parsed.set(drivername=DRIVER)


def _prepare(connection: "psycopg.Connection[Any]", _record: Any) -> None:
    """Set up a connection: times are in UTC, and dates are written as ISO 8601 says."""
    connection.autocommit = True
    connection.execute(_SETTINGS)
    connection.autocommit = False


def _driver(connection: sa.Connection) -> "psycopg.Connection[Any]":
    """The driver's own connection, for what SQLAlchemy has no words for."""
    return connection.connection.driver_connection  # type: ignore[return-value]  # typed as any driver's


def _csv(frame: pl.DataFrame) -> bytes:
    """Rows as PostgreSQL reads them; every text is quoted, so that none of them is null or the end of the data."""
    out = io.BytesIO()
    frame.write_csv(
        out,
        include_header=False,
        quote_style="non_numeric",
        datetime_format="%Y-%m-%d %H:%M:%S%.6f",
        date_format="%Y-%m-%d",
    )
    return out.getvalue()


def _names(columns: list[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
