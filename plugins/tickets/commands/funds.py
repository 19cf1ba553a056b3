"""Money: `crm tickets settle`, `batch`, `pay` and `confirm`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.completing import stored
from crm.errors import NothingFound, UsageError
from crm.filters import When
from crm.output import current, impersonal, show, table_output
from plugins.tickets.acting import Acting, by, one_ticket
from plugins.tickets.flow.case import Asked
from plugins.tickets.flow.table import Event, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.tickets.flow.desk import Desk, Done

_DEALER = click.option(
    "--dealer", metavar="DEALER", shell_complete=stored("dealers", "dealer"), help="Only this dealer's."
)
_PAYMENTS = click.argument(
    "payments", nargs=-1, required=True, metavar="PAYMENT...", shell_complete=stored("payments", "payment")
)


@click.command(name="settle")
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=one_ticket)
@click.option("--all", "every", is_flag=True, help="All tickets that can be, as far as their state tells.")
@_DEALER
@by
@table_output(columns="ticket event before after level seat number")
@pass_app
def settle(
    app: App,
    ids: tuple[str, ...],
    every: bool,
    dealer: str | None,
    by_name: str | None,
    at: When | None,
    remark_text: str | None,
) -> None:
    """Settle tickets: what the dealer asks for is right, and can be paid.

    Only a ticket that the customer has signed, and whose defective part has come back where one must, can be settled.
    Its amount must be that of standard hours times the dealer's rate, and parts (within `tickets.tolerance`), and there
    must be no other ticket of the same vehicle and labour code shortly before, or settled already and shortly after
    (`tickets.twin_within`). Where one of the last two is not so, the ticket is held, and a person must release it.
    Tickets that cannot be settled are told with the reason, the others are settled, and the exit code is 7.

    \b
    Examples:
      crm tickets settle T000123
      crm tickets settle --all --dealer D07
    """
    from plugins.tickets.flow.funds import ready

    if bool(ids) == every:
        raise UsageError("name tickets, or say --all")
    if dealer is not None and not every:
        raise UsageError("--dealer goes with --all")
    acting = Acting(app, "clerk", by_name, at, remark_text, "settle")
    asked = Asked("settle", acting.actor, acting.at, acting.remark)

    def work(desk: "Desk") -> "Done":
        from plugins.tickets.flow.funds import may_be_settled

        _see_dealer(desk, dealer)
        wanted = may_be_settled(desk, ready(desk, ["signed", "part_returned"], dealer=dealer)) if every else ids
        return acting.note(desk.do(wanted, lambda _case: asked))

    acting.tell(acting.run(work))


@click.command(name="batch")
@_DEALER
@by
@table_output(columns="payment dealer tickets total")
@pass_app
def batch(app: App, dealer: str | None, by_name: str | None, at: When | None, remark_text: str | None) -> None:
    """Put settled tickets together for payment, one payment a dealer.

    \b
    Examples:
      crm tickets batch
      crm tickets batch --dealer D07 -o payment.csv
    """
    import polars as pl

    from crm.schema import polars_schema
    from plugins.tickets.contracts import PAYMENTS
    from plugins.tickets.flow.funds import batch as make

    acting = Acting(app, "clerk", by_name, at, remark_text, "settle")

    def work(desk: "Desk") -> "list[dict[str, object]]":
        _see_dealer(desk, dealer)
        rows, done = make(desk, acting.actor, acting.at, dealer)
        acting.note(done)
        return rows

    rows = acting.run(work)
    impersonal()
    show(
        app,
        pl.DataFrame(rows, schema=polars_schema(PAYMENTS)).select("payment", "dealer", "tickets", "total"),
        current(),
    )
    if not rows:
        app.note("no settled ticket waits for a payment")


def _see_dealer(desk: "Desk", dealer: str | None) -> None:
    """See that a dealer is one.

    Raises:
        NothingFound: nothing is known of it.
    """
    from plugins.tickets.contracts import DEALERS, TICKETS
    from plugins.tickets.flow.loading import any_row

    if dealer is not None and not any(any_row(desk, table.name, "dealer", dealer) for table in (DEALERS, TICKETS)):
        raise NothingFound(f"there is no dealer {dealer}; `crm centre dealers list` lists them")


def _payment_command(name: str, event: Event, role: Role, text: str) -> click.Command:
    """A command that lets an event happen to all tickets of payments."""

    @click.command(name=name, help=text)
    @_PAYMENTS
    @by
    @table_output(columns="ticket event before after level seat number")
    @pass_app
    def command(
        app: App, /, payments: tuple[str, ...], by_name: str | None, at: When | None, remark_text: str | None
    ) -> None:
        acting = Acting(app, role, by_name, at, remark_text, "settle")
        acting.tell(acting.run(_paid(acting, event, payments)))

    return command


def _paid(acting: Acting, event: Event, payments: tuple[str, ...]) -> "Callable[[Desk], Done]":
    def work(desk: "Desk") -> "Done":
        from plugins.tickets.flow.desk import Done
        from plugins.tickets.flow.funds import of_payment

        done = Done()
        for payment in dict.fromkeys(payments):
            its = of_payment(desk, payment)
            if its is None:
                raise NothingFound(f"there is no payment {payment}; `crm tickets loops` lists those that are open")
            asked = Asked(event, acting.actor, acting.at, acting.remark, data={"payment": payment})
            done.add(desk.do(its, lambda _case, asked=asked: asked))  # type: ignore[misc]  # bound here
        return acting.note(done)

    return work


pay = _payment_command(
    "pay",
    "pay",
    "clerk",
    """Store that payments have been paid.

    \b
    Examples:
      crm tickets pay PAY-000012
    """,
)

confirm = _payment_command(
    "confirm",
    "confirm",
    "dealer",
    """Store that dealers have confirmed the money of payments.

    \b
    Examples:
      crm tickets confirm PAY-000012
    """,
)
