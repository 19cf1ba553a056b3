"""The group `plugins`: what is loaded, and what is not and why."""

from crm import CommandRef, hookimpl


@hookimpl
def register_commands() -> list[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("plugins", "See which plugins there are."),
        CommandRef("plugins list", "List the plugins with their state.", "plugins.manage.commands:list_plugins"),
    ]
