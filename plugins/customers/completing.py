"""Rows from files -> rows with keys: ids for customers and orders that come without one, lines for those of an order.

An id that is made is made of what the row says, so that importing a file again finds the same customers and orders.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from crm.workspace import Workspace

_IDENTITY: Final = (("idnumber",), ("phone", "name"), ("email", "name"), ("login",))
"""What a customer without an id is known by: the first that the row has all of, else everything that it says."""

_SIGN: Final = "\x1f"
_LETTERS: Final = 16


def customer_ids(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Customers, each with an id; those who have none get one that begins with `c-`."""
    if not rows["customer"].has_nulls():
        return rows
    need = rows["customer"].is_null()
    named = rows.filter(need).with_columns(
        pl.coalesce("name", pl.concat_str("family", "given", separator=" ", ignore_nulls=True)).alias("name")
    )
    ways = [pl.concat_str(pl.lit(way[0]), *way, separator=_SIGN) for way in _IDENTITY]
    texts = named.select(pl.coalesce(*ways, _everything(named)).alias("text"))["text"]
    return _filled(rows, "customer", need, _made(workspace.key, "c-", texts))


def order_ids(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Orders, each line with an id and a number; those without an id get one that begins with `o-`.

    Lines without a number are counted in the order of the file. Equal rows without an id are different orders.
    """
    need = rows["order_id"].is_null()
    if need.any():
        named = rows.filter(need)
        text = named.select(_everything(named).alias("text"))
        nth = text.select(pl.int_range(pl.len()).over("text").cast(pl.String))
        texts = (text["text"] + _SIGN + nth.to_series()).alias("text")
        rows = _filled(rows, "order_id", need, _made(workspace.key, "o-", texts))
    if rows["line"].has_nulls():
        counted = pl.int_range(1, pl.len() + 1).over("order_id").cast(pl.Int32)
        rows = rows.with_columns(pl.col("line").fill_null(counted))
    return rows


def as_they_are(_workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a table whose keys cannot be made."""
    return rows


def _everything(rows: pl.DataFrame) -> pl.Expr:
    """All that a row says, but not how it was written and where it is from."""
    columns = [name for name in rows.columns if name not in ("original", "source", "row")]
    return pl.concat_str(
        [pl.lit("all"), *(pl.col(name).cast(pl.String).fill_null("") for name in columns)], separator=_SIGN
    )


def _made(key: bytes, begin: str, texts: pl.Series) -> pl.Series:
    ids = [begin + blake2b(text.encode(), digest_size=_LETTERS // 2, key=key).hexdigest() for text in texts]
    return pl.Series(ids, dtype=pl.String)


def _filled(rows: pl.DataFrame, column: str, need: pl.Series, values: pl.Series) -> pl.DataFrame:
    """The rows with values where they are needed."""
    at = need.arg_true()
    return rows.with_columns(rows[column].scatter(at, values))
