"""What a database of records can do, whichever it is."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Final, Literal, Protocol

import sqlalchemy as sa

from crm.errors import CrmError

if TYPE_CHECKING:
    import polars as pl

Conflict = Literal["fail", "update"]
"""What becomes of a row whose key is there: nothing at all is stored, or its columns replace the old ones."""

PATIENCE_S: Final = 60
"""So long a writer waits for another to end."""

BATCH: Final = 20_000
"""So many rows go to the database, and come from it, at once."""


class Database(Protocol):
    """A database of records.

    Attributes:
        name: How messages call it; never with a password.
    """

    name: str

    @property
    def read_only(self) -> bool:
        """Whether it is known that nothing can be written."""

    def engine(self) -> sa.Engine:
        """What opens connections.

        Raises:
            Unusable: the database cannot be reached, or is none.
        """

    def lock(self, connection: sa.Connection) -> None:
        """Be the only one who writes, until the transaction ends; what was committed before is seen.

        Raises:
            Locked: another one has been writing for longer than `PATIENCE_S`.
        """

    def freeze(self, connection: sa.Connection) -> None:
        """See the database as it is now, until the transaction ends."""

    def known(self, connection: sa.Connection) -> set[tuple[str, str]]:
        """The columns that are there, as table and column, and the indexes, as table and index."""

    def read(
        self, connection: sa.Connection, statement: "sa.Select[tuple[object, ...]]"
    ) -> "Generator[pl.DataFrame, None, None]":
        """What a query finds, at most `BATCH` rows at a time, columns as `crm.storage.rows.incoming` takes them."""

    def write(self, connection: sa.Connection, table: sa.Table, frames: "Iterator[pl.DataFrame]", on: Conflict) -> None:
        """Store rows, all with the same columns, as `crm.storage.rows.outgoing` makes them.

        Raises:
            IntegrityError: the key of a row is there already, and that is not allowed.
        """

    def delete(self, connection: sa.Connection, table: sa.Table, frames: "Iterator[pl.DataFrame]") -> int:
        """Delete the rows that have these values in these columns; returns how many."""

    def explained(self, error: BaseException) -> CrmError | None:
        """What an error of the driver means for the user, in one sentence; None if it is a bug."""


def explain(database: Database, engine: sa.Engine) -> sa.Engine:
    """Have the errors of an engine that a user can do something about raised as what they mean."""

    def handle(context: sa.engine.ExceptionContext) -> None:
        better = database.explained(context.original_exception)
        if better is not None:
            raise better from context.original_exception

    sa.event.listen(engine, "handle_error", handle)
    return engine


_KINDS: Final = ("IntegrityError", "OperationalError", "ProgrammingError", "DataError", "NotSupportedError")


def translated(database: Database, error: BaseException, what: str) -> BaseException:
    """An error of the driver as that of SQLAlchemy, or as the sentence for the user; it quotes no value of a row."""
    better = database.explained(error)
    if better is not None:
        return better
    names = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS]
    kind = getattr(sa.exc, names[0]) if names else sa.exc.DatabaseError
    made: BaseException = kind(what, None, Exception(type(error).__name__), hide_parameters=True)
    return made
