"""The group `logs`: parse access logs, mine them into the workspace, and look at traffic."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table
from logparse.spec import LogFormat

if TYPE_CHECKING:
    import msgspec

_COMMANDS = (
    ("mine", "Store new lines of logs as hits, rebuild their sessions, run the miners."),
    ("parse", "Print the hits of logs; leaves the workspace alone."),
    ("sessions", "Print the sessions of logs; leaves the workspace alone."),
    ("status", "Show the sources that were mined and where their lines went."),
    ("formats", "List the known log formats, or name that of a file."),
    ("top", "Count the stored hits by a field."),
    ("traffic", "Count hits, views, sessions and visitors by hour, day or week."),
    ("drop", "Forget a source, so that it can be read again."),
    ("prune", "Delete the hits and sessions from before a date."),
    ("rebuild", "Make hits and sessions anew by the rules now in force."),
)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    group = CommandRef("logs", "Mine web servers' access logs.")
    return [
        group,
        *(CommandRef(f"logs {name}", line, f"plugins.logs.commands.{name}:command") for name, line in _COMMANDS),
    ]


@hookimpl
def log_formats() -> Sequence[LogFormat]:
    """The formats that the engine knows."""
    from logparse.formats import BUILT_IN

    return BUILT_IN


@hookimpl
def tables() -> Sequence[Table]:
    """Hits, sessions, and the ledger of sources."""
    from crm.audit import AUDIT
    from crm.segments import SEGMENT_MEMBERS
    from plugins.logs.contracts import TABLES

    return [*TABLES, AUDIT, SEGMENT_MEMBERS]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `logs`."""
    from plugins.logs.config import LogsConfig

    return {"logs": LogsConfig}
