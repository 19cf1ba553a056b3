"""What a text of SQL holds besides its texts and comments, so that it can be told what it may not do."""

import re
from typing import Final

from crm.errors import UsageError

_TOKENS: Final = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`""",
    re.DOTALL,
)
"""Comments, texts and quoted names, whichever begins first: none of them can begin inside of another."""

_FILES: Final = re.compile(r"\b(?:read|scan)_\w+\W*\(", re.IGNORECASE)
"""Functions of Polars' SQL that read files: they would go around masks, contracts and permissions."""


_VALUES: Final = re.compile(r"(values): \[.*")
"""The values that Polars shows behind what it says of them, whosever they are."""


def reason(error: Exception) -> str:
    """What Polars says of SQL that it cannot evaluate, without a full stop, and without the values that it shows."""
    said = str(error).splitlines()[0].removeprefix("sql parser error: ")
    hint = "; try_cast(COLUMN as TYPE) leaves those empty" if "conversion from" in said else ""
    return _VALUES.sub(r"\1", said).rstrip(":. ") + hint


def bare(text: str) -> str:
    """A text of SQL with blanks instead of comments and empty texts instead of texts; quoted names stay.

    Raises:
        UsageError: it quotes a text with dollar signs, which could hide anything.
    """
    found = _TOKENS.sub(lambda match: {"'": "''", "-": " ", "/": " "}.get(match[0][0], match[0]), text)
    if "$" in found:
        raise UsageError("the SQL cannot be run: write texts between single quotes, not between dollar signs")
    return found


def reads_files(text: str) -> bool:
    """Whether a text of SQL calls a function that reads files."""
    return bool(_FILES.search(bare(text)))
