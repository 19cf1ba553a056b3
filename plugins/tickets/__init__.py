"""The groups `tickets` and `centre`: appraisal tickets of a car-service centre, and what the centre knows besides."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

_COMMANDS: tuple[tuple[str, str, str], ...] = ()
_GROUPS = (("tickets", "Review, supply, pay and understand appraisal tickets of a service centre."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The groups and their commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Tickets, their events, and what a service centre knows besides."""
    from plugins.tickets.contracts import TABLES

    return TABLES


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `tickets`."""
    from plugins.tickets.config import TicketsConfig

    return {"tickets": TicketsConfig}
