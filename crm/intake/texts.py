"""Cells of any type -> clean texts: one form of each sign, no control characters, one blank between words."""

from collections.abc import Callable
from typing import Final

import polars as pl

_CLEAN: Final = r"^[!-~\x{4e00}-\x{9fff}]+(?: [!-~\x{4e00}-\x{9fff}]+)*$"
"""What is clean already: ordinary ASCII and Chinese characters, one blank between words."""

_UNSEEN: Final = r"[[\p{Cf}\p{Cc}]--\s]"
"""Zero-width signs, byte-order marks and control characters that are no white space."""

_GUARD: Final = r"^'+([=+\-@])"
"""What files carry that were made harmless for spreadsheets."""

NOTHING: Final = ("", "-", "--", "/", "n/a", "#n/a", "\\n")
"""Texts that say that there is nothing, in small letters."""

UNKNOWN: Final = (
    *("null", "nan", "nat", "none", "nil", "na", "unknown", "not available", "?"),
    *("无", "没有", "空", "暂无", "未知", "未填", "未填写", "不详", "保密"),
)
"""More of these, where no name and no free text is expected."""


def as_texts(values: pl.Series) -> pl.Series:
    """Cells as texts: whole numbers without the `.0` that spreadsheets add, lists and structs as JSON; null stays."""
    kind = values.dtype
    if kind == pl.String:
        return values
    if kind.is_float():
        whole = values.cast(pl.Int64, strict=False)
        same = whole.cast(kind) == values
        return whole.cast(pl.String).zip_with(same.fill_null(value=False), values.cast(pl.String))
    if kind.is_nested():
        return _json(values)
    if kind == pl.Binary:
        return values.cast(pl.String, strict=False)
    return values.cast(pl.String)


def _json(values: pl.Series) -> pl.Series:
    """Nested cells as JSON; null where the cell is null."""
    if isinstance(values.dtype, pl.Struct):
        text = values.struct.json_encode()
    else:
        inside = values.alias("x").to_frame().select(pl.struct("x").struct.json_encode())
        text = inside.to_series().str.slice(len('{"x":')).str.head(-1)
    return text.zip_with(values.is_not_null(), pl.Series([None], dtype=pl.String))


def clean(texts: pl.Series) -> pl.Series:
    """Texts in NFKC without what cannot be seen, white space in runs of one blank, none at the ends; empty is null.

    A `'` before = + - @ at the beginning goes: it was put there for a spreadsheet.
    """
    dirty = ~texts.str.contains(_CLEAN)
    if not dirty.any():
        return unguarded(texts)
    rest = texts.filter(dirty)
    found = rest.str.replace_all(_UNSEEN, "").str.normalize("NFKC").str.replace_all(r"\s+", " ").str.strip_chars()
    found = found.set(found == "", None)
    return unguarded(texts.clone().scatter(dirty.arg_true(), found))  # `scatter` works in place


def unguarded(texts: pl.Series) -> pl.Series:
    """Texts without the `'` that was put before = + - @ for a spreadsheet."""
    guarded = texts.str.starts_with("'")
    return texts.str.replace(_GUARD, "$1") if guarded.any() else texts


def without(texts: pl.Series, words: tuple[str, ...]) -> pl.Series:
    """Texts with null where they are one of these words, whatever the case."""
    short = texts.str.len_chars() <= max(map(len, words))
    if not short.any():
        return texts
    gone = texts.str.to_lowercase().is_in(words)
    return texts.set(gone.fill_null(value=False), None)


def each_once(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What is read from texts, worked out once for each distinct one.

    Args:
        texts: Texts; null gives null.
        read: Gives for distinct texts as many values.
    """
    known = texts.drop_nulls().unique(maintain_order=True)
    values = read(known)
    table = pl.DataFrame([known.alias("text"), values.alias("value")])
    return texts.alias("text").to_frame().join(table, on="text", how="left", maintain_order="left")["value"]


def each_in_python(texts: pl.Series, read: Callable[[str], str | None]) -> pl.Series:
    """The same for a function of one text."""
    return each_once(texts, lambda known: pl.Series([read(text) for text in known], dtype=pl.String))


def read_rest(texts: pl.Series, values: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Values, with those filled in that a quick way has not found.

    Args:
        texts: Texts of shape (n,).
        values: What has been found; null where nothing was.
        read: Gives values for texts.
    """
    rest = values.is_null() & texts.is_not_null()
    if not rest.any():
        return values
    return values.clone().scatter(rest.arg_true(), read(texts.filter(rest)))  # `scatter` works in place
