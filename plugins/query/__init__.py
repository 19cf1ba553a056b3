"""The command `query`: SQL over every table of the workspace."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The command."""
    return [
        CommandRef("query", "Query the workspace's tables with SQL.", "plugins.query.commands:command"),
        CommandRef(
            "tables",
            "List the tables of the workspace, or the columns of one.",
            "plugins.query.commands:tables",
        ),
    ]
