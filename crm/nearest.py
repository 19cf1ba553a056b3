"""Suggestions for a misspelt word: one way to say "did you mean"."""

from collections.abc import Iterable


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
