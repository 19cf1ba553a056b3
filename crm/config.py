"""The configuration: `crm.yaml` checked strictly against the sections that the core and plugins define.

A section is a msgspec struct whose fields all have defaults. A help text is written as
`Annotated[int, msgspec.Meta(description="...")]`; durations are a `Duration`, time zones a `Zone`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from crm.access import AccessConfig
from crm.errors import Unusable
from crm.nearest import did_you_mean
from crm.plugin_settings import PluginSettings
from crm.protection import ProtectionConfig, RecordsConfig
from crm.site import SiteConfig
from crm.units import Duration, Zone

S = TypeVar("S", bound=msgspec.Struct)

_PLACE: Final = re.compile(r" - at `\$(.*)`$")


class OutputConfig(msgspec.Struct, frozen=True):
    """How tables print."""

    tz: Annotated[Zone, msgspec.Meta(description="Time zone in which times print, such as Asia/Shanghai.")] = Zone(
        "UTC"
    )


CORE: Final[Mapping[str, type[msgspec.Struct]]] = {
    "plugins": PluginSettings,
    "output": OutputConfig,
    "site": SiteConfig,
    "records": RecordsConfig,
    "access": AccessConfig,
    "protection": ProtectionConfig,
}
"""The sections that are there without any plugin."""


class Config:
    """A whole configuration, checked.

    Attributes:
        path: The file it was read from; None when there is none and everything is at its default.
        sections: The values of each section by its name, in the order in which they are documented.
    """

    def __init__(self, path: Path | None, sections: Mapping[str, msgspec.Struct]) -> None:
        self.path = path
        self.sections = sections

    def get(self, name: str, kind: type[S]) -> S:
        """The section `name`, which is a `kind`.

        Raises:
            KeyError: no plugin has registered a section of this name.
            TypeError: it is of another kind.
        """
        section = self.sections[name]
        if not isinstance(section, kind):
            raise TypeError(f"section {name!r} is a {type(section).__name__}, not a {kind.__name__}")
        return section


def load(
    path: Path | None,
    sections: Mapping[str, type[msgspec.Struct]],
    *,
    lenient: bool = False,
) -> Config:
    """Read and check a configuration file.

    Args:
        path: The file; None gives the defaults.
        sections: The sections of plugins by name, in addition to the core's.
        lenient: Leave unknown sections alone: they may belong to a plugin that is blocked or broken.

    Raises:
        Unusable: the file cannot be read, is no YAML, or holds an unknown key or a wrong value. One sentence
            with the file, the path of what is wrong, and what was expected.
    """
    known = {**CORE, **sections}
    data: Mapping[object, object] = {}
    if path is not None:
        from crm.yamlfile import read_mapping

        data = read_mapping(path)
    try:
        for key in data:
            if key not in known and not lenient:
                raise _MistakeError("", f"unknown section `{key}`{did_you_mean(str(key), known)}")
        return Config(path, {name: _section(name, kind, data.get(name)) for name, kind in known.items()})
    except _MistakeError as wrong:
        raise Unusable(f"{path or 'configuration'}: {wrong}") from None


class _MistakeError(Exception):
    """A mistake at a place such as `logs.sessions.idle`."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"`{where}`: {what}" if where else what)


def _section(name: str, kind: type[S], value: object) -> S:
    checked = _known_keys(value, msgspec.inspect.type_info(kind), name)
    try:
        return msgspec.convert(checked, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise _placed(name, str(error)) from None


def _placed(section: str, message: str) -> _MistakeError:
    """What msgspec says, which ends in a place within the section: "Expected `int` - at `$.idle`"."""
    found = _PLACE.search(message)
    what = message[: found.start()] if found else message
    return _MistakeError(section + (found[1] if found else ""), what[:1].lower() + what[1:])


def _decode(kind: type, value: object) -> object:
    """Msgspec's way to read a type that it does not know: ours have a `parse` that raises ValueError."""
    parse = getattr(kind, "parse", None)
    if parse is None:
        raise NotImplementedError(f"a section of the configuration cannot hold a {kind.__name__}")
    return parse(value)


def _known_keys(value: object, kind: msgspec.inspect.Type, where: str) -> object:
    """`value` with `key:` without a value made an empty mapping where a struct is expected.

    Raises:
        _MistakeError: a mapping has a key that its struct lacks; msgspec may ignore it, and names no nearest.
    """
    kind = _plain_type(kind, value)
    if isinstance(kind, msgspec.inspect.StructType):
        if value is None:
            return {}
        return _known_fields(value, kind, where) if isinstance(value, dict) else value
    if isinstance(kind, msgspec.inspect.DictType) and isinstance(value, dict):
        return {key: _known_keys(item, kind.value_type, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, msgspec.inspect.CollectionType) and isinstance(value, list):
        return [_known_keys(item, kind.item_type, f"{where}[{at}]") for at, item in enumerate(value)]
    return value


def _known_fields(
    value: Mapping[object, object], kind: msgspec.inspect.StructType, where: str
) -> Mapping[object, object]:
    fields = {field.encode_name: field.type for field in kind.fields}
    for key in value:
        if key not in fields and key != kind.tag_field:
            raise _MistakeError(where, f"unknown key `{key}`{did_you_mean(str(key), fields)}")
    return {
        key: _known_keys(item, fields[key], f"{where}.{key}") if isinstance(key, str) and key in fields else item
        for key, item in value.items()
    }


def _plain_type(kind: msgspec.inspect.Type, value: object) -> msgspec.inspect.Type:
    """The type without its description, and of a union its only struct: what `value` should be."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _plain_type(kind.type, value)
    if isinstance(kind, msgspec.inspect.UnionType) and value is not None:
        structs = [each for each in kind.types if isinstance(each, msgspec.inspect.StructType)]
        return structs[0] if len(structs) == 1 else kind
    return kind


__all__ = ["CORE", "Config", "Duration", "OutputConfig", "Zone", "load"]
