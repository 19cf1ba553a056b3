"""yaml: one list of mappings, or a mapping that holds one list of them; read as json is."""

import json
from dataclasses import replace
from datetime import date
from typing import Any, Final

import yaml

from crm.content import Content, Read
from crm.errors import Unusable
from plugins.readers.objects import read_json, rows_in

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
    found = _loaded(text.data.decode(), content.name)
    _check(found, content.name)
    data = json.dumps(found, ensure_ascii=False, default=_plain).encode()
    read = read_json(Content(content.name, data, separator=content.separator, sheet=content.sheet))
    return replace(read, said=(*text.said, *read.said), warnings=(*text.warnings, *read.warnings))


def _check(found: Any, name: str) -> None:
    """See that there are rows, in YAML's words.

    Raises:
        Unusable: there are none.
    """
    found = rows_in(found)
    if not isinstance(found, list):
        raise Unusable(f"{name}: expected a list of mappings, such as `- name: value`, and it is {_kind(found)}")
    wrong = next((number for number, item in enumerate(found, start=1) if not isinstance(item, dict)), None)
    if wrong is not None:
        raise Unusable(f"{name}: expected a list of mappings, and its entry {wrong:,} is {_kind(found[wrong - 1])}")


def _kind(value: object) -> str:
    """What a value is, in YAML's words."""
    return "nothing" if value is None else "a list" if isinstance(value, list) else "a single value"


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
