"""Rows of events -> the stories of tickets: held against what is stored, followed by the work flow, and written.

Nothing of a story is changed: events that are there already and say the same are the same, others continue it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from crm.errors import Unusable
from crm.schema import polars_schema
from plugins.tickets import contracts
from plugins.tickets.flow.case import Standing
from plugins.tickets.flow.following import followed
from plugins.tickets.flow.story import standing_of, state_row
from plugins.tickets.records.codes import TICKET, unknown
from plugins.tickets.records.faults import AHEAD, faults_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from crm.workspace import Workspace

FAULT: Final = " fault"
BLAMED: Final = " blamed"
"""Columns of rows: why an event cannot be taken, and which of its columns is to blame."""
_KEY: Final = ["ticket", "number"]
_STORED: Final = "stored "
_SAID: Final = ("ts", "event", "before", "after", "level", "seat", "role", "by", "remark", "data")
_DERIVED: Final = ("before", "after", "level", "seat", "role")
_FEW: Final = 400


def events(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Events, numbered, with what the work flow tells of them, and marked where they cannot be taken.

    Events without a number are counted in the order of the file, ticket by ticket.
    """
    whole = pl.col("number").fill_null(pl.int_range(1, pl.len() + 1).over("ticket")).cast(pl.Int32)
    rows = rows.with_columns(whole, _exact("ts"), pl.col("level").cast(pl.Int32)).with_row_index(" at")
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(FAULT), pl.lit(None, dtype=pl.String).alias(BLAMED))
    rows = _twice(_beside(workspace, rows))
    new = rows.filter(pl.col(_STORED + "event").is_null() & pl.col(FAULT).is_null() & _keyed())
    latest = datetime.now(UTC) + AHEAD
    made = _told(new.unique(_KEY, keep="first", maintain_order=True), _standings(workspace, new["ticket"]), latest)
    taken = rows.join(made, on=" at", how="left", maintain_order="left").with_columns(
        pl.coalesce(FAULT, "new fault").alias(FAULT),
        pl.coalesce(BLAMED, "new blamed").alias(BLAMED),
        *(pl.coalesce(name, f"new {name}", _STORED + name).alias(name) for name in _DERIVED),
    )
    return _copied(taken).drop(
        " at",
        *(name for name in taken.columns if name.startswith((_STORED, "new "))),
    )


def _keyed() -> pl.Expr:
    return pl.all_horizontal(pl.col("ticket", "number", "ts", "event").is_not_null())


def _exact(column: str) -> pl.Expr:
    """Times to the second, as stories keep them."""
    return pl.col(column).dt.truncate("1s")


def _beside(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the stored event of the same number beside each; one that says something else is a fault."""
    stored = _of(workspace, contracts.EVENTS.name, rows["ticket"])
    named = stored.select(*_KEY, pl.col(*_SAID).name.prefix(_STORED))
    both = rows.join(named, on=_KEY, how="left", maintain_order="left")
    there = pl.col(_STORED + "event").is_not_null()
    other = there & pl.any_horizontal(
        pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(_STORED + name)) for name in _SAID
    )
    return both.with_columns(
        pl.when(other)
        .then(pl.lit("is there already and says something else; nothing in a story is changed"))
        .alias(FAULT),
        pl.when(other).then(pl.lit("number")).alias(BLAMED),
    )


def _twice(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows; those that repeat a number of the file and say something else are faults."""
    if not rows.select(pl.struct(_KEY).is_duplicated().any()).item():
        return rows
    said = pl.struct(_SAID)
    first = said.first().over(_KEY)
    other = pl.col("ticket").is_not_null() & pl.struct(_KEY).is_duplicated() & (said != first)
    return rows.with_columns(
        pl.when(other).then(pl.lit("stands twice in the file and says two things")).otherwise(FAULT).alias(FAULT),
        pl.when(other).then(pl.lit("number")).otherwise(BLAMED).alias(BLAMED),
    )


def _copied(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, of which those that repeat another have its derived values, too."""
    if not rows.select(pl.struct(_KEY).is_duplicated().any()).item():
        return rows
    return rows.with_columns(
        *(pl.col(name).fill_null(pl.col(name).drop_nulls().first().over(_KEY)) for name in _DERIVED)
    )


_TOLD: Final = {
    " at": pl.UInt32(),
    "new fault": pl.String(),
    "new blamed": pl.String(),
    "new before": pl.String(),
    "new after": pl.String(),
    "new level": pl.Int32(),
    "new seat": pl.String(),
    "new role": pl.String(),
}


def _told(new: pl.DataFrame, standings: Mapping[str, Standing], latest: datetime) -> pl.DataFrame:
    """What the work flow makes of new events, ticket by ticket in the order of their numbers.

    Args:
        new: Events; no two with one number.
        standings: Where their tickets are before them; those that are not named are where all begin.
        latest: What is later has not happened yet.

    Returns:
        A row each, with the columns of `_TOLD`.
    """
    ordered = new.sort(_KEY)
    found: list[tuple[Any, ...]] = []
    ticket, standing, stuck = None, Standing(), False
    for row in ordered.select(" at", *_KEY, *_SAID).iter_rows(named=True):
        if row["ticket"] != ticket:
            ticket, stuck = row["ticket"], False
            standing = standings.get(row["ticket"], Standing())
        if stuck:
            found.append((row[" at"], "follows an event that is not taken", "number", *[None] * 5))
            continue
        try:
            if row["ts"] > latest:
                raise ValueError("ts", "is in the future")  # told as those of the work flow
            before = standing.state
            standing, role = followed(standing, row)
            found.append((row[" at"], None, None, before, standing.state, standing.level, standing.seat, role))
        except ValueError as error:
            stuck = True
            column, reason = error.args if len(error.args) == 2 else ("event", str(error))
            found.append((row[" at"], reason, column, *[None] * 5))
    return pl.DataFrame(found, schema=_TOLD, orient="row")


def _standings(
    workspace: "Workspace", ids: pl.Series, connection: "sa.Connection | None" = None
) -> dict[str, Standing]:
    """Where tickets are to which something has happened."""
    states = _of(workspace, contracts.STATES.name, ids, connection)
    return {row["ticket"]: standing_of(row) for row in states.iter_rows(named=True)}


def _of(workspace: "Workspace", table: str, ids: pl.Series, connection: "sa.Connection | None" = None) -> pl.DataFrame:
    records, wanted = workspace.records, ids.drop_nulls().unique()
    if len(wanted) > _FEW:
        found = records.frame(table, connection=connection)
        return found.filter(pl.col("ticket").is_in(wanted.implode()))
    return records.frame(table, where=records.table(table).c.ticket.in_(wanted.to_list()), connection=connection)


def checked(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """What is wrong with events, as `events` has marked them, and those of tickets that there are not."""
    strange = unknown(workspace, rows, (TICKET,))
    parts = [
        faults_of(rows, column, rows[BLAMED] == column, rows[FAULT])
        for column in rows[BLAMED].drop_nulls().unique().sort()
    ]
    return pl.concat([strange, *(each.filter(~pl.col("row").is_in(strange["row"].implode())) for each in parts)])


def write_states(workspace: "Workspace", connection: "sa.Connection", rows: pl.DataFrame, known: pl.Series) -> None:
    """Write where tickets are after new events.

    Args:
        workspace: The workspace.
        connection: In the transaction of the import.
        rows: The events that will be written.
        known: Which of them are there already.

    Raises:
        Unusable: something has happened to a ticket since the file was looked at.
    """
    new = rows.filter(~known).sort(_KEY)
    if new.is_empty():
        return
    now = _standings(workspace, new["ticket"], connection)
    made: dict[str, Standing] = {}
    for row in new.iter_rows(named=True):
        ticket = row["ticket"]
        try:
            made[ticket] = followed(made.get(ticket) or now.get(ticket, Standing()), row)[0]
        except ValueError:
            raise Unusable("nothing is stored: tickets went on meanwhile; import the file again") from None
    found = pl.DataFrame([state_row(*each) for each in made.items()], schema=polars_schema(contracts.STATES))
    workspace.records.upsert(connection, contracts.STATES.name, found)
