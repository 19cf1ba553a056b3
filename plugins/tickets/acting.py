"""What the commands that let events happen have in common: who does it, when, and what is told of it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from crm.access import Action, require, user
from crm.app import App
from crm.completing import stored
from crm.errors import NothingFound, Refused, UsageError
from crm.filters import WHEN, When
from crm.messages import counted
from crm.output import current, show
from plugins.tickets.config import TicketsConfig
from plugins.tickets.flow.case import Actor
from plugins.tickets.flow.table import Role

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.flow.desk import Desk, Done

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN: Final = 5
"""So many refused tickets are told one by one."""


def by(function: Callable[..., R]) -> Callable[..., R]:
    """The options of every event: `--by`, `--at`, `--remark`."""
    for option in reversed(
        (
            click.option("--by", "by_name", metavar="NAME", help="Who does it.  [default: the user of the system]"),
            click.option("--at", type=WHEN, metavar="WHEN", help="When it was: a date, a time, 2h.  [default: now]"),
            click.option("--remark", "remark_text", metavar="TEXT", help="What is said to it."),
        )
    ):
        function = option(function)
    return function


one_ticket: Final = stored("tickets", "ticket")
"""What completes the id of a ticket."""

one_seat: Final = stored("seats", "seat")
"""What completes the id of a seat."""

ids: Final = click.argument("ids", nargs=-1, required=True, metavar="ID...", shell_complete=one_ticket)


class Acting:
    """One call of a command that lets events happen.

    Args:
        app: The run of the program.
        role: As what the user acts.
        name: Who does it; None for the user of the operating system.
        at: When; None for now.
        remark: What is said to it.
        action: What the role of the access rules must allow.

    Raises:
        Refused: the user may not act as this.
        UsageError: `at` has not come yet.
    """

    def __init__(
        self, app: App, role: Role, name: str | None, at: When | None, remark: str | None, action: Action = "ticket"
    ) -> None:
        require(app, action)
        self.app, self.remark = app, remark or None
        self.config = app.config.get("tickets", TicketsConfig)
        self.actor = _actor(self.config, role, name)
        self.at, self._now = _moment(at), at is None
        self._done: list[Done] = []

    def run(self, work: "Callable[[Desk], R]") -> R:
        """Work on tickets in one transaction."""
        from crm.audit import append
        from plugins.tickets.flow.desk import opened

        workspace = self.app.workspace()
        with opened(workspace, self.config, now=self._now) as desk:
            result = work(desk)
            count = sum(len(done.steps) for done in self._done)
            context = click.get_current_context()
            if count:
                append(desk.connection, workspace.records.table("audit"), context.info_name or "", "tickets", count)
        return result

    def tell(self, done: "Done") -> None:
        """Print what has happened; end with what has not.

        Raises:
            NothingFound: an id is no ticket's.
            Refused: a rule stands in the way of a ticket.
        """
        if done.steps:
            show(self.app, _table(done), current())
        for ticket, why in list(done.refused.items())[:_SHOWN]:
            self.app.warn(f"{ticket}: {why}")
        if len(done.refused) > _SHOWN:
            self.app.warn(f"and {counted(len(done.refused) - _SHOWN, 'more ticket')}")
        if done.refused:
            raise Refused(f"{counted(len(done.refused), 'ticket')} refused, {len(done.steps):,} done")
        if done.unknown:
            which = ", ".join(done.unknown[:_SHOWN]) + (" ..." if len(done.unknown) > _SHOWN else "")
            raise NothingFound(f"there is no ticket {which}; `crm tickets list` lists them")
        if not done.steps:
            self.app.note("nothing to do")

    def note(self, done: "Done") -> "Done":
        """Remember what has happened, for the audit log."""
        self._done.append(done)
        return done


def _actor(config: TicketsConfig, role: Role, name: str | None) -> Actor:
    """Who acts, as far as the configuration lets the user.

    Raises:
        Refused: it does not.
    """
    me = user()
    if not config.staff:
        return Actor(role, name or me)
    mine = config.staff.get(me)
    if mine is None or role not in mine.roles:
        raise Refused(f"the user {me} may not act as {role} on tickets (`tickets.staff` in the configuration)")
    seats = frozenset(mine.seats) if mine.seats is not None else None
    dealers = frozenset(mine.dealers) if mine.dealers is not None else None
    return Actor(role, name or me, seats, dealers)


def _moment(at: When | None) -> datetime:
    """When something happens.

    Raises:
        UsageError: that has not come yet.
    """
    from plugins.tickets.flow.desk import at_second

    now = at_second()
    if at is None:
        return now
    moment = at_second(at.span(ZoneInfo(current().tz), now)[0])
    if moment > now:
        raise UsageError(f"--at {at} has not come yet")
    return moment


def _table(done: "Done") -> "pl.DataFrame":
    """The steps as they are printed."""
    import polars as pl

    rows = [
        (each.ticket, each.asked.event, each.before, each.standing.state, each.standing.level, each.standing.seat,
         str(each.asked.data.get("shipment") or each.asked.data.get("payment") or "") or None)
        for each in done.steps
    ]  # fmt: skip
    schema = {
        "ticket": pl.String,
        "event": pl.String,
        "before": pl.String,
        "after": pl.String,
        "level": pl.Int32,
        "seat": pl.String,
        "number": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
