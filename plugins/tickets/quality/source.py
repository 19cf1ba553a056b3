"""Tickets as quality looks at them: with cause, loss, settled amount, and since when the vehicle is in service."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

import polars as pl
import sqlalchemy as sa

from crm.filters import Filters
from crm.messages import counted
from crm.output import current
from crm.schema import polars_schema
from crm.storage.rows import incoming
from crm.tables import Column, Table
from plugins.tickets.contracts import TICKETS

if TYPE_CHECKING:
    from crm.app import App
    from crm.records import Records

SETTLED: Final = ("settled", "paid", "confirmed")
"""States in which the amount is owed or paid."""
FALLEN: Final = ("rejected", "withdrawn")
"""States of tickets that cost nothing."""
WITHDRAWN: Final = ("withdrawn",)
"""States of tickets that tell of no failure: one that is rejected still does."""

_STATE: Final = Column("state", "string", "where the ticket is")
JOINED: Final = Table(
    TICKETS.name,
    TICKETS.help,
    (*TICKETS.columns, _STATE),
    owner="tickets",
    store="records",
    by_date=False,
    key=TICKETS.key,
)
MONEY: Final = ("parts_cost", "labour_cost", "amount")
ALWAYS: Final = ("opened", *MONEY, "state")
_FROM: Final = {
    "fault_cause": ("fault_code",),
    "sold": ("vin", "produced"),
    "day": (),
    "loss": (),
    "settled": (),
}
"""From which columns of the table another one comes."""


def stored(app: "App", filters: Filters, columns: Sequence[str]) -> pl.DataFrame:
    """Tickets of the workspace.

    Args:
        app: The run of the program.
        filters: Which of them.
        columns: Which columns are needed: those of the contract, `fault_cause`, `sold`.

    Returns:
        These columns with `opened`, `day`, `state`, `loss` and `settled`.
    """
    records = app.workspace().records
    names = list(dict.fromkeys([*(each for name in columns for each in _FROM.get(name, (name,))), *ALWAYS]))
    if filters.where is not None:  # it may be about any column
        names = [column.name for column in JOINED.columns if not column.secret]
    parts = list(read(records, names, filters))
    tickets = pl.concat(parts) if parts else pl.DataFrame(schema=polars_schema(JOINED)).select(names)
    tickets = filters.matching(app, tickets.lazy()).collect()
    if "fault_cause" in columns:
        causes = records.frame("fault_codes", columns=["fault_code", "cause"]).rename({"cause": "fault_cause"})
        tickets = tickets.join(causes, on="fault_code", how="left", maintain_order="left")
    if "sold" in columns:
        tickets = _since_when(records, tickets)
    return worth(tickets)


def without(app: "App", tickets: pl.DataFrame, states: Sequence[str]) -> pl.DataFrame:
    """Tickets that are in none of some states; how many others there are is told."""
    kept = tickets.filter(~pl.col("state").is_in(states).fill_null(False))
    if kept.height < tickets.height:
        left = tickets.height - kept.height
        app.note(f"{counted(kept.height, 'ticket')}; {left:,} that were {' or '.join(states)} are left out")
    return kept


def read(records: "Records", names: Sequence[str], filters: Filters) -> Iterator[pl.DataFrame]:
    """Columns of tickets with their states, read in one query: a million tickets take seconds."""
    tickets, states = records.table(TICKETS.name), records.table("ticket_states")
    wanted = [states.c.state if name == "state" else tickets.c[name] for name in names]
    query = sa.select(*wanted).select_from(tickets.outerjoin(states, states.c.ticket == tickets.c.ticket))
    opened = tickets.c.opened
    if filters.since is not None:
        query = query.where(opened >= filters.since.replace(tzinfo=None))
    if filters.until is not None:
        query = query.where(opened < filters.until.replace(tzinfo=None))
    with records.engine.connect() as connection, closing(records.database.read(connection, query)) as parts:
        yield from incoming(JOINED, names, parts, lambda: None)


def _since_when(records: "Records", tickets: pl.DataFrame) -> pl.DataFrame:
    """`sold`: since when the vehicle is in service; where it is not known, null."""
    vehicles = records.frame("vehicles", columns=["vin", "sold", "produced"])
    known = vehicles.select("vin", pl.coalesce("sold", "produced").alias("sold"))
    return tickets.join(known, on="vin", how="left", maintain_order="left")


def worth(tickets: pl.DataFrame) -> pl.DataFrame:
    """With the day in the zone of the output, what was lost on parts and labour, and the amount where it is settled.

    Where neither parts nor labour are known, the amount is what was lost.
    """
    known = pl.any_horizontal(pl.col("parts_cost").is_not_null(), pl.col("labour_cost").is_not_null())
    both = pl.col("parts_cost").fill_null(0.0) + pl.col("labour_cost").fill_null(0.0)
    settled = pl.col("state").is_in(SETTLED).fill_null(False)
    return tickets.with_columns(
        pl.col("opened").dt.convert_time_zone(current().tz).dt.date().alias("day"),
        pl.when(known).then(both).otherwise(pl.col("amount").fill_null(0.0)).alias("loss"),
        pl.when(settled).then(pl.col("amount").fill_null(0.0)).otherwise(0.0).alias("settled"),
    )
