"""JSON objects in a column, as an export or another program has written them -> the one form of `crm.objects`."""

import json
from itertools import pairwise
from typing import Final

import polars as pl

from crm.intake.texts import as_texts, each_in_python
from crm.objects import packed

_TEXT: Final = r'"(?:[^"\\\x00-\x1f]|\\["\\]|\\u00[01][0-9a-f])+"'
_OURS: Final = rf"^\{{{_TEXT}:{_TEXT}(?:,{_TEXT}:{_TEXT})*\}}$"
"""What has that form, apart from the order of its keys."""
_PAIR: Final = rf"({_TEXT}):{_TEXT}"


def objects(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Cells with JSON objects in the one form: keys sorted, texts as values, no empty ones; an empty object is null.

    Returns:
        The objects, null for what is none; and whether each cell is empty.
    """
    texts = as_texts(values).str.strip_chars()
    texts = texts.set((texts == "").fill_null(value=False), None)
    ours = texts.str.contains(_OURS) & _in_order(texts)
    rest = texts.set(ours.fill_null(value=False), None)
    if rest.null_count() == rest.len():
        return texts, texts.is_null()
    found = each_in_python(rest, _canonical)
    good = found.set((found == "").fill_null(value=False), None)
    return texts.zip_with(rest.is_null(), good), texts.is_null() | (found == "").fill_null(value=False)


def _in_order(texts: pl.Series) -> pl.Series:
    """Whether the keys of each are sorted; there are few sets of keys, however many objects."""
    shapes = texts.str.replace_all(_PAIR, "$1")
    told = each_in_python(shapes, lambda shape: "" if _sorted(shape) else None)
    return told.is_not_null()


def _sorted(shape: str) -> bool:
    try:
        keys = json.loads(f"[{shape[1:-1]}]")
    except ValueError:
        return False
    return all(first < second for first, second in pairwise(keys))


def _canonical(text: str) -> str | None:
    """An object in the one form; the empty text for an empty one, None for what is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    texts = {str(key): _text(value) for key, value in found.items()}
    full = {key: value for key, value in texts.items() if key and value}
    return str(packed(pl.DataFrame({key: [value] for key, value in full.items()}))[0] or "") if full else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
