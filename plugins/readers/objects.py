"""json (an array of objects) and ndjson (an object a line): objects within objects become columns `outer.inner`.

Values that agree in their type make a column of it; others make a column of text.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from crm.content import Content, Read
from crm.errors import Unusable
from plugins.readers import naming
from plugins.readers.rejects import of_reasons

_DEEPEST: Final = 32
_CHUNK: Final = 1 << 22
_NO_OBJECT: Final = "holds no object"
_LONE: Final = re.compile(rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|\\u[dD][c-fC-F]")
"""Half a character, which Polars reads as another one; whole ones are also found, and read the slow way."""


def read_json(content: Content) -> Read:
    """The table of a JSON array of objects; a file that is ndjson after all is read as that.

    Raises:
        UsageError: the user has named a separator or a sheet, or an encoding that there is not.
        Unusable: it is no array of objects.
    """
    content.without(separator=content.separator, sheet=content.sheet)
    data = content.text.data
    if not data or data.isspace():
        raise Unusable(f"{content.name}: it is empty; expected an array of objects")
    if data.lstrip()[:1] == b"{" and _is_lines(data):
        return read_ndjson(content)
    frame = _quickly(pl.read_json, data) if data.lstrip()[:1] == b"[" else None
    return _named(content, frame if frame is not None else _frame(_objects(data, content.name)))


def read_ndjson(content: Content) -> Read:
    """The table of a text with an object a line; empty lines are none, other lines are set aside.

    Raises:
        UsageError: the user has named a separator or a sheet, or an encoding that there is not.
        Unusable: it is no text.
    """
    content.without(separator=content.separator, sheet=content.sheet)
    data = content.text.data
    if not data or data.isspace():
        return _named(content, pl.DataFrame())
    frame = _quickly(pl.read_ndjson, data)
    if frame is not None:
        return _named(content, frame)
    rejects: list[tuple[int, int | None, str, str]] = []
    frame = _frame(list(_lines(data, rejects)))
    return _named(content, frame, of_reasons(rejects))


def _quickly(read: Callable[..., pl.DataFrame], data: bytes) -> pl.DataFrame | None:
    """What Polars reads at once; None for what it cannot read, or not rightly."""
    if _is_deep(data) or (b"\\u" in data and _LONE.search(data)):
        return None
    try:
        return read(io.BytesIO(data), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _is_deep(data: bytes) -> bool:
    """Whether objects and lists may stand too deep within each other for Polars, which takes exponential time then.

    Brackets in texts count as well, so that a text that is not deep may be taken for one, which is read, too.
    """
    steps = np.zeros(256, np.int8)
    steps[list(b"{[")], steps[list(b"}]")] = 1, -1
    depth = 0
    for at in range(0, len(data), _CHUNK):
        depths = np.cumsum(steps[np.frombuffer(data[at : at + _CHUNK], np.uint8)], dtype=np.int64) + depth
        if depths.max() > _DEEPEST:
            return True
        depth = int(depths[-1])
    return False


def _is_lines(data: bytes) -> bool:
    """Whether the first line of a text is an object of its own, and more follow."""
    first, _, rest = data.strip().partition(b"\n")
    if not rest:
        return False
    try:
        return isinstance(msgspec.json.decode(first), dict)
    except msgspec.DecodeError:
        return False


def rows_in(found: Any) -> Any:
    """Where the rows of a document are: of a mapping its only list, as programs answer, else it is the one row."""
    if not isinstance(found, dict):
        return found
    lists = [value for value in found.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else [found]


def _objects(data: bytes, name: str) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unusable(f"{name}: it is no JSON: {error}") from error
    found = rows_in(found)
    if not isinstance(found, list):
        raise Unusable(f"{name}: expected an array of objects, and it holds something else")
    wrong = next((number for number, item in enumerate(found, start=1) if not isinstance(item, dict)), None)
    if wrong is not None:
        raise Unusable(f"{name}: expected an array of objects, and its item {wrong:,} is none")
    return found


def _lines(data: bytes, rejects: list[tuple[int, int | None, str, str]]) -> Iterator[dict[str, Any]]:
    decoder = msgspec.json.Decoder()
    row = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line or line.isspace():
            continue
        row += 1
        try:
            found = decoder.decode(line)
            reason = "" if isinstance(found, dict) else _NO_OBJECT
        except (msgspec.DecodeError, RecursionError) as error:
            found, reason = None, f"is no JSON: {error}"
        if reason:
            rejects.append((row, number, reason, line.decode().rstrip("\r")))
        else:
            yield found


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows whose values may be of any type."""
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return pl.DataFrame({name: _series(name, [row.get(name) for row in flat]) for name in names})


def _flat(row: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}", None if value == {} else value


def _series(name: str, values: list[Any]) -> pl.Series:
    """A column of the values' type, of texts where they have several or are lists."""
    kinds = {type(value) for value in values if value is not None}
    if (kinds <= {int, float} or len(kinds) == 1) and not kinds & {list, dict}:
        try:
            return pl.Series(name, values, None if kinds else pl.String)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, OverflowError):
            pass
    return pl.Series(name, [_as_text(value) for value in values], pl.String)


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)


def _named(content: Content, frame: pl.DataFrame, rejects: pl.DataFrame | None = None) -> Read:
    """Objects within objects as columns of their own, as deep as they go, under names of their own."""
    columns = list(_leaves(frame.get_columns()))
    names, warnings = naming.columns(column.name for column in columns)
    found = pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])
    found = found.with_columns(pl.selectors.by_dtype(pl.Null).cast(pl.String))
    return Read(found, rejects, content.text.said, (*content.text.warnings, *warnings))


def _leaves(columns: Iterable[pl.Series]) -> Iterator[pl.Series]:
    for column in columns:
        if not isinstance(column.dtype, pl.Struct):
            yield column
        elif not column.dtype.fields:
            yield pl.Series(column.name, [None] * len(column), pl.String)
        else:
            inner = column.struct.unnest().get_columns()
            yield from _leaves(each.alias(f"{column.name}.{each.name}") for each in inner)
