"""The group `audit`: who did what to personal data, and whether somebody has changed the log of it."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        CommandRef("audit", "See who did what to personal data."),
        CommandRef("audit log", "List who did what to personal data, and when.", f"{__name__}.commands:log"),
        CommandRef("audit verify", "See whether the audit log is as it was written.", f"{__name__}.commands:verify"),
    ]
