"""The group `backup`: copies of a workspace that are whole, checked, and can be brought back."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl

_COMMANDS = {
    "create": "Back up the workspace.",
    "verify": "See whether a backup is whole.",
    "restore": "Bring a backup back, and prove that it is what was backed up.",
}


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("backup", "Back up the workspace, and bring backups back."),
        *(
            CommandRef(f"backup {name}", text, f"{__name__}.commands.{name}:command")
            for name, text in _COMMANDS.items()
        ),
    ]
