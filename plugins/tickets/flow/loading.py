"""Tickets with all that decides about them, read for many tickets in few statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from plugins.tickets.contracts import DEALERS, EVENTS, LABOUR, PARTS, SEATS, STATES, STOCK, TICKETS
from plugins.tickets.flow.case import Case, Standing
from plugins.tickets.flow.story import standing_of

if TYPE_CHECKING:
    import polars as pl

    from crm.records import Records
    from plugins.tickets.config import TicketsConfig
    from plugins.tickets.flow.desk import Desk

_CHUNK: Final = 500
"""So many ids are asked for at once."""
_NEVER_PAID: Final = ("rejected", "withdrawn")
_PAID: Final = ("settled", "paid", "confirmed")

Rows = dict[str, dict[str, Any]]


def rows_where(
    records: "Records", connection: sa.Connection, table: str, column: str, values: Iterable[str]
) -> "pl.DataFrame":
    """Rows of a table with one of some values in a column."""
    import polars as pl

    from crm.schema import polars_schema

    wanted = sorted({value for value in values if value is not None})
    if not wanted:
        return pl.DataFrame(schema=polars_schema(records.contracts[table]))
    of = records.table(table).c[column]
    parts = [
        records.frame(table, where=of.in_(wanted[at : at + _CHUNK]), connection=connection)
        for at in range(0, len(wanted), _CHUNK)
    ]
    return pl.concat(parts)


def any_row(desk: "Desk", table: str, column: str, value: str) -> bool:
    """Whether a table has a row with a value in a column."""
    of = desk.records.table(table).c[column]
    return desk.connection.execute(sa.select(of).where(of == value).limit(1)).first() is not None


def by_key(rows: "pl.DataFrame", key: str) -> Rows:
    """Rows as dicts by a column."""
    return {row[key]: row for row in rows.iter_rows(named=True)}


def standings(records: "Records", connection: sa.Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """Where tickets are; those to which nothing has happened yet are not in it."""
    rows = rows_where(records, connection, STATES.name, "ticket", ids)
    return {row["ticket"]: standing_of(row) for row in rows.iter_rows(named=True)}


def cases(
    records: "Records",
    connection: sa.Connection,
    ids: Sequence[str],
    config: "TicketsConfig",
    seats: Rows | None = None,
) -> dict[str, Case]:
    """Tickets with all that guards ask for, by id; unknown ones are not in it. They share what they have in common.

    Args:
        records: The records.
        connection: To them.
        ids: The tickets.
        config: The section `tickets`.
        seats: Seats as `seats_with_work` gives them; None where no seat is given a ticket.
    """
    tickets = by_key(rows_where(records, connection, TICKETS.name, "ticket", ids), "ticket")
    if not tickets:
        return {}
    where = standings(records, connection, list(tickets))

    def beside(table: str, key: str) -> Rows:
        return by_key(rows_where(records, connection, table, key, (row[key] for row in tickets.values())), key)

    dealers, labour, parts = (beside(t.name, t.key[0]) for t in (DEALERS, LABOUR, PARTS))
    stock: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows_where(
        records, connection, STOCK.name, "part", (each["part"] for each in tickets.values())
    ).iter_rows(named=True):
        stock[row["part"]][row["place"]] = row["quantity"] or 0.0
    twins = _twins(records, connection, tickets, config)
    return {
        name: Case(
            ticket=row,
            standing=where.get(name, Standing()),
            config=config,
            dealer=dealers.get(row["dealer"], {}),
            labour=labour.get(row["labour_code"], {}),
            part=parts.get(row["part"], {}),
            stock=stock[row["part"]],
            seats=seats or {},
            twins=twins.get(name, ()),
        )
        for name, row in tickets.items()
    }


def _twins(
    records: "Records", connection: sa.Connection, tickets: Rows, config: "TicketsConfig"
) -> dict[str, tuple[str, ...]]:
    """Other tickets of the same vehicle and labour code that were opened at about the same time.

    Of those that were opened before, all that are or may be paid; of later ones only what is settled already: of two
    one can be settled as it is, whichever is first.
    """
    with_vin = [row for row in tickets.values() if row["vin"] and row["labour_code"] and row["opened"]]
    near: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    rows = rows_where(records, connection, TICKETS.name, "vin", (row["vin"] for row in with_vin)) if with_vin else None
    if rows is None:
        return {}
    others = rows.select("ticket", "vin", "labour_code", "opened").drop_nulls()
    where = {name: each.state for name, each in standings(records, connection, others["ticket"].to_list()).items()}
    for name, vin, code, opened in others.iter_rows():
        if where.get(name) not in _NEVER_PAID:
            near[vin, code].append((opened, name))
    found = {}
    for row in with_vin:
        mine = (row["opened"], row["ticket"])
        beside = (each for each in sorted(near[row["vin"], row["labour_code"]]) if each != mine)
        found[row["ticket"]] = tuple(
            name
            for at, name in beside
            if abs(row["opened"] - at) <= config.twin_within and ((at, name) < mine or where.get(name) in _PAID)
        )
    return found


def seats_with_work(records: "Records", connection: sa.Connection, now: datetime) -> Rows:
    """All seats by id, each with `open`, the tickets that it has, and `today`, those of since midnight UTC."""
    seats = by_key(records.frame(SEATS.name, connection=connection), "seat")
    states, events = records.table(STATES.name).c, records.table(EVENTS.name).c
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    work = {
        "open": sa.select(states.seat, sa.func.count()).where(states.seat.is_not(None)).group_by(states.seat),
        "today": sa.select(events.seat, sa.func.count())
        .where(events.event == "assign", events.ts >= midnight)
        .group_by(events.seat),
    }
    for name, wanted in work.items():
        counts: dict[str, int] = dict(tuple(row) for row in connection.execute(wanted))
        for seat, row in seats.items():
            row[name] = counts.get(seat, 0)
    return seats
