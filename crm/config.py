"""The configuration: `crm.yaml` checked strictly against the sections that the core and plugins define.

A section is a msgspec struct whose fields all have defaults. A help text is written as
`Annotated[int, msgspec.Meta(description="...")]`; durations are a `Duration`, time zones a `Zone`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec

from crm.access import AccessConfig
from crm.errors import Unusable
from crm.lake_config import LakeConfig
from crm.nearest import did_you_mean
from crm.plugin_settings import PluginSettings
from crm.protection import ProtectionConfig, RecordsConfig
from crm.site import SiteConfig
from crm.structs import MistakeError, checked
from crm.units import Duration, Zone

S = TypeVar("S", bound=msgspec.Struct)


class OutputConfig(msgspec.Struct, frozen=True):
    """How tables print."""

    tz: Annotated[Zone, msgspec.Meta(description="Time zone in which times print, such as Asia/Shanghai.")] = Zone(
        "UTC"
    )


CORE: Final[Mapping[str, type[msgspec.Struct]]] = {
    "plugins": PluginSettings,
    "output": OutputConfig,
    "site": SiteConfig,
    "lake": LakeConfig,
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
                raise MistakeError("", f"unknown section `{key}`{did_you_mean(str(key), known)}")
        return Config(path, {name: checked(kind, data.get(name), name) for name, kind in known.items()})
    except MistakeError as wrong:
        raise Unusable(f"{path or 'configuration'}: {wrong}") from None


__all__ = ["CORE", "Config", "Duration", "OutputConfig", "Zone", "load"]
