"""The group `recommend`: what people may like next."""

from collections.abc import Sequence

from crm.hookspecs import CommandRef, hookimpl

_COMMANDS: tuple[tuple[str, str, str], ...] = ()
_GROUPS = (("recommend", "Recommend items to people, and measure how well."),)


@hookimpl
def register_commands() -> Sequence[CommandRef]:
    """The group and its commands."""
    return [
        *(CommandRef(path, line) for path, line in _GROUPS),
        *(CommandRef(path, line, f"{__name__}.commands.{target}") for path, target, line in _COMMANDS),
    ]
