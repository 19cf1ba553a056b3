"""The way of parts: `crm tickets ship`, `receive`, `lose` and `return-part`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from crm.app import App, pass_app
from crm.completing import stored
from crm.errors import NothingFound, UsageError
from crm.filters import When
from crm.output import table_output
from plugins.tickets.acting import Acting, by, ids
from plugins.tickets.flow.case import Asked
from plugins.tickets.flow.table import Event, Role

if TYPE_CHECKING:
    from plugins.tickets.flow.desk import Desk, Done

_SHIPMENTS = click.argument(
    "shipments", nargs=-1, required=True, metavar="SHIPMENT...", shell_complete=stored("shipments", "shipment")
)
_CARRIER = click.option("--carrier", metavar="NAME", help="Who carries it.")
_NUMBER = click.option("--number", metavar="N", help="Number of the shipment.  [default: one is made]")

_ARRIVES: dict[str, tuple[Event, Role]] = {"part": ("receive", "dealer"), "return": ("receive_return", "store")}


@click.command(name="ship")
@ids
@click.option("--source", metavar="PLACE", help="From where.  [default: the dealer's stock, else the nearest source]")
@_CARRIER
@_NUMBER
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def ship(
    app: App,
    ids: tuple[str, ...],
    source: str | None,
    carrier: str | None,
    number: str | None,
    by_name: str | None,
    at: When | None,
    remark_text: str | None,
) -> None:
    """See that approved repairs get their parts.

    What the dealer has in stock is used there. Else the part is sent by the first source that has enough of it, in the
    order of `tickets.sources` for the dealer's region. Where none has, the ticket is refused, and stays as it is.

    \b
    Examples:
      crm tickets ship T000123
      crm tickets ship T000124 --source north --carrier SF --number SF1234567890
    """
    from plugins.tickets.flow.parts import ship as asks

    _see_one(ids, number)
    acting = Acting(app, "store", by_name, at, remark_text)

    def work(desk: "Desk") -> "Done":
        ask = asks(desk, acting.actor, acting.at, acting.remark, source=source, carrier=carrier, number=number)
        return acting.note(desk.do(ids, ask))

    acting.tell(acting.run(work))


@click.command(name="return-part")
@ids
@_CARRIER
@_NUMBER
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def return_part(
    app: App,
    ids: tuple[str, ...],
    carrier: str | None,
    number: str | None,
    by_name: str | None,
    at: When | None,
    remark_text: str | None,
) -> None:
    """Store that defective parts have been sent back to the centre.

    \b
    Examples:
      crm tickets return-part T000123 --carrier SF
    """
    from plugins.tickets.flow.parts import return_part as asks

    _see_one(ids, number)
    acting = Acting(app, "dealer", by_name, at, remark_text)

    def work(desk: "Desk") -> "Done":
        ask = asks(desk, acting.actor, acting.at, acting.remark, carrier=carrier, number=number)
        return acting.note(desk.do(ids, ask))

    acting.tell(acting.run(work))


def _see_one(ids: tuple[str, ...], number: str | None) -> None:
    """See that a number is given to one shipment alone.

    Raises:
        UsageError: it is not.
    """
    if number is not None and len(set(ids)) > 1:
        raise UsageError("--number is of one shipment, so name one ticket")


@click.command(name="receive")
@_SHIPMENTS
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def receive(
    app: App, shipments: tuple[str, ...], by_name: str | None, at: When | None, remark_text: str | None
) -> None:
    """Store that shipments have arrived: parts at the dealer, or defective parts at the centre.

    \b
    Examples:
      crm tickets receive P-T000123-5
      crm tickets receive SF1234567890 --by "goods inward"
    """
    _move(app, shipments, by_name, at, remark_text, lost=False)


@click.command(name="lose")
@_SHIPMENTS
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def lose(app: App, shipments: tuple[str, ...], by_name: str | None, at: When | None, remark_text: str | None) -> None:
    """Give shipments up for lost: the part is sent again, or the defective part is asked for again.

    \b
    Examples:
      crm tickets lose P-T000123-5 --remark "the carrier has paid"
    """
    _move(app, shipments, by_name, at, remark_text, lost=True)


def _move(
    app: App, numbers: tuple[str, ...], by_name: str | None, at: When | None, remark: str | None, *, lost: bool
) -> None:
    """Let something happen to shipments, and so to their tickets; parts first, then defective ones."""
    from plugins.tickets.flow.desk import Done
    from plugins.tickets.flow.parts import kinds

    wanted = list(dict.fromkeys(numbers))
    known = kinds(app.workspace(), wanted)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        raise NothingFound(f"there is no shipment {', '.join(unknown[:5])}; `crm tickets loops` lists those under way")
    done, there = Done(), [kind for kind in _ARRIVES if kind in known.values()]
    actings = {kind: Acting(app, "store" if lost else _ARRIVES[kind][1], by_name, at, remark) for kind in there}
    for kind, acting in actings.items():
        its = [number for number in wanted if known[number] == kind]
        done.add(acting.run(_moved(acting, its, "lose" if lost else _ARRIVES[kind][0])))
    acting.tell(done)


def _moved(acting: Acting, numbers: list[str], event: Event) -> "Callable[[Desk], Done]":
    """What lets an event happen to the tickets of some shipments."""

    def work(desk: "Desk") -> "Done":
        from plugins.tickets.flow.desk import Done
        from plugins.tickets.flow.parts import shipments

        done, left = Done(), list(shipments(desk, numbers).values())
        while left:  # of several shipments of one ticket one after the other
            its = {row["ticket"]: row for row in reversed(left)}
            done.add(desk.do(list(its), lambda case, its=its: _arrived(acting, its[case.id], event)))  # type: ignore[misc]  # bound here
            left = [row for row in left if its[row["ticket"]] is not row]
        return acting.note(done)

    return work


def _arrived(acting: Acting, row: dict[str, Any], event: Event) -> Asked | str:
    for column, said in (("received", "has arrived already"), ("lost", "was given up")):
        if row[column] is not None:
            return f"the shipment {row['shipment']} {said}"
    return Asked(event, acting.actor, acting.at, acting.remark, data={"shipment": row["shipment"]})
