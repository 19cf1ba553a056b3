"""JSON objects of texts in a column, such as `extras`: taken apart into columns, and put together again.

Keys are in the order of their names, and a value that is null has no key, so equal objects are equal texts; an empty
object is null.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

_KEY: Final = r'"((?:[^"\\]|\\.)*)":"(?:[^"\\]|\\.)*"'
"""A key with its text, as `packed` writes them."""


def keys(objects: pl.Series) -> list[str]:
    """All keys that some object has, sorted."""
    found = objects.drop_nulls().str.replace_all(_KEY, '"$1"').unique().str.extract_all(r'"(?:[^"\\]|\\.)*"')
    names: Iterable[str] = found.explode(empty_as_null=False).unique().to_list()
    return sorted(json.loads(name) for name in names)


def unpacked(objects: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """A column of text for each of the keys, null where an object lacks it.

    Args:
        objects: JSON objects of texts, as `packed` writes them; null is an empty one.
        names: The keys.
    """
    if not names:
        return pl.DataFrame(height=objects.len())
    kind = pl.Struct(dict.fromkeys(names, pl.String))
    return objects.str.json_decode(kind).struct.unnest()  # a field asked for as `*` would mean all


def packed(frame: pl.DataFrame) -> pl.Series:
    """Columns of text as one object a row; null where all are null."""
    columns = sorted(frame.columns)
    if not columns:
        return pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    values = {name: pl.col(str(at)) for at, name in enumerate(columns)}  # `*` and `^a.*$` would mean several columns
    parts = [
        pl.when(value.is_not_null()).then(pl.lit(json.dumps(name, ensure_ascii=False) + ":") + _quoted(value))
        for name, value in values.items()
    ]
    whole = pl.lit("{") + pl.concat_str(parts, separator=",", ignore_nulls=True) + pl.lit("}")
    empty = pl.all_horizontal(value.is_null() for value in values.values())
    numbered = pl.DataFrame([frame[name].alias(str(at)) for at, name in enumerate(columns)])
    return numbered.select(pl.when(~empty).then(whole).alias("object"))["object"]


def _quoted(value: pl.Expr) -> pl.Expr:
    """A text as JSON writes it."""
    return pl.lit('"') + value.str.replace_many(list(_ESCAPES), list(_ESCAPES.values())) + pl.lit('"')


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", **{chr(code): f"\\u{code:04x}" for code in range(0x20)}}


def merged(first: pl.Series, second: pl.Series) -> pl.Series:
    """Objects with the keys of both; where both have one, that of the first counts.

    Args:
        first: Objects, or null.
        second: As many.
    """
    names = sorted({*keys(first), *keys(second)})
    left, right = unpacked(first, names), unpacked(second, names)
    return packed(pl.DataFrame([left[name].fill_null(right[name]) for name in names], height=first.len()))
