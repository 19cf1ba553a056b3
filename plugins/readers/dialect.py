"""What separates the fields of a delimited text."""

import csv
import io
import re
from typing import Final

from crm.errors import UsageError

SEPARATORS: Final = (",", ";", "\t", "|")
NAMES: Final = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}

_SAMPLE: Final = 1 << 16
_ROWS: Final = 20
_DECLARED: Final = re.compile(rb"\A(?:sep=(.)|\"sep=(.)\")\r?\n", re.IGNORECASE)


def declared(data: bytes) -> tuple[str, bytes]:
    """The separator that a first line `sep=;` names, as Excel understands it, and the text below; else nothing."""
    found = _DECLARED.match(data)
    if not found:
        return "", data
    return (found[1] or found[2]).decode("latin-1"), data[found.end() :]


def named(text: str) -> str:
    """The separator that a user means.

    Raises:
        UsageError: it cannot be one.
    """
    sign = NAMES.get(text.lower(), text)
    if len(sign) != 1 or not sign.isascii() or sign in '"\r\n\0':
        raise UsageError(f"--separator: `{text}` cannot separate fields; give one ASCII character, or tab")
    return sign


def guessed(data: bytes) -> str:
    """The separator with which most of the first rows have as many fields as the header, of equal ones the one
    with which these are most; a comma where there is none.
    """
    sample = data[:_SAMPLE]
    if len(sample) < len(data):
        sample = sample[: max(sample.rfind(b"\n"), sample.rfind(b"\r")) + 1] or sample
    text = sample.decode("utf-8", "replace")
    return max(SEPARATORS, key=lambda sign: _fit(text, sign))


def _fit(text: str, separator: str) -> tuple[float, int]:
    counts: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if row:
                counts.append(len(row))
            if len(counts) > _ROWS:
                break
    except csv.Error:  # a field that does not end; the rows before it tell
        pass
    if not counts or counts[0] < 2:
        return 0.0, 0
    return counts.count(counts[0]) / len(counts), counts[0]
