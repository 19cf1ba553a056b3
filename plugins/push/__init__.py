"""The group `push`: what is sent to whom, by which way, and what comes of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

if TYPE_CHECKING:
    import msgspec

_COMMANDS: tuple[tuple[str, str, str], ...] = ()
_GROUPS = (("push", "Choose what is sent to whom, send it, and learn from what comes of it."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """The outbox, feedback, and what campaigns keep."""
    from crm.feedback import FEEDBACK
    from crm.outbox import OUTBOX
    from plugins.push.contracts import TABLES

    return [OUTBOX, FEEDBACK, *TABLES]


@hookimpl
def config_sections() -> "Mapping[str, type[msgspec.Struct]]":
    """The section `push`."""
    from plugins.push.config import PushConfig

    return {"push": PushConfig}
