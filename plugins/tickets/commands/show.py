"""`crm tickets show`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.tickets.acting import one_ticket

if TYPE_CHECKING:
    import polars as pl


@click.command(name="show")
@click.argument("what", shell_complete=one_ticket)
@table_output(columns="ticket ts event state role by seat said")
@pass_app
def command(app: App, what: str) -> "pl.DataFrame":
    """Tell the whole story of tickets.

    WHAT is the id of a ticket, the number of a shipment, a vehicle's VIN, or a customer by id, login, phone or e-mail:
    of a vehicle or customer all tickets are told, the oldest first. For each there is a row for what the dealer wrote,
    one for each event in order, and at last what comes next, and who must do it.

    \b
    Examples:
      crm tickets show T000123
      crm tickets show SF1234567890
      crm tickets show LSVAA4182E2123456 -f json
    """
    from plugins.tickets.config import TicketsConfig
    from plugins.tickets.flow.case import Standing
    from plugins.tickets.flow.loading import standings
    from plugins.tickets.flow.telling import found, standing_in_words, story

    workspace, config = app.workspace(), app.config.get("tickets", TicketsConfig)
    with workspace.records.snapshot() as connection:
        ids = found(workspace, connection, what)
        where = standings(workspace.records, connection, ids)
        rows = story(workspace.records, connection, ids, config)
    for name in ids:
        app.note(f"{name} is {standing_in_words(where.get(name, Standing()))}")
    return rows
