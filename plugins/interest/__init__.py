"""The group `interest`: what people are interested in."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl
from crm.tables import Table

_COMMANDS: tuple[tuple[str, str, str], ...] = ()
_GROUPS = (("interest", "Work out what people are interested in."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]


@hookimpl
def tables() -> Sequence[Table]:
    """Behaviour, interests and subscriptions."""
    from crm.interest.contracts import BEHAVIOUR, INTERESTS, SUBSCRIPTIONS

    return [BEHAVIOUR, INTERESTS, SUBSCRIPTIONS]
