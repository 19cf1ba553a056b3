"""Rows between frames with a contract's types and databases: types, values that no database holds, secrets."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.errors import Unusable
from crm.schema import polars_schema
from crm.secrets import PREFIX as SEALED
from crm.storage.base import BATCH
from crm.tables import Table

if TYPE_CHECKING:
    from crm.secrets import Cipher

NUL: Final = "\0"
INSTEAD_OF_NUL: Final = "\ufffd"
"""PostgreSQL holds no text with a NUL, so neither engine gets one: it becomes the replacement character."""

_PLAIN: Final = "enc0:"
"""Before a text that is not sealed and yet begins as if it were, or as if it had this before it."""

_LOOKS_SEALED: Final = r"^enc[01]:"
_UTC: Final = pl.Datetime("us", "UTC")


def outgoing(
    contract: Table, frame: pl.DataFrame, cipher: "Cipher | None", *, raw: bool = False
) -> Iterator[pl.DataFrame]:
    """Rows as databases take them, in slices: times in UTC without a zone, texts without NUL, secrets sealed.

    Args:
        contract: The table's.
        frame: Columns of the contract, not necessarily all; a number that is none (NaN) becomes null.
        cipher: Seals the columns that are secret; None leaves them readable.
        raw: They come from a database, and secrets are sealed already or need not be.

    Raises:
        ColumnNotFoundError: a column is not in the contract.
    """
    schema = polars_schema(contract)
    unknown = [name for name in frame.columns if name not in schema]
    if unknown:
        raise pl.exceptions.ColumnNotFoundError(f"the table {contract.name} has no column {', '.join(unknown)}")
    secret = [column.name for column in contract.columns if column.secret and column.name in frame.columns]
    for part in frame.iter_slices(BATCH):
        plain = part.select(_out(name, part.schema[name], schema[name]) for name in part.columns)
        yield plain if raw else plain.with_columns(_closed(plain[name], cipher) for name in secret)


def _out(name: str, kind: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if wanted == _UTC:
        if isinstance(kind, pl.Datetime):
            value = value.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else value
        return value.cast(pl.Datetime("us"))
    value = value.cast(wanted)
    if wanted == pl.String:
        return value.str.replace_all(NUL, INSTEAD_OF_NUL, literal=True)
    return value.fill_nan(None) if wanted == pl.Float64 else value


def _closed(values: pl.Series, cipher: "Cipher | None") -> pl.Series:
    """Sealed by the cipher; without one, marked where a reader would take it for sealed."""
    if cipher is not None:
        return pl.Series(values.name, cipher.seal(values), dtype=pl.String)
    alike = values.str.contains(_LOOKS_SEALED)
    if not alike.any():
        return values
    return pl.select(pl.when(alike).then(_PLAIN + values).otherwise(values).alias(values.name)).to_series()


def incoming(
    contract: Table,
    columns: Sequence[str],
    parts: Iterable[pl.DataFrame],
    cipher: "Callable[[], Cipher | None]",
    *,
    raw: bool = False,
) -> Iterator[pl.DataFrame]:
    """Rows of databases with the contract's types, secrets opened.

    Args:
        contract: The table's.
        columns: The names of the columns.
        parts: Rows; dates and times may be ISO 8601 texts, numbers texts, booleans numbers or texts.
        cipher: Gives what opens sealed values; it is asked once there are some.
        raw: Secrets stay as they are kept.

    Raises:
        Unusable: there are sealed values and no key.
    """
    schema = polars_schema(contract)
    secret = [column.name for column in contract.columns if column.secret and column.name in columns]
    for part in parts:
        part.columns = list(columns)
        typed = part.select(_in(name, part.schema[name], schema[name]) for name in columns)
        yield typed if raw else typed.with_columns(_opened(contract.name, typed[name], cipher) for name in secret)


def _in(name: str, kind: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if kind == wanted:
        return value
    if kind != pl.String:
        return value.cast(wanted)
    if wanted == _UTC:
        return value.str.strptime(pl.Datetime("us"), "%Y-%m-%d %H:%M:%S%.f").dt.replace_time_zone("UTC")
    if wanted == pl.Date:
        return value.str.strptime(pl.Date, "%Y-%m-%d")
    return value == "t" if wanted == pl.Boolean else value.cast(wanted)


def _opened(table: str, values: pl.Series, cipher: "Callable[[], Cipher | None]") -> pl.Series:
    marked = values.str.contains(_LOOKS_SEALED)
    if not marked.any():
        return values
    sealed = values.str.starts_with(SEALED).fill_null(False)
    if sealed.any():
        key = cipher()
        if key is None:
            raise Unusable(
                f"values of `{values.name}` in the table {table} are encrypted, and the file of the key is missing; "
                "restore it, or name it in the configuration (`protection.key_file`)"
            )
        where = sealed.arg_true()
        values = values.scatter(where, pl.Series(key.open(values.gather(where)), dtype=pl.String))
    plain = pl.when(~sealed & values.str.starts_with(_PLAIN)).then(values.str.strip_prefix(_PLAIN)).otherwise(values)
    return pl.select(plain.alias(values.name)).to_series()
