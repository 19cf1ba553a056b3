"""The group `catalog`: what is offered."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

_COMMANDS = (
    ("catalog import", "transfers:catalog_import", "Import the catalogue from a file."),
    ("catalog export", "transfers:catalog_export", "Export the catalogue to a file."),
    ("catalog list", "transfers:catalog_list", "List items of the catalogue."),
    ("catalog unmapped", "unmapped:command", "List pages of which it is not known what they are about, by traffic."),
)
_GROUPS = (("catalog", "Keep the catalogue: what is offered, and in which category."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """The catalogue."""
    from crm.catalog import CATALOG

    return [CATALOG]
