"""The group `workspace`: what is in it."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("workspace", "Look after the workspace."),
        CommandRef("workspace info", "Show what the workspace holds.", "plugins.workspace.commands:info"),
    ]
