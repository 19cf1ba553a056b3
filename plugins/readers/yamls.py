"""yaml: one list of mappings, or a mapping that holds one list of them; read as json is."""

import json
from dataclasses import replace
from datetime import date
from typing import Any, Final

import yaml

from crm.content import Content, Read
from crm.errors import Unusable
from plugins.readers.objects import read_json

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is not in every build
_MOST: Final = 20_000_000
"""So many values are read at most: with names for parts, a short file may stand for far more."""


def read_yaml(content: Content) -> Read:
    """The table of a YAML file.

    Raises:
        UsageError: the user has named a separator or a sheet.
        Unusable: it is no YAML, or no list of mappings.
    """
    text = content.text
    rows = _rows(_loaded(text.data.decode(), content.name), content.name)
    data = json.dumps(rows, ensure_ascii=False, default=_plain).encode()
    found = read_json(Content(content.name, data, separator=content.separator, sheet=content.sheet))
    return replace(found, said=(*text.said, *found.said), warnings=(*text.warnings, *found.warnings))


def _rows(value: Any, name: str) -> list[Any]:
    """The list of a file.

    Raises:
        Unusable: there is none, or something in it is no mapping.
    """
    if isinstance(value, dict):  # an answer of a program, with its rows under one name
        lists = [each for each in value.values() if isinstance(each, list)]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise Unusable(f"{name}: expected a list of mappings (`- name: value`), and it holds something else")
    wrong = next((number for number, each in enumerate(value, start=1) if not isinstance(each, dict)), None)
    if wrong is not None:
        raise Unusable(f"{name}: expected a list of mappings (`- name: value`), and number {wrong:,} of it is none")
    return value


def _loaded(text: str, name: str) -> Any:
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return []
            if _size(root, {}) > _MOST:
                raise Unusable(f"{name}: it stands for more than {_MOST:,} values")
            return _named(loader.construct_document(root))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Unusable(f"{name}{place}: no valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Unusable(f"{name}: no valid YAML: {' '.join(str(error).split())}") from None


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for; a part that is named, and used again, counts each time."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST + 1  # what holds itself never ends
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    known[id(node)] = min(1 + sum(_size(part, known) for part in parts), _MOST + 1)
    return known[id(node)]


def _named(value: Any) -> Any:
    """The same, with texts as keys, which JSON needs."""
    if isinstance(value, dict):
        return {_key(key): _named(each) for key, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(key)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
