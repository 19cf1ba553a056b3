"""Suggestions for a misspelt word: one way to say "did you mean"."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

_VALUE: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\+?(?:\d[\s().-]*){10,}[Xx]?")
"""What may be somebody's, and is the name of no column: an e-mail address, or the number of a phone or a card."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, or None when none comes near."""
    from difflib import get_close_matches  # only a mistake pays for it

    by_folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[close[0]] if close else None


def several(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known words that look like `word`, the nearest first; of those that are as near, the first by name."""
    from difflib import SequenceMatcher, get_close_matches

    folded, by_folded = word.casefold(), {name.casefold(): name for name in known}
    close = get_close_matches(folded, by_folded, n=max(len(by_folded), 1), cutoff=0.4)
    near = sorted(close, key=lambda each: (-SequenceMatcher(None, each, folded).ratio(), each))
    return [by_folded[each] for each in near[:most]]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error message, with its leading space: ` (did you mean `idle`?)`, or empty."""
    close = nearest(word, known)
    return f" (did you mean `{close}`?)" if close else ""


def one_of(known: Iterable[str]) -> str:
    """The known words as a list in a sentence: `csv, json, table`."""
    return ", ".join(known)


def no_column(name: str, known: Collection[str], most: int = 20) -> str:
    """The sentence for a column that is not there, which does not show a first row that was taken for the names."""
    return f"there is no column `{name}`{did_you_mean(name, known)}; {there_are(known, most)}"


def there_are(columns: Collection[str], most: int = 20) -> str:
    """What columns there are, for the end of a sentence; not shown if they look like the first row of a file."""
    if any(_VALUE.fullmatch(unicodedata.normalize("NFKC", column).strip()) for column in columns):
        return "the first line looks like a row, and must name the columns"
    shown = list(columns)[:most]
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return f"there are: {one_of(shown)}{more}"
