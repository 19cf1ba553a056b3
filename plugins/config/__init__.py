"""`crm config`: write a commented configuration file, show what is in force, check it."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group `config`."""
    return [
        CommandRef("config", "Write, show and check the configuration."),
        CommandRef("config init", "Write a commented crm.yaml into the workspace.", "plugins.config.commands:init"),
        CommandRef(
            "config show",
            "Print the configuration in force as YAML; passwords are hidden.",
            "plugins.config.commands:show",
        ),
        CommandRef(
            "config check",
            "Check the configuration file; exit code 4 and a sentence that says where it is wrong.",
            "plugins.config.commands:check",
        ),
    ]
