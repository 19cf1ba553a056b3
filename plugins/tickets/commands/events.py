"""The commands that let one event happen to tickets which are named: one factory, and what is to be said of each."""

import click

from crm.access import Action
from crm.app import App, pass_app
from crm.errors import UsageError
from crm.filters import When
from crm.output import table_output
from plugins.tickets.acting import Acting, by, ids
from plugins.tickets.flow.case import Asked
from plugins.tickets.flow.table import Event, Role


def _event_command(
    name: str, event: Event, role: Role, text: str, *, remark: bool = False, action: Action = "ticket"
) -> click.Command:
    """A command that lets an event happen to the tickets that are named.

    Args:
        name: The command's.
        event: What happens.
        role: As what the user acts.
        text: The command's help.
        remark: Whether a remark must be given.
        action: What the role of the access rules must allow.
    """

    @click.command(name=name, help=text)
    @ids
    @by
    @table_output(columns="ticket event before after level seat number")
    @pass_app
    def command(
        app: App, /, ids: tuple[str, ...], by_name: str | None, at: When | None, remark_text: str | None
    ) -> None:
        if remark and not remark_text:
            raise UsageError("say why, with --remark")
        acting = Acting(app, role, by_name, at, remark_text, action)
        asked = Asked(event, acting.actor, acting.at, acting.remark)
        acting.tell(acting.run(lambda desk: acting.note(desk.do(ids, lambda _case: asked))))

    return command


withdraw = _event_command(
    "withdraw",
    "withdraw",
    "dealer",
    """Withdraw tickets, before they are approved.

    \b
    Examples:
      crm tickets withdraw T000123 --remark "opened twice"
    """,
)

serve = _event_command(
    "serve",
    "serve",
    "dealer",
    """Store that repairs have been done.

    A repair that takes a part waits until the part is there.

    \b
    Examples:
      crm tickets serve T000123
    """,
)

sign = _event_command(
    "sign",
    "sign",
    "dealer",
    """Store that customers have signed that they accept repairs.

    Only signed tickets count.

    \b
    Examples:
      crm tickets sign T000123 --at 2026-03-12 --remark "as agreed"
    """,
)

refuse = _event_command(
    "refuse",
    "refuse",
    "dealer",
    """Store that customers have refused repairs, which are then done again.

    \b
    Examples:
      crm tickets refuse T000123 --remark "still rattles"
    """,
    remark=True,
)

hold = _event_command(
    "hold",
    "hold",
    "clerk",
    """Hold tickets, so that they are not settled until somebody has looked.

    --remark says why. `crm tickets settle` holds by itself what looks like a duplicate, or whose amount does not agree.

    \b
    Examples:
      crm tickets hold T000123 --remark "ask the dealer for the photo"
    """,
    remark=True,
    action="settle",
)

release = _event_command(
    "release",
    "release",
    "clerk",
    """Let held tickets pass: somebody has looked, and they may be settled as they are.

    \b
    Examples:
      crm tickets release T000123 --remark "two repairs, seen on the photo"
    """,
    remark=True,
    action="settle",
)
