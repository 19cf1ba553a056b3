"""What an import of seats does besides: a seat that it takes offline hands its tickets back."""

from typing import TYPE_CHECKING

import polars as pl
import sqlalchemy as sa

from plugins.tickets.config import TicketsConfig
from plugins.tickets.contracts import STATES
from plugins.tickets.flow.case import SYSTEM, Asked
from plugins.tickets.flow.desk import Desk, at_second

if TYPE_CHECKING:
    from crm.workspace import Workspace


def hand_back(workspace: "Workspace", connection: sa.Connection, rows: pl.DataFrame, known: pl.Series) -> None:
    """Let the tickets of seats that go offline wait again.

    Args:
        workspace: The workspace.
        connection: In the transaction of the import.
        rows: The seats that will be written.
        known: Which of them are there.
    """
    gone = rows.filter(known & (rows["state"] == "offline").fill_null(value=False))["seat"].to_list()
    if not gone:
        return
    states = workspace.records.table(STATES.name).c
    its = connection.execute(sa.select(states.ticket).where(states.seat.in_(gone)).order_by(states.ticket))
    at = at_second()
    desk = Desk(workspace, connection, TicketsConfig(), now=True)  # handing back depends on no setting
    desk.do(list(its.scalars()), lambda case: Asked("hand_back", SYSTEM, at, seat=case.standing.seat))
