"""Cells as text, for text formats: times as ISO 8601, lists in a row, control characters escaped."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl
    from polars._typing import PolarsDataType

LIST_SEPARATOR: Final = " > "
ISO_FORMAT: Final = "%Y-%m-%dT%H:%M:%S%.f%:z"

_NAMED: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# C0, DEL, C1, line and paragraph separators, and what turns the direction of text around: everything with
# which a hostile log line could rewrite what a terminal shows.
_UNSAFE_CODES: Final = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)


def _escaped(code: int) -> str:
    return _NAMED.get(chr(code)) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


ESCAPES: Final = {chr(code): _escaped(code) for code in _UNSAFE_CODES}
_TRANSLATION: Final = str.maketrans(ESCAPES)


def visible(text: str) -> str:
    r"""`text` with control characters, line breaks and bidi overrides escaped: `\x1b`, `\n`, `\u202e`."""
    return text.translate(_TRANSLATION)


def visible_expr(value: "pl.Expr") -> "pl.Expr":
    """The same as `visible` for an expression of text."""
    return value.str.replace_many(list(ESCAPES), list(ESCAPES.values()))


def safe_for_terminal(frame: "pl.LazyFrame") -> "pl.LazyFrame":
    """`frame` with nothing in its texts (also in lists) or column names that a terminal would obey."""
    import polars as pl

    frame = frame.rename(visible, strict=False)
    exprs = []
    for name, dtype in frame.collect_schema().items():
        if dtype == pl.String:
            exprs.append(visible_expr(pl.col(name)))
        elif dtype == pl.List(pl.String):
            exprs.append(pl.col(name).list.eval(visible_expr(pl.element())))
    return frame.with_columns(exprs) if exprs else frame


def in_zone(frame: "pl.LazyFrame", zone: str) -> "pl.LazyFrame":
    """`frame` with all times (also in lists) in this time zone; a time without a zone is UTC."""
    import polars as pl

    exprs = []
    for name, dtype in frame.collect_schema().items():
        if isinstance(dtype, pl.Datetime):
            exprs.append(_in_zone(pl.col(name), dtype, zone))
        elif isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Datetime):
            exprs.append(pl.col(name).list.eval(_in_zone(pl.element(), dtype.inner, zone)))
    return frame.with_columns(exprs) if exprs else frame


def _in_zone(value: "pl.Expr", dtype: "pl.Datetime", zone: str) -> "pl.Expr":
    aware = value if dtype.time_zone else value.dt.replace_time_zone("UTC")
    return aware.dt.convert_time_zone(zone)


def json_ready(frame: "pl.LazyFrame") -> "pl.LazyFrame":
    """`frame` with numbers, booleans, texts, lists and structs as they are, all else as text."""
    import polars as pl

    exprs = []
    for name, dtype in frame.collect_schema().items():
        if isinstance(dtype, pl.List) and not _json_knows(inner := _dtype(dtype.inner)):
            exprs.append(pl.col(name).list.eval(text(pl.element(), inner)))
        elif not _json_knows(dtype):
            exprs.append(text(pl.col(name), dtype))
    return frame.with_columns(exprs) if exprs else frame


def _json_knows(dtype: "pl.DataType") -> bool:
    import polars as pl

    return dtype.is_nested() or dtype.is_integer() or dtype.is_float() or dtype in (pl.Boolean, pl.String, pl.Null)


def flat(frame: "pl.LazyFrame") -> "pl.LazyFrame":
    """`frame` with numbers and booleans as they are and all else as text, lists joined by ` > `."""
    import polars as pl

    exprs = [
        text(pl.col(name), dtype)
        for name, dtype in frame.collect_schema().items()
        if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.String))
    ]
    return frame.with_columns(exprs) if exprs else frame


def text(value: "pl.Expr", dtype: "pl.DataType") -> "pl.Expr":
    """`value` of this type as text: times in ISO 8601 with offset, bytes in hex, a struct as JSON."""
    import polars as pl

    if isinstance(dtype, pl.Datetime):
        return (value if dtype.time_zone else value.dt.replace_time_zone("UTC")).dt.to_string(ISO_FORMAT)
    if isinstance(dtype, pl.List):
        return value.list.eval(text(pl.element(), _dtype(dtype.inner)).fill_null("")).list.join(LIST_SEPARATOR)
    if isinstance(dtype, pl.Array):
        return text(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return value.struct.json_encode()
    if isinstance(dtype, pl.Duration):
        return value.dt.to_string("iso")
    if dtype == pl.Binary:
        return value.bin.encode("hex")
    return value.cast(pl.String)


def _dtype(inner: "PolarsDataType") -> "pl.DataType":
    """The type inside a list, where Polars also allows the class of a type."""
    return inner() if isinstance(inner, type) else inner
