"""Phone numbers in any writing -> E.164, such as +8613800138000.

Chinese mobile and land lines, and numbers with a country's calling code, are read by expressions; national numbers of
other countries by the package phonenumberslite, each distinct one once. Extensions are not part of E.164 and go.
"""

import re
from functools import partial
from importlib.util import find_spec
from typing import Final

import polars as pl

from crm.intake.texts import each_in_python, read_rest

PACKAGE: Final = "phonenumberslite"

_EXTENSION: Final = r"(?i)[ ,;]*(?:ext(?:ension)?|x|#|转|分机)[ .:=]*\d{1,7}$"
_TRUNK: Final = r"^((?:\+|00).*?)\(0\)"
"""The zero that some write in brackets behind the country's code."""
_SIGNS: Final = r"[ \-.()\[\]‐-―−·_/]"
_MOBILE: Final = r"^(?:\+86|0086|86|0)?(1[3-9]\d{9})$"
_MOBILE_ABROAD: Final = r"^(?:\+86|0086)(1[3-9]\d{9})$"
_LANDLINE: Final = r"^(?:(?:\+86|0086|86)0?|0)(10\d{8}|2\d{9}|[3-9]\d{2}[2-9]\d{6,7})$"
_LANDLINE_ABROAD: Final = r"^(?:\+86|0086)0?(10\d{8}|2\d{9}|[3-9]\d{2}[2-9]\d{6,7})$"
_AMERICAN: Final = r"^(?:\+|00)(1[2-9]\d{2}[2-9]\d{6})$"
_AMERICAN_GROUPS: Final = r"^1[ .\-]?\(?([2-9]\d{2})\)?[ .\-](\d{3})[ .\-](\d{4})$"
"""1-415-555-2671: no Chinese mobile number is grouped like this, although it may have the same digits."""
_AMERICAN_HOME: Final = r"^(?:\+|00)?1?([2-9]\d{2}[2-9]\d{6})$"
_SEVERAL: Final = r"[;,、/|]"

_LENGTHS: Final = (
    (4, 5, "290"), (4, 7, "683 690"), (4, 10, "98"), (4, 11, "352"), (4, 13, "43 598"), (4, 15, "49"),
    (5, 5, "500 682"), (5, 6, "247"), (5, 7, "676 677 678 688"), (5, 8, "47 386 686"), (5, 10, "27 64 685"),
    (5, 11, "31 852"), (5, 12, "61 358 971"), (5, 14, "82"), (6, 6, "298 299 672 687"), (6, 7, "597"),
    (6, 9, "40 252 355 376 421 508 681 689"), (6, 10, "48 53 95 880"), (6, 11, "375 595"), (6, 12, "46 359 381"),
    (6, 13, "63"), (7, 7, "238 239 246 248 269 291 297 592 673 674 680 691 692"),
    (7, 8, "241 599 670 675 853 961 965 975"), (7, 9, "220 231 245 265 354 385 423 967 968"),
    (7, 10, "44 84 230 243 254 263 267 353 372 960"), (7, 11, "501 503 507 679 886 974"), (7, 12, "882 972"),
    (7, 13, "90"), (7, 17, "62"), (8, 8, "45 216 222 223 226 227 228 232 235 236 253 257 266 350 356 357 370 371 373"),
    (8, 8, "374 389 505 509 800 808 973 993"), (8, 9, "32 36 51 213 224 233 237 250 258 264 268 377 382 387 591 962"),
    (8, 9, "963"), (8, 10, "20 60 229 378 506 850 855 856 964 970 976"), (8, 11, "55 57 65 502 504 593 977"),
    (8, 12, "92 383 883"), (8, 13, "66 91"), (8, 17, "81"), (9, 9, "33 34 93 94 211 212 218 221 240 242 244 249 251"),
    (9, 9, "255 256 260 261 262 351 590 594 596 979 992 994 995 998"), (9, 10, "380 881 966 996"), (9, 11, "56"),
    (9, 12, "41 420 870"), (10, 10, "52 58 225"), (10, 11, "54"), (10, 12, "30"), (10, 14, "7 234"), (11, 11, "888"),
    (12, 12, "878"),
)  # fmt: skip
"""How many digits may follow a calling code (ITU-T E.164); China and North America have expressions of their own."""

_LONGEST: Final = 15
"""So many digits a number has at most, its calling code with them."""


def _after(codes: str, least: int, most: int) -> str:
    """What a number with one of these calling codes looks like; no national number begins with 0."""
    room = _LONGEST - max(map(len, codes.split()))
    return rf"(?:{codes.replace(' ', '|')})[1-9]\d{{{least - 1},{min(most, room) - 1}}}"


_INTERNATIONAL: Final = r"^(?:\+|00)({})$".format("|".join(_after(codes, *span) for *span, codes in _LENGTHS))


def phones(texts: pl.Series, region: str) -> pl.Series:
    """Numbers in E.164; null where a text is no number that can be dialled.

    Without phonenumberslite, texts that no expression knows stay as they are.

    Args:
        texts: Clean texts.
        region: Country of numbers that name none, as two letters.
    """
    short = texts.str.replace(_TRUNK, "$1").str.replace(_EXTENSION, "").str.replace(_AMERICAN_GROUPS, "+1$1$2$3")
    bare = short.str.replace_all(_SIGNS, "")
    return read_rest(texts, _known(bare, region), lambda rest: _parsed(rest, region))


def _known(bare: pl.Series, region: str) -> pl.Series:
    """Numbers that an expression is enough for: digits with or without +."""
    chinese = (_MOBILE, _LANDLINE) if region == "CN" else (_MOBILE_ABROAD, _LANDLINE_ABROAD)
    text = pl.col("text")
    ways = [
        *(pl.lit("+86") + text.str.extract(pattern) for pattern in chinese),
        *(pl.lit("+") + text.str.extract(pattern) for pattern in (_AMERICAN, _INTERNATIONAL)),
        *([pl.lit("+1") + text.str.extract(_AMERICAN_HOME)] if region in ("US", "CA") else []),
    ]
    found = _by(ways[0], bare)
    for way in ways[1:]:
        found = read_rest(bare, found, partial(_by, way))
    return found


def _by(way: pl.Expr, texts: pl.Series) -> pl.Series:
    return texts.alias("text").to_frame().select(way.alias("found"))["found"]


def _parsed(texts: pl.Series, region: str) -> pl.Series:
    return each_in_python(texts, lambda text: _first(text, region)) if find_spec("phonenumbers") else texts


def _first(text: str, region: str) -> str | None:
    """The number that a text is, or else the first of those that stand in it one after the other."""
    whole = _dialled(text, region)
    if whole is not None or not re.search(_SEVERAL, text):
        return whole
    found = (_dialled(part, region) for part in re.split(_SEVERAL, text) if part.strip())
    return next((number for number in found if number is not None), None)


def _dialled(text: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return _chinese_mobile(text, region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _chinese_mobile(text: str, region: str) -> str | None:
    """What the expressions say of a part of a cell: they know more Chinese numbers than the package."""
    bare = re.sub(_SIGNS, "", re.sub(_EXTENSION, "", text))
    match = re.match(_MOBILE, bare, re.ASCII) if region == "CN" else None
    return f"+86{match[1]}" if match else None
