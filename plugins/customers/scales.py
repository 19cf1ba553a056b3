"""What says which number stands for which word of a column: files, and `customers.quantify` of the configuration.

    education: {本科: 1, 硕士: 2, 博士: 3, 博士后: 3.6}
    safety: [low, med, high]

A list counts from 1.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crm.errors import Unusable
from crm.yamlfile import read_mapping


def read_scales(path: Path) -> dict[str, dict[str, float]]:
    """The scales in a file: for each column, words and their numbers.

    Raises:
        Unusable: the file cannot be read, or is something else.
    """
    return scales(str(path), read_mapping(path))


def scales(where: str, given: Mapping[Any, object]) -> dict[str, dict[str, float]]:
    """The scales that a mapping says.

    Args:
        where: Where it stands, for messages.
        given: Columns, with words and their numbers or a list of words.

    Raises:
        Unusable: it says something else.
    """
    return {str(column): _scale(f"{where}: `{column}`", said) for column, said in given.items()}


def _scale(where: str, said: object) -> dict[str, float]:
    if isinstance(said, list):
        words = [_word(where, each) for each in said]
        if len(set(words)) < len(words):
            raise Unusable(f"{where}: a word is there twice")
        return {word: float(number) for number, word in enumerate(words, 1)}
    if isinstance(said, dict):
        return {_word(where, word): _number(f"{where}: `{word}`", number) for word, number in said.items()}
    raise Unusable(f"{where}: expected words with their numbers, {{low: 1, high: 2}}, or a list of words, [low, high]")


def _word(where: str, said: object) -> str:
    """A word; YAML makes true and false of yes, no, on and off, and what was written is lost."""
    if isinstance(said, str):
        return said
    if isinstance(said, int | float) and not isinstance(said, bool):
        return str(said)
    raise Unusable(f"{where}: `{said}` is no text; write the word in quotes")


def _number(where: str, said: object) -> float:
    if isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said):
        return float(said)
    raise Unusable(f"{where}: `{said}` is no number")
