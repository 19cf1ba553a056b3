"""The section `plugins` of `crm.yaml`, read before everything else: it says which plugins there are."""

from typing import Annotated

import msgspec


class PluginSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where single-file plugins are, and which plugins are not loaded."""

    folder: Annotated[
        str | None,
        msgspec.Meta(description="Folder of `*.py` plugins, relative to this file; nobody else may write there."),
    ] = None
    block: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Plugins that are not loaded, by the names in `crm plugins list`."),
    ] = ()


def parse(section: object) -> PluginSettings:
    """Check the section alone.

    Raises:
        ValueError: The section is malformed; the message says where.
    """
    try:
        return msgspec.convert(section, PluginSettings)
    except msgspec.ValidationError as error:
        raise ValueError(f"section plugins: {error}") from error
