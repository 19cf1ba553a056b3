"""Mappings, as YAML gives them -> msgspec structs, checked strictly: a mistake is told with the path of what is wrong.

A help text is written as `Annotated[int, msgspec.Meta(description="...")]`. A type that msgspec does not know has a
class method `parse` that raises ValueError, as `crm.units.Duration` has.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from crm.nearest import did_you_mean, one_of

S = TypeVar("S", bound=msgspec.Struct)

_PLACE: Final = re.compile(r" - at `\$(.*)`$")


class MistakeError(Exception):
    """A mistake at a place such as `logs.sessions.idle`."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"`{where.removeprefix('.')}`: {what}" if where else what)


def checked(kind: type[S], value: object, where: str = "") -> S:
    """A mapping as a struct.

    Args:
        kind: The struct.
        value: The mapping; None is an empty one.
        where: The path of the mapping within its file, for what is said of mistakes; empty for the whole file.

    Raises:
        MistakeError: it has a key that the struct lacks, or a value of another type, or a number that is none.
    """
    for place in _no_numbers(value, where, set()):
        raise MistakeError(place, "expected a finite number")
    known = _known_keys(value, msgspec.inspect.type_info(kind), where)
    try:
        return msgspec.convert(known, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise _placed(where, str(error)) from None


def _no_numbers(value: object, where: str, seen: set[int]) -> Iterator[str]:
    """The places of `.nan` and `.inf`, which bounds alone may let through; an anchored part is looked at once."""
    if isinstance(value, float) and not math.isfinite(value):
        yield where
    if not isinstance(value, (dict, list)) or id(value) in seen:
        return
    seen.add(id(value))
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in parts:
        yield from _no_numbers(item, f"{where}.{key}" if isinstance(value, dict) else f"{where}[{key}]", seen)


def _placed(where: str, message: str) -> MistakeError:
    """What msgspec says, which ends in a place within the mapping: "Expected `int` - at `$.idle`"."""
    found = _PLACE.search(message)
    what = message[: found.start()] if found else message
    return MistakeError(where + (found[1] if found else ""), what[:1].lower() + what[1:])


def _decode(kind: type, value: object) -> object:
    """Msgspec's way to read a type that it does not know: ours have a `parse` that raises ValueError."""
    parse = getattr(kind, "parse", None)
    if parse is None:
        raise NotImplementedError(f"a section of the configuration cannot hold a {kind.__name__}")
    return parse(value)


def _known_keys(value: object, kind: msgspec.inspect.Type, where: str) -> object:
    """`value` with `key:` without a value made an empty mapping where a struct is expected.

    Raises:
        MistakeError: a mapping has a key that its struct lacks, which msgspec may ignore, or a value is none of those
            that there are; it names no nearest.
    """
    kind = _plain_type(kind, value)
    words = _words(kind)
    if words and not isinstance(value, (dict, list)) and value not in words:
        there = [str(each) for each in words]
        raise MistakeError(where, f"expected one of {one_of(there)}, got `{value}`{did_you_mean(str(value), there)}")
    if isinstance(kind, msgspec.inspect.StructType):
        if value is None:
            return {}
        return _known_fields(value, kind, where) if isinstance(value, dict) else value
    if isinstance(kind, msgspec.inspect.DictType) and isinstance(value, dict):
        return {key: _known_keys(item, kind.value_type, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, msgspec.inspect.CollectionType) and isinstance(value, list):
        return [_known_keys(item, kind.item_type, f"{where}[{at}]") for at, item in enumerate(value)]
    return value


def _words(kind: msgspec.inspect.Type) -> Collection[object]:
    """The values of a type that names all of them; empty for others."""
    if isinstance(kind, msgspec.inspect.EnumType):
        return [each.value for each in kind.cls]
    return kind.values if isinstance(kind, msgspec.inspect.LiteralType) else ()


def _known_fields(
    value: Mapping[object, object], kind: msgspec.inspect.StructType, where: str
) -> Mapping[object, object]:
    fields = {field.encode_name: field.type for field in kind.fields}
    for key in value:
        if key not in fields and key != kind.tag_field:
            raise MistakeError(where, f"unknown key `{key}`{did_you_mean(str(key), fields)}")
    return {
        key: _known_keys(item, fields[key], f"{where}.{key}") if isinstance(key, str) and key in fields else item
        for key, item in value.items()
    }


def _plain_type(kind: msgspec.inspect.Type, value: object) -> msgspec.inspect.Type:
    """The type without its description, and of a union its only struct or list of words: what `value` should be."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _plain_type(kind.type, value)
    if isinstance(kind, msgspec.inspect.UnionType) and value is not None:
        other = [each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType)]
        if len(other) == 1:
            return _plain_type(other[0], value)
        structs = [each for each in other if isinstance(each, msgspec.inspect.StructType)]
        return structs[0] if len(structs) == 1 else kind
    return kind
