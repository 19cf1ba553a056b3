"""The configuration as YAML: what is in force, and a commented file of all defaults."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import yaml

from crm.config import Config

_HEAD: Final = """\
## The configuration of this workspace. Everything is optional: what is commented out is the default.
## To change a setting, take the "# " away before it and before the lines it is indented under.
## `crm config check` checks this file, `crm config show --changed` prints what differs from the defaults.
"""
_PASSWORD: Final = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]+@")
_SECRET: Final = re.compile(r"password|passwd|secret|token", re.IGNORECASE)
_HIDDEN: Final = "***"


def as_yaml(config: Config, *, changed: bool = False) -> str:
    """All values of the configuration, or those that differ from their default; passwords are hidden."""
    values: dict[str, object] = {}
    for name, section in config.sections.items():
        value = _differences(section, type(section)()) if changed else section
        if not changed or value:
            values[name] = value
    return _dump(_without_secrets(_plain(values))) if values else ""


def _differences(value: object, default: object) -> Any:
    """What differs from the default: of a struct a dict of the fields that do, else the value itself."""
    if not isinstance(value, msgspec.Struct) or type(value) is not type(default):
        return value
    pairs = {name: (getattr(value, name), getattr(default, name)) for name in value.__struct_fields__}
    return {name: _differences(one, other) for name, (one, other) in pairs.items() if one != other}


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value, enc_hook=str)


def _without_secrets(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _without_secrets(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(item, key) for item in value]
    if isinstance(value, str):
        return _HIDDEN if value and _SECRET.search(key) else _PASSWORD.sub(rf"\1:{_HIDDEN}@", value)
    return value


def _dump(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=2**31 - 1)


def template(sections: Mapping[str, type[msgspec.Struct]]) -> str:
    """A commented configuration file: each setting with its help and its default, commented out.

    Without the "# " at the beginning of its lines the file holds exactly the defaults.
    """
    lines = [_HEAD]
    for name, kind in sections.items():
        info = msgspec.inspect.type_info(kind)
        assert isinstance(info, msgspec.inspect.StructType)
        lines.append("".join(f"{line}\n" for line in _section(name, _first_line(kind), info, kind(), "")))
    return "\n".join(lines)


def _section(
    name: str, help_text: str, info: msgspec.inspect.StructType, default: msgspec.Struct, indent: str
) -> Iterator[str]:
    if help_text:
        yield f"## {indent}{help_text}"
    if not info.fields:
        yield f"# {indent}{name}: {{}}"
        return
    yield f"# {indent}{name}:"
    for field in info.fields:
        value = getattr(default, field.name)
        kind, described = _described(field.type)
        if isinstance(kind, msgspec.inspect.StructType) and isinstance(value, msgspec.Struct):
            yield from _section(field.encode_name, described or _first_line(kind.cls), kind, value, f"{indent}  ")
        else:
            yield from _setting(field.encode_name, described, kind, value, f"{indent}  ")


def _setting(name: str, help_text: str, kind: msgspec.inspect.Type, value: object, indent: str) -> Iterator[str]:
    if isinstance(kind, msgspec.inspect.LiteralType):
        help_text = f"{help_text} One of: {', '.join(map(str, kind.values))}.".strip()
    if help_text:
        yield f"## {indent}{help_text}"
    yield from (f"# {indent}{line}" for line in _dump({name: _plain(value)}).splitlines())


def _described(kind: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, str]:
    """The type without its description, and the description (of a union: of its first described member)."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return kind, next(filter(None, (_described(each)[1] for each in kind.types)), "")
    if not isinstance(kind, msgspec.inspect.Metadata):
        return kind, ""
    inner, described = _described(kind.type)
    return inner, " ".join((kind.extra_json_schema or {}).get("description", described).split())


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]
