"""E-mail addresses in any writing -> small letters, the domain in ASCII: the usual ones by an expression.

The rest, such as domains in Chinese, is read by the package email-validator, each distinct one once, without asking
any server.
"""

import re
from importlib.util import find_spec
from typing import Final

import polars as pl

from crm.intake.texts import each_in_python, read_rest

PACKAGE: Final = "email-validator"

_USUAL: Final = (
    r"^[a-z0-9!#$%&*+/=?^_{|}~'-]+(?:\.[a-z0-9!#$%&*+/=?^_{|}~'-]+)*"
    r"@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+(?:[a-z]{2,}|xn--[a-z0-9-]*[a-z0-9])$"
)
_LONG: Final = r"^[^@]{65,}@|[a-z0-9-]{64,}"
_MOST: Final = 254
_AROUND: Final = r"^(?:mailto:|[^<>]*<)\s*([^<>]+?)\s*>?$"
"""`mailto:ada@example.com` and `Ada <ada@example.com>`."""
_SEVERAL: Final = r"[;,、| ]"


def emails(texts: pl.Series) -> pl.Series:
    """Addresses in small letters; null where a text is none.

    Without email-validator, texts that the expression does not know stay as they are.

    Args:
        texts: Clean texts.
    """
    small = texts.str.to_lowercase()
    return read_rest(small, _usual(small), _rest)


def _usual(small: pl.Series) -> pl.Series:
    good = small.str.contains(_USUAL) & ~small.str.contains(_LONG) & (small.str.len_bytes() <= _MOST)
    return small.set(~good, None)


def _rest(small: pl.Series) -> pl.Series:
    inner = small.str.replace(_AROUND, "$1")
    return read_rest(inner, _usual(inner), _parsed)


def _parsed(texts: pl.Series) -> pl.Series:
    return each_in_python(texts, _first) if find_spec("email_validator") else texts


def _first(text: str) -> str | None:
    """The address that a text is, or else the first of those that stand in it one after the other."""
    whole = _address(text)
    if whole is not None or not re.search(_SEVERAL, text):
        return whole
    found = (_address(part.strip()) for part in re.split(_SEVERAL, text) if part.strip())
    return next((address for address in found if address is not None), None)


def _address(text: str) -> str | None:
    import email_validator

    try:
        found = email_validator.validate_email(text, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError:
        usual = len(text) <= _MOST and re.match(_USUAL, text) and not re.search(_LONG, text)
        return text if usual else None
    return f"{found.local_part}@{found.ascii_domain}".lower()
