"""What an import may change of tickets: nothing once they are under way; and each change is told in their stories."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from crm.access import user
from crm.errors import Unusable
from crm.masks import HIDDEN
from crm.messages import counted
from plugins.tickets import contracts
from plugins.tickets.flow.table import CHANGEABLE, FIRST

if TYPE_CHECKING:
    import sqlalchemy as sa

    from crm.workspace import Workspace

LOCKED: Final = " locked"
"""A column of rows: the state of the ticket, where the row says something else than is stored and may not."""
_BEHIND: Final = ("original", "source")
_FACTS: Final = tuple(each.name for each in contracts.TICKETS.columns if each.name not in ("ticket", *_BEHIND))
_PERSONAL: Final = tuple(each.name for each in contracts.TICKETS.columns if each.mask)
_STORED: Final = "stored "
_FEW: Final = 400
_CHANGE: Final = "change"


def held_against(workspace: "Workspace", rows: pl.DataFrame) -> pl.DataFrame:
    """Rows marked where their tickets can no longer be changed and they would change them.

    A row that says the same as such a ticket changes nothing at all, not even where it is said to come from.

    Args:
        workspace: The workspace.
        rows: With all fields, each with an id.
    """
    states = _states(workspace, rows["ticket"])
    states = states.filter(~pl.col("state").is_in(CHANGEABLE))
    if states.is_empty():
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias(LOCKED))
    stored = _stored(workspace, states["ticket"]).join(states.select("ticket", "state"), on="ticket")
    beside = rows.select("ticket").join(
        stored.rename({name: _STORED + name for name in stored.columns if name != "ticket"}),
        on="ticket",
        how="left",
        maintain_order="left",
    )
    both = pl.concat([rows, beside.drop("ticket")], how="horizontal")
    fixed = pl.col(f"{_STORED}state").is_not_null()
    marked = both.with_columns(
        # The category is worked out of codes, whose tables may have changed meanwhile.
        pl.when(fixed).then(pl.col(f"{_STORED}part_category")).otherwise("part_category").alias("part_category"),
        pl.when(fixed & _differs()).then(f"{_STORED}state").alias(LOCKED),
        *(pl.when(fixed).then(pl.col(_STORED + name)).otherwise(name).alias(name) for name in _BEHIND),
    )
    return marked.select(*rows.columns, LOCKED)


def _differs() -> pl.Expr:
    """Whether a row says something else than is stored; what it leaves out replaces nothing."""
    compared = (name for name in _FACTS if name != "part_category")
    return pl.any_horizontal(
        pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(_STORED + name)) for name in compared
    )


def _stored(workspace: "Workspace", ids: pl.Series, connection: "sa.Connection | None" = None) -> pl.DataFrame:
    return _of(workspace, contracts.TICKETS.name, ids, connection)


def _states(workspace: "Workspace", ids: pl.Series, connection: "sa.Connection | None" = None) -> pl.DataFrame:
    return _of(workspace, contracts.STATES.name, ids, connection)


def _of(workspace: "Workspace", table: str, ids: pl.Series, connection: "sa.Connection | None") -> pl.DataFrame:
    """The rows of some tickets: those of few are looked up, for many the table is read whole."""
    records = workspace.records
    wanted = ids.unique()
    if len(wanted) > _FEW:
        found = records.frame(table, connection=connection)
        return found.filter(pl.col("ticket").is_in(wanted.implode()))
    column = records.table(table).c.ticket
    return records.frame(table, where=column.in_(wanted.to_list()), connection=connection)


def write_changes(workspace: "Workspace", connection: "sa.Connection", rows: pl.DataFrame, known: pl.Series) -> None:
    """Tell in the stories of tickets what an import changes, before it does.

    Args:
        workspace: The workspace.
        connection: In the transaction of the import.
        rows: The rows that will be written.
        known: Which of them are of tickets that are there.

    Raises:
        Unusable: a ticket has gone on since the file was looked at, and can no longer be changed.
    """
    mine = rows.filter(known)
    if mine.is_empty():
        return
    states = _states(workspace, mine["ticket"], connection)
    late = states.filter(~pl.col("state").is_in(CHANGEABLE))
    old = _stored(workspace, mine["ticket"], connection)
    changed = _old_values(mine, old)
    stuck = changed.join(late, on="ticket", how="semi").height
    if stuck:
        raise Unusable(f"nothing is stored: {counted(stuck, 'ticket')} went on meanwhile; import the file again")
    if changed.is_empty():
        return
    now = datetime.now(UTC).replace(microsecond=0)
    at = pl.lit(now, dtype=pl.Datetime("us", "UTC"))
    standing = changed.join(states, on="ticket", how="left", maintain_order="left").with_columns(
        pl.col("state").fill_null(FIRST),
        pl.col("events").fill_null(0) + 1,
        pl.col("released").fill_null(value=False),
        pl.max_horizontal("changed", at).alias("changed"),
    )
    told = standing.select(
        "ticket",
        pl.col("events").alias("number"),
        pl.col("changed").alias("ts"),
        event=pl.lit(_CHANGE),
        before="state",
        after="state",
        level="level",
        seat="seat",
        role=pl.lit("dealer"),
        by=pl.lit(user()),
        remark=pl.lit(None, dtype=pl.String),
        data="data",
    )
    workspace.records.append(connection, contracts.EVENTS.name, told)
    workspace.records.upsert(connection, contracts.STATES.name, standing.drop("data"))


def _old_values(rows: pl.DataFrame, old: pl.DataFrame) -> pl.DataFrame:
    """What was there of each ticket before, as a JSON object of the columns that change; tickets of which none does
    are left out.
    """
    named = old.select("ticket", pl.col(*_FACTS).name.prefix(_STORED))
    both = rows.join(named, on="ticket", how="inner", maintain_order="left")
    parts = [pl.when(pl.col(name).ne_missing(pl.col(_STORED + name))).then(_told(name)) for name in _FACTS]
    text = pl.concat_str(parts, separator=",", ignore_nulls=True)
    told = both.select("ticket", text.alias("data")).filter(pl.col("data") != "")
    return told.with_columns(data="{" + pl.col("data") + "}")


def _told(name: str) -> pl.Expr:
    """A column's old value as a member of a JSON object; a personal one is not told, as stories are kept for good."""
    value = pl.lit(HIDDEN) if name in _PERSONAL else pl.col(_STORED + name)
    return pl.struct(value.alias(name)).struct.json_encode().str.slice(1).str.head(-1)
