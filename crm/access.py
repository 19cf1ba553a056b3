"""What a role may do. It keeps people from mistakes; the boundary is who may read and write the files, or the database.

The configuration names the role of everybody who uses the workspace, or of single users of the operating system.
"""

import os
import pwd
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from crm.errors import CrmError, Refused
from crm.tables import Mask

if TYPE_CHECKING:
    from crm.app import App

Role = Literal["viewer", "analyst", "operator", "admin"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "analyst", "operator", "admin")
"""The roles; each may do all that those before it may."""

Action = Literal["analyse", "import", "unmask", "merge", "send", "ticket", "settle", "forget", "backup", "restore"]

NEEDED: Final[dict[Action, Role]] = {
    "analyse": "analyst",
    "import": "operator",
    "unmask": "operator",
    "merge": "operator",
    "send": "operator",
    "ticket": "operator",
    "settle": "operator",
    "forget": "admin",
    "backup": "operator",
    "restore": "admin",
}
"""Which role may do what, unless the configuration says otherwise. `analyse` is to write results and models."""


class AccessConfig(msgspec.Struct, frozen=True):
    """Who may do what with personal data."""

    role: Annotated[Role, msgspec.Meta(description="The role of everybody without one in `users`.")] = "admin"
    users: Annotated[
        dict[str, Role], msgspec.Meta(description="Roles of users of the operating system, by their names.")
    ] = msgspec.field(default_factory=dict)
    needs: Annotated[
        dict[Action, Role], msgspec.Meta(description="The least role for an action, where it is not the usual one.")
    ] = msgspec.field(default_factory=dict)
    personal: Annotated[
        dict[str, Mask],
        msgspec.Meta(description="Columns that are personal besides those of the contracts, and how they are masked."),
    ] = msgspec.field(default_factory=dict)
    shown: Annotated[
        list[str],
        msgspec.Meta(description="Columns of one's own, kept in `extras`, that are not personal; others are masked."),
    ] = msgspec.field(default_factory=list)


def user() -> str:
    """The name of the operating system's user, as the system knows it: variables of the environment do not count.

    In a container there may be a number alone.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def require(app: "App", action: Action) -> None:
    """See that the user's role may do something; a refusal goes into the audit log.

    Raises:
        Refused: it may not.
    """
    role, needed = _roles(app, action)
    if ROLES.index(role) < ROLES.index(needed):
        _record(app, action)
        raise Refused(f"the role {role} may not {action}; it takes the role {needed} (`access` in the configuration)")


def may(app: "App", action: Action) -> bool:
    """Whether the user's role may do something: for what is left undone where it may not."""
    role, needed = _roles(app, action)
    return ROLES.index(role) >= ROLES.index(needed)


def _roles(app: "App", action: Action) -> tuple[Role, Role]:
    """The user's role, and the least one for an action."""
    config = app.config.get("access", AccessConfig)
    return config.users.get(user(), config.role), config.needs.get(action, NEEDED[action])


def _record(app: "App", action: Action) -> None:
    """Record what was refused, where the user may write to the records; refused it is in any case."""
    import click

    from crm.audit import record

    context = click.get_current_context(silent=True)
    with suppress(CrmError):
        record(app, "refused", f"{context.command_path}: {action}" if context else action, None)
