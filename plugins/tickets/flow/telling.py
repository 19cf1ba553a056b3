"""The whole story of tickets in one table: what the dealer wrote, all that happened, and what comes next."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from plugins.tickets.contracts import EVENTS, SHIPMENTS, TICKETS
from plugins.tickets.flow.case import Standing
from plugins.tickets.flow.guards import goes_back, needs_part
from plugins.tickets.flow.loading import cases, rows_where
from plugins.tickets.flow.machine import words
from plugins.tickets.flow.table import TRANSITIONS, Role

if TYPE_CHECKING:
    import sqlalchemy as sa

    from crm.records import Records
    from crm.workspace import Workspace
    from plugins.tickets.config import TicketsConfig
    from plugins.tickets.flow.case import Case

STORY: Final = {
    "ticket": pl.String(),
    "ts": pl.Datetime("us", "UTC"),
    "event": pl.String(),
    "state": pl.String(),
    "role": pl.String(),
    "by": pl.String(),
    "seat": pl.String(),
    "said": pl.String(),
}
_FACTS: Final = (
    ("dealer", "dealer"), ("model", "model"), ("batch", "batch"), ("mileage", "km"), ("labour_code", "labour"),
    ("fault_code", "fault"), ("fault_text", "text"), ("part", "part"), ("quantity", "quantity"), ("amount", "amount"),
)  # fmt: skip
_MEANT: Final = ("change", "withdraw", "hand_back", "assign", "lose", "hold", "release", "refuse")
"""Events that are no step forward, so nobody waits for them."""


def found(workspace: "Workspace", connection: "sa.Connection", what: str) -> list[str]:
    """The tickets that are meant: by id, number of a shipment, VIN, or what a customer is known by; oldest first.

    Raises:
        NothingFound: none is.
        UsageError: several customers are meant.
    """
    from crm.errors import NothingFound
    from crm.whose import CUSTOMERS, all_ids, customer_of

    records, text = workspace.records, what.strip()
    for table, column in ((TICKETS, "ticket"), (SHIPMENTS, "shipment"), (TICKETS, "vin")):
        rows = rows_where(records, connection, table.name, column, {text, text.upper()})
        if rows.height:
            return _oldest(records, connection, rows["ticket"].to_list())
    if CUSTOMERS in records.contracts:
        try:
            ids = all_ids(workspace, connection, customer_of(workspace, connection, text))
        except NothingFound:
            ids = [text]
        rows = rows_where(records, connection, TICKETS.name, "customer", ids)
        if rows.height:
            return _oldest(records, connection, rows["ticket"].to_list())
    raise NothingFound("no ticket has this id, and none is of a shipment, vehicle or customer that is known by it")


def _oldest(records: "Records", connection: "sa.Connection", ids: Sequence[str]) -> list[str]:
    rows = rows_where(records, connection, TICKETS.name, "ticket", ids)
    return rows.sort("opened", "ticket")["ticket"].to_list()


def story(records: "Records", connection: "sa.Connection", ids: Sequence[str], config: "TicketsConfig") -> pl.DataFrame:
    """All that is known of tickets, one after the other (`STORY`)."""
    known = cases(records, connection, ids, config)
    events = rows_where(records, connection, EVENTS.name, "ticket", ids).sort("ticket", "number")
    shipped = rows_where(records, connection, SHIPMENTS.name, "ticket", ids)
    parts = {row["shipment"]: row for row in shipped.iter_rows(named=True)}
    rows: list[dict[str, Any]] = []
    for name in ids:
        its = events.filter(ticket=name).iter_rows(named=True)
        rows += [_opened(known[name]), *(_event(row, parts) for row in its), *_next(known[name])]
    return pl.DataFrame(rows, schema=STORY)


def _opened(case: "Case") -> dict[str, Any]:
    facts = [f"{title} {_short(case.ticket[name])}" for name, title in _FACTS if case.ticket[name] not in (None, "")]
    return _row(case.id, case.ticket["opened"], "opened", "opened", "dealer", None, None, ", ".join(facts))


def _short(value: object) -> str:
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def _event(row: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An event, with what belongs to it."""
    data = json.loads(row["data"]) if row["data"] else {}
    was = _changed(data) if row["event"] == "change" else ()
    said = [row["remark"], *was, *_shipment(parts.get(str(data.get("shipment")), data)), data.get("payment")]
    texts = ", ".join(str(each) for each in said if each)
    return _row(
        row["ticket"],
        row["ts"],
        row["event"],
        row["after"],
        row["role"],
        row["by"],
        row["seat"] or data.get("seat"),
        texts,
    )


def _changed(data: Mapping[str, Any]) -> Iterable[str]:
    """What a ticket said before it was changed: `amount was 100`."""
    titles = dict(_FACTS)
    for name, value in data.items():
        yield f"{titles.get(name, name)} was {'empty' if value in (None, '') else _short(value)}"


def _shipment(row: Mapping[str, Any]) -> Iterable[str | None]:
    if not row.get("shipment"):
        return ()
    way = f" from {row.get('origin')} to {row['goal']}" if "goal" in row else ""
    return f"shipment {row['shipment']}{way}", f"by {row['carrier']}" if row.get("carrier") else None


def _next(case: "Case") -> list[dict[str, Any]]:
    """What may come next, and who must do it; nothing where the ticket has come to its end."""
    steps = next_steps(case)
    if not steps:
        return []
    said = " or ".join(words(event) for event, _ in steps)
    roles: list[Role] = list(dict.fromkeys(role for _, who in steps for role in who))
    held = f"held: {case.standing.held}" if case.standing.held else ""
    text = ", ".join(filter(None, [f"next: {said}", held]))
    return [_row(case.id, None, "next", case.standing.state, "/".join(roles), None, case.standing.seat, text)]


def next_steps(case: "Case") -> list[tuple[str, tuple[Role, ...]]]:
    """The events that lead on from where a ticket is, and who may do them."""
    found = {}
    for row in TRANSITIONS:
        if row.state != case.standing.state or row.event in _MEANT or not _fits(row.guards, case):
            continue
        found[row.event] = row.who
    if case.standing.held is not None:
        return [("release", ("clerk",))]
    return list(found.items())


def _fits(guards: Sequence[str], case: "Case") -> bool:
    """Whether what a ticket is allows a row: a part, or a part that goes back; all else may still come."""
    facts = {
        "needs part": needs_part(case),
        "needs no part": not needs_part(case),
        "part goes back": goes_back(case),
        "no part to come": not goes_back(case),
        "dealer has stock": True,
        "in no payment": case.standing.payment is None,
        "in a payment": case.standing.payment is not None,
    }
    return all(facts.get(name, True) for name in guards)


def _row(
    ticket: str,
    ts: datetime | None,
    event: str,
    state: str,
    role: str | None,
    by: str | None,
    seat: str | None,
    said: str,
) -> dict[str, Any]:
    values = (ticket, ts, event, state, role, by, seat, said or None)
    return dict(zip(STORY, values, strict=True))


def standing_in_words(standing: Standing) -> str:
    """Where a ticket is: `in review at level 2 with S01`."""
    level = f" at level {standing.level}" if standing.state == "in_review" else ""
    seat = f" with {standing.seat}" if standing.seat else ""
    return f"{words(standing.state)}{level}{seat}"
