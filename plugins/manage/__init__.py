"""The group `plugins`: what is loaded, and what is not and why."""

from crm import CommandRef, hookimpl

_AT = f"{__name__}.commands"


@hookimpl
def register_commands() -> list[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("plugins", "See which plugins there are, write new ones, and check them."),
        CommandRef("plugins list", "List the plugins with their state.", f"{_AT}.listing:list_plugins"),
        CommandRef("plugins new", "Write the package of a new plugin.", f"{_AT}.new:command"),
        CommandRef("plugins check", "Say what is wrong with a plugin.", f"{_AT}.check:command"),
    ]
