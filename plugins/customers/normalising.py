"""Values of people's records in one way of writing, so that equal ones are equal: Polars expressions.

All are texts in NFKC (full-width digits and letters become ordinary ones); what is empty, or only says that nothing
is known, becomes null.
"""

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from plugins.customers.linkage_columns import FIELDS, Kind
from plugins.customers.pinyin import reading

NAMES: Final = ("given", "family")
"""The columns that names come out in, whether they were in one column or in two."""

_NOTHING: Final = (
    *("", "-", "--", ".", "?", "n/a", "na", "nan", "nil", "none", "null", "unknown", "not available"),
    *("无", "没有", "空", "暂无", "未知", "未填写", "不详", "保密"),
)
_TITLES: Final = r"(?:\b(?:mr|mrs|ms|miss|dr|prof)\b\.?)|(?:先生|女士|小姐|老师)$"
_SEXES: Final = {
    **dict.fromkeys(("m", "male", "man", "男", "男性", "先生", "mr"), "m"),
    **dict.fromkeys(("f", "female", "woman", "女", "女性", "女士", "小姐", "ms", "mrs", "miss"), "f"),
}
_COMPOUND: Final = (
    "欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|司空|"
    "端木|独孤|南宫|轩辕|百里|呼延|东郭|西门|闻人|澹台|申屠|太史|公羊|钟离"
)
_COUNTRY: Final = r"^(?:\+|00)(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})0?"
"""A country's calling code, and the zero that some write behind it; without brackets, blanks and dashes."""

_YMD: Final = r"^(?P<y>\d{4})\D{1,2}(?P<m>\d{1,2})\D{1,2}(?P<d>\d{1,2})(?:\D.*)?$"
_DMY: Final = r"^(?P<a>\d{1,2})\D(?P<b>\d{1,2})\D(?P<y>\d{4})(?:\D.*)?$"


def normalised(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """The values to compare.

    Args:
        frame: A record a row.
        columns: Field and column.

    Returns:
        As many rows; a text column a field, in the order of `FIELDS`. A full name comes out as `given` and `family`,
        and each of these has a column with its reading beside it: `given_read`, `family_read`.
    """
    kinds = {field.name: field.kind for field in FIELDS}
    found = frame.select(_WAYS[kinds[field]](_text(frame, column)).alias(field) for field, column in columns.items())
    if "name" in found.columns:
        family, given = _split(pl.col("name"))
        halves = found.select(given.alias("given"), family.alias("family"))
        own = [pl.coalesce(pl.col(part), halves[part]) if part in columns else halves[part] for part in NAMES]
        found = found.with_columns(own).drop("name")
    parts = [part for part in NAMES if part in found.columns]
    found = found.with_columns(_bare(pl.col(part)) for part in parts)
    order = [field.name for field in FIELDS if field.name in found.columns]
    return found.select(*order, *(reading(found[part]).alias(f"{part}_read") for part in parts))


def _text(frame: pl.DataFrame, column: str) -> pl.Expr:
    """A column as text: a number without the `.0` that spreadsheets add, a time without anything else."""
    kind, value = frame.schema[column], pl.col(column)
    if kind.is_nested() or kind == pl.Binary:
        return pl.lit(None, dtype=pl.String).repeat_by(pl.len()).explode()  # nothing that can be compared
    text = value.cast(pl.String)
    text = text.str.normalize("NFKC").str.strip_chars().str.replace(r"^'", "").str.replace(r"^(\d+)\.0$", "$1")
    return pl.when(text.str.to_lowercase().is_in(_NOTHING).not_()).then(text)


def _bare(text: pl.Expr) -> pl.Expr:
    """Nothing but letters and digits; null where that is nothing."""
    bare = text.str.replace_all(r"[^\p{L}\p{N}]+", "")
    return pl.when(bare != "").then(bare)


def _plain(text: pl.Expr) -> pl.Expr:
    """Small letters without accents."""
    return text.str.normalize("NFKD").str.replace_all(r"\p{Mn}", "").str.normalize("NFKC").str.to_lowercase()


def name(text: pl.Expr) -> pl.Expr:
    """A name: small letters without accents and titles; one space between its parts, the comma of `Li, Wei` stays."""
    plain = _plain(text).str.replace_all(_TITLES, " ").str.replace_all(r"['’`]", "").str.replace_all("，", ",")
    clean = plain.str.replace_all(r"[^\p{L}\p{N},]+", " ").str.replace_all(r" *, *", ",").str.strip_chars(" ,")
    return pl.when(clean != "").then(clean)


def _split(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Family and given name of a full one.

    Before a comma stands the family name. A Chinese name begins with it: two characters if it is one of the known
    compound ones, else one. Else it is the last word.
    """
    chinese = text.str.contains(r"^[\p{Han} ]+$")
    joined = text.str.replace_all(" ", "")
    ways = (
        (text.str.contains(","), text, r"^([^,]*),", r"^[^,]*,(.*)$"),
        (chinese, joined, rf"^((?:{_COMPOUND})|.)", rf"^(?:(?:{_COMPOUND})|.)(.+)$"),
    )
    family, given = text.str.extract(r"(\S+)$"), text.str.extract(r"^(.*) \S+$")
    for case, value, first, second in ways:
        family = pl.when(case).then(value.str.extract(first)).otherwise(family)
        given = pl.when(case).then(value.str.extract(second)).otherwise(given)
    return _full(family), _full(given)


def _full(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.strip_chars() != "").then(text.str.strip_chars())


def plain(text: pl.Expr) -> pl.Expr:
    """An address or a place: small letters and digits, nothing between them."""
    return _bare(_plain(text))


def phone(text: pl.Expr) -> pl.Expr:
    """The digits of the first phone number, without a country's code, the zero before an area's, and an extension."""
    first = text.str.to_lowercase().str.replace(r"[;,、/|；，].*$", "").str.replace(r"(?:ext|x|#|转).*$", "")
    signs = first.str.replace_all(r"[^\d+]", "")
    short = signs.str.replace(_COUNTRY, "").str.replace(r"^86(1[3-9]\d{9})$", "$1")
    digits = short.str.replace_all(r"\D", "").str.strip_chars_start("0")
    return pl.when(digits.str.len_bytes() >= 5).then(digits)


def email(text: pl.Expr) -> pl.Expr:
    """An address in small letters; null where it is none."""
    small = text.str.to_lowercase().str.replace(r"^mailto:", "").str.replace_all(r"\s", "")
    return pl.when(small.str.contains(r"^[^@]+@[^@]+$")).then(small)


def category(text: pl.Expr) -> pl.Expr:
    """A value of few: small letters and digits; words for the sexes become `m` and `f`."""
    return plain(text).replace(_SEXES)


def date(text: pl.Expr) -> pl.Expr:
    """A date as YYYYMMDD; what cannot be read as one stays as its letters and digits.

    `03.04.1980` is read with the day first, unless the column has a date that only the other order makes one.
    """
    year = text.str.extract_groups(_YMD)
    other = text.str.extract_groups(_DMY)
    first, second = (other.struct.field(part).cast(pl.Int64) for part in "ab")
    american = ((second > 12) & (first <= 12)).any() & (first > 12).any().not_()
    month = pl.when(american).then(first).otherwise(second)
    day = pl.when(american).then(second).otherwise(first)
    ways = [
        (year.struct.field("y"), year.struct.field("m").cast(pl.Int64), year.struct.field("d").cast(pl.Int64)),
        (other.struct.field("y"), month, day),
    ]
    written = [y + _two(m) + _two(d) for y, m, d in ways]
    return pl.coalesce(*written, plain(text))


def _two(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(2)


_WAYS: Final[dict[Kind, Callable[[pl.Expr], pl.Expr]]] = {
    "name": name,
    "text": plain,
    "code": plain,
    "id": plain,
    "date": date,
    "phone": phone,
    "email": email,
    "category": category,
}
