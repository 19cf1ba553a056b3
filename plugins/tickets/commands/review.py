"""Review: `crm tickets submit`, `assign`, `queue`, `review` and `seat`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import NothingFound, UsageError
from crm.filters import When
from crm.output import impersonal, table_output
from plugins.tickets.acting import Acting, by, one_seat, one_ticket
from plugins.tickets.acting import ids as ids_argument
from plugins.tickets.contracts import SEATS
from plugins.tickets.flow.case import Asked
from plugins.tickets.flow.table import Event

if TYPE_CHECKING:
    import polars as pl

    from plugins.tickets.flow.desk import Desk, Done

_CHOICES: dict[str, Event] = {"approve": "approve", "reject": "reject", "send-back": "send_back"}


@click.command(name="submit")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=one_ticket)
@click.option("--all", "every", is_flag=True, help="All tickets that are opened, and not submitted yet.")
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def submit(
    app: App, ids: tuple[str, ...], every: bool, by_name: str | None, at: When | None, remark_text: str | None
) -> None:
    """Hand tickets in for review, new ones or those that were sent back.

    They are given to seats at once, as far as seats have room.

    \b
    Examples:
      crm tickets submit T000123
      crm tickets submit --all
    """
    if bool(ids) == every:
        raise UsageError("name tickets, or say --all")
    acting = Acting(app, "dealer", by_name, at, remark_text)
    asked = Asked("submit", acting.actor, acting.at, acting.remark)

    def work(desk: "Desk") -> "Done":
        from plugins.tickets.flow.queues import new

        done = acting.note(desk.do(new(desk, acting.actor.dealers) if every else ids, lambda _case: asked))
        return _given(acting, desk, done)

    acting.tell(acting.run(work))


@click.command(name="assign")
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def assign_command(app: App, by_name: str | None, at: When | None, remark_text: str | None) -> None:
    """Give tickets that wait for a review to seats.

    The oldest first. A seat can take a ticket if it is online, reviews its level, knows its part category, has fewer
    tickets than `tickets.open_per_seat` and has not approved it at another level; of several that can, the one with
    the fewest tickets gets it, then the one that was given the fewest today.

    This happens by itself whenever a ticket is submitted or reviewed and whenever a seat comes or goes.

    \b
    Examples:
      crm tickets assign
    """
    from plugins.tickets.flow.desk import Done

    acting = Acting(app, "agent", by_name, at, remark_text)
    acting.tell(acting.run(lambda desk: _given(acting, desk, acting.note(Done()))))


@click.command(name="review")
@ids_argument
@click.option("--seat", required=True, metavar="SEAT", shell_complete=one_seat, help="The seat that reviews.")
@click.option(
    "--as",
    "what",
    type=click.Choice(list(_CHOICES)),
    default="approve",
    show_default=True,
    help="What becomes of them; to reject or to send back takes a --remark.",
)
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def review(
    app: App,
    ids: tuple[str, ...],
    seat: str,
    what: str,
    by_name: str | None,
    at: When | None,
    remark_text: str | None,
) -> None:
    """Approve, reject or send back tickets that a seat has.

    An amount that reaches a bound of `tickets.levels` takes one more level of review, by another seat; the last level
    approves the repair. The seat is then given the next ticket.

    \b
    Examples:
      crm tickets review T000123 --seat S01
      crm tickets review T000124 --seat S01 --as send-back --remark "which pump?"
    """
    if what != "approve" and not remark_text:
        raise UsageError("say why, with --remark")
    acting = Acting(app, "agent", by_name, at, remark_text)
    asked = Asked(_CHOICES[what], acting.actor, acting.at, acting.remark, seat)

    def work(desk: "Desk") -> "Done":
        done = acting.note(desk.do(ids, lambda _case: asked))
        return _given(acting, desk, done)

    acting.tell(acting.run(work))


@click.command(name="seat")
@click.argument("seat", shell_complete=one_seat)
@click.argument("state", type=click.Choice(["online", "offline"]))
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def seat_command(
    app: App, seat: str, state: str, by_name: str | None, at: When | None, remark_text: str | None
) -> None:
    """Bring a seat online or offline.

    Going offline, it hands its tickets back, and they are given to others.

    \b
    Examples:
      crm tickets seat S01 online
      crm tickets seat S01 offline
    """
    from plugins.tickets.flow.seats import move_seat

    acting = Acting(app, "agent", by_name, at, remark_text)

    def work(desk: "Desk") -> "Done":
        done = move_seat(desk, seat, state, acting.actor, acting.at)
        if done is None:
            raise NothingFound(f"there is no seat {seat}; `crm centre seats list` lists them")
        _note_waiting(acting, desk)
        return acting.note(done)

    done = acting.run(work)
    app.note(f"the seat {seat} is {state}")
    if done.steps or done.refused:
        acting.tell(done)


def _given(acting: Acting, desk: "Desk", done: "Done") -> "Done":
    """What has become of tickets, with what was given to seats because of it."""
    from plugins.tickets.flow.seats import assign

    done.add(assign(desk, acting.at))
    _note_waiting(acting, desk)
    return done


def _note_waiting(acting: Acting, desk: "Desk") -> None:
    """Say how many tickets no seat could take."""
    from plugins.tickets.flow.seats import waiting

    if count := waiting(desk):
        wait = "1 ticket waits" if count == 1 else f"{count:,} tickets wait"
        acting.app.note(f"{wait} for a seat; `crm tickets queue` lists who has what")


@click.command(name="queue")
@click.option("--seat", metavar="SEAT", shell_complete=one_seat, help="Only what this seat has.")
@table_output(columns="ticket opened level seat dealer part_category amount")
@pass_app
def queue(app: App, seat: str | None) -> "pl.DataFrame":
    """List the tickets that are in review: who has them, and which wait for a seat.

    \b
    Examples:
      crm tickets queue
      crm tickets queue --seat S01
    """
    from plugins.tickets.flow.queues import in_review

    impersonal()
    workspace = app.workspace()
    if seat is not None and seat not in workspace.records.frame(SEATS.name)["seat"]:
        raise NothingFound(f"there is no seat {seat}; `crm centre seats list` lists them")
    return in_review(workspace, seat)
