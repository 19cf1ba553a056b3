"""The desk: lets events happen to tickets in a workspace, with all that they change, in one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

from plugins.tickets.contracts import EVENTS, STATES
from plugins.tickets.flow import effects
from plugins.tickets.flow.case import Asked, Case, Step
from plugins.tickets.flow.guards import CHECKS
from plugins.tickets.flow.loading import Rows, cases, seats_with_work
from plugins.tickets.flow.machine import failed_guard, step
from plugins.tickets.flow.story import as_row, state_row

if TYPE_CHECKING:
    from crm.records import Records
    from crm.workspace import Workspace
    from plugins.tickets.config import TicketsConfig

Ask: TypeAlias = "Callable[[Case], Asked | str]"
"""What is to happen to a ticket, or why nothing can; it sees what earlier tickets have left, of stock say."""

_GIVEN: Final = ("assign", "hand_back")
"""These happen to tickets that nobody has named, because something else has happened."""
UNKNOWN: Final = "there is no such ticket"


@dataclass
class Done:
    """What became of some tickets.

    Attributes:
        steps: What has happened, in order.
        refused: Tickets to which nothing has happened, and why.
        unknown: Ids that no ticket has.
    """

    steps: list[Step] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, other: "Done") -> None:
        """Put what became of more tickets to it."""
        self.steps += other.steps
        self.refused |= other.refused
        self.unknown += other.unknown


class Desk:
    """Tickets in a transaction.

    Args:
        workspace: The workspace.
        connection: To its records, in a transaction (`Records.begin`).
        config: The section `tickets`.
        now: Whether events happen now, whatever the clock says: clocks of several machines differ, and who has waited
            for the records has looked at the clock before the one who was first. Such an event is told as of the last.
    """

    def __init__(
        self, workspace: "Workspace", connection: sa.Connection, config: "TicketsConfig", *, now: bool = False
    ) -> None:
        self.workspace, self.connection, self.config, self._now = workspace, connection, config, now
        self.records: Records = workspace.records

    def seats(self, now: datetime) -> Rows:
        """All seats, with what they have to do."""
        return seats_with_work(self.records, self.connection, now)

    def do(self, ids: Sequence[str], ask: Ask, *, seats: Rows | None = None) -> Done:
        """Let an event happen to tickets, one after the other.

        Args:
            ids: The tickets; one that is named twice counts once.
            ask: What is to happen to each.
            seats: Seats, where a ticket is given to one.
        """
        wanted = list(dict.fromkeys(ids))
        known = cases(self.records, self.connection, wanted, self.config, seats)
        done = Done(unknown=[name for name in wanted if name not in known])
        for name in wanted:
            if name in known:
                self._one(known[name], ask, done)
        self._store(done.steps, known)
        return done

    def _one(self, case: Case, ask: Ask, done: Done) -> None:
        asked, last = ask(case), case.standing.changed
        if isinstance(asked, Asked) and last is not None and asked.at < last and self._follows(asked):
            asked = replace(asked, at=last)
        found = asked if isinstance(asked, str) else self._too_early(case, asked) or step(case, asked)
        if isinstance(found, Step):
            done.steps.append(found)
            effects.at_once(case, found)
            return
        done.refused[case.id] = found
        if not isinstance(asked, str) and asked.event == "settle" and failed_guard(case, asked) in CHECKS:
            held = step(case, replace(asked, event="hold", remark=found, data={}))
            if isinstance(held, Step):
                done.steps.append(held)

    def _follows(self, asked: Asked) -> bool:
        """Whether an event is told as of the last one where it seems to be before it."""
        return self._now or asked.event in _GIVEN

    def _too_early(self, case: Case, asked: Asked) -> str | None:
        """Why an event cannot have been then; what happens now may be before a time of opening that named no zone."""
        opened = case.ticket["opened"]
        if self._follows(asked) or opened is None or asked.at >= at_second(opened):
            return None
        return f"it was opened at {opened:%Y-%m-%d %H:%M:%S} UTC, and this would be before it"

    def _store(self, steps: Sequence[Step], known: Mapping[str, Case]) -> None:
        """Write events, where tickets are now, and what else has changed."""
        import polars as pl

        from crm.schema import polars_schema

        if not steps:
            return
        events = [as_row(each) for each in steps]
        last = {each.ticket: state_row(each.ticket, each.standing) for each in steps}
        for contract, rows, write in (
            (EVENTS, events, self.records.append),
            (STATES, list(last.values()), self.records.upsert),
        ):
            schema = polars_schema(contract)
            write(self.connection, contract.name, pl.DataFrame(rows, schema=schema))
        effects.store(self, steps, known)


@contextmanager
def opened(workspace: "Workspace", config: "TicketsConfig", *, now: bool = False) -> Iterator[Desk]:
    """A desk in a transaction of its own."""
    with workspace.records.begin() as connection:
        yield Desk(workspace, connection, config, now=now)


def at_second(moment: datetime | None = None) -> datetime:
    """A moment, or now, in UTC, to the second: as events keep it."""
    return (moment or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some values that are there, as an event's data."""
    return {name: value for name, value in values.items() if value is not None}
