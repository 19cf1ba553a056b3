"""YAML files, with every mistake told in one sentence that names file, line and column."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from crm.errors import Unusable

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is not in every build
_MERGE = "tag:yaml.org,2002:merge"


def read_mapping(path: Path) -> Mapping[object, object]:
    """Read a file that holds one mapping; an empty file is an empty one.

    Raises:
        Unusable: it cannot be read, is not UTF-8 or not YAML, has a key twice, or is something else.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: not UTF-8 at byte {error.start + 1}") from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror or error}") from None
    try:
        data = _construct(text, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        raise Unusable(f"{path}{_place(mark)}: no valid YAML: {what}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise Unusable(f"{path}: no valid YAML: {reason}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Unusable(f"{path}: expected `key: value` at the top, got a {type(data).__name__}")
    return data


def _construct(text: str, path: Path) -> object:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        for key in _repeated(root, set()):
            raise Unusable(f"{path}{_place(key.start_mark)}: key `{key.value}` is there twice")
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _repeated(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Keys that their mapping has already; an anchored node is looked at once."""
    if id(node) in seen or isinstance(node, yaml.ScalarNode):
        return
    seen.add(id(node))
    if not isinstance(node, yaml.MappingNode):
        for item in node.value:
            yield from _repeated(item, seen)
        return
    keys = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            if (key.tag, key.value) in keys:
                yield key
            keys.add((key.tag, key.value))
        yield from _repeated(value, seen)


def _place(mark: yaml.Mark | None) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
