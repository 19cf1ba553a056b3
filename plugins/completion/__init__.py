"""The group `completion`: words of commands, options and values completed by the shell."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("completion", "Let the shell complete commands, options and values."),
        CommandRef("completion install", "Install completion for a shell.", f"{__name__}.commands:install"),
        CommandRef("completion show", "Print the script of completion for a shell.", f"{__name__}.commands:show"),
    ]
