"""The group `paths`: which pages people view, and how they go from one to the next."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, Miner, hookimpl
from crm.tables import Table

_COMMANDS = (
    ("pages", "List pages with views, sessions, entries, exits and time on page."),
    ("transitions", "List the steps from page to page with their probability."),
    ("top", "List the most frequent paths of sessions."),
)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    group = CommandRef("paths", "Mine the paths of sessions.")
    return [
        group,
        *(CommandRef(f"paths {name}", line, f"plugins.paths.commands.{name}:command") for name, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Pages and transitions by date."""
    from plugins.paths.contracts import PAGES, TRANSITIONS

    return [PAGES, TRANSITIONS]


@hookimpl
def miners() -> Sequence[Miner]:
    """The miner of pages and transitions."""
    from plugins.paths.mining import mine

    return [Miner("paths", ("pages", "transitions"), mine)]
