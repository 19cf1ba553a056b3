"""The group `catalog`: what is offered."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

_COMMANDS: tuple[tuple[str, str, str], ...] = ()
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
