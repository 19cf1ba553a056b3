"""Tables with users and items -> events that recommenders learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from crm.errors import Unusable, UsageError
from crm.intake.dates import moments, order_of
from crm.intake.numbers import as_numbers, decimal_point, numbers
from crm.nearest import no_column

NEEDED: Final = ("user", "item")
OPTIONAL: Final = ("ts", "weight")
_TIME: Final = pl.Datetime("us", "UTC")
_SCHEMA: Final = {"who": pl.String(), "item": pl.String(), "ts": _TIME, "weight": pl.Float64()}


@dataclass(frozen=True)
class Read:
    """Events of a table.

    Attributes:
        events: `who`, `item`, `ts`, `weight`, in the order of the table.
        left_out: How many rows are none, by why.
    """

    events: pl.DataFrame
    left_out: Mapping[str, int]


def events_of(table: pl.DataFrame, named: Mapping[str, str | None], zone: str) -> Read:
    """The events in a table.

    Args:
        table: One row an event.
        named: The columns with user, item, ts and weight; None for that of the same name. Times and weights need not
            be there unless they are named; without weights each event has the weight 1.
        zone: Where clocks showed times that name no zone.

    Raises:
        UsageError: a column is not there, or holds lists or the like.
        Unusable: more than half of its times or weights cannot be read.
    """
    found = {role: _column(table, role, named.get(role)) for role in (*NEEDED, *OPTIONAL)}
    who, item = (_text(found[role]) for role in NEEDED)
    ts, weight = found["ts"], found["weight"]
    read = pl.DataFrame(
        {
            "who": who,
            "item": item,
            "ts": _times(ts, zone) if ts is not None else pl.Series([None] * table.height, dtype=_TIME),
            "weight": _weights(weight) if weight is not None else pl.Series([1.0] * table.height, dtype=pl.Float64),
            "dated": _there(ts, table.height),
        },
        schema={**_SCHEMA, "dated": pl.Boolean()},
    )
    faults = {
        "without a user": pl.col("who") == "",
        "without an item": pl.col("item") == "",
        "with a time that cannot be read": pl.col("dated") & pl.col("ts").is_null(),
        "without a weight above 0": ~(pl.col("weight") > 0).fill_null(False),
    }
    why = pl.coalesce(pl.when(fault).then(pl.lit(reason)) for reason, fault in faults.items())
    judged = read.with_columns(why.alias("why"))
    counts = judged.filter(pl.col("why").is_not_null()).group_by("why", maintain_order=True).len()
    return Read(judged.filter(pl.col("why").is_null()).select(*_SCHEMA), dict(counts.iter_rows()))


def _column(table: pl.DataFrame, role: str, name: str | None) -> pl.Series | None:
    if (name or role) not in table.columns:
        if name is None and role in OPTIONAL:
            return None
        raise UsageError(f"--{role}: {no_column(name or role, table.columns)}")
    found = table[name or role]
    if found.dtype.is_nested() or found.dtype in (pl.Binary, pl.Object):
        raise UsageError(f"--{role}: the column `{name or role}` holds {found.dtype}, and one value a row is expected")
    return found


def _text(values: pl.Series | None) -> pl.Series:
    """Texts without blanks at the ends, empty for nothing."""
    if values is None:
        raise LookupError("users and items are needed")
    return values.cast(pl.String).fill_null("").str.strip_chars()


def _there(values: pl.Series | None, height: int) -> pl.Series:
    return pl.Series([False] * height, dtype=pl.Boolean) if values is None else _text(values) != ""


def _times(values: pl.Series, zone: str) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        return (
            values.dt.convert_time_zone("UTC").cast(_TIME)
            if values.dtype.time_zone
            else values.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC")
            .cast(_TIME)
        )
    if values.dtype == pl.Date:
        return (
            values.cast(pl.Datetime("us"))
            .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC")
            .cast(_TIME)
        )
    texts = _text(values)
    stamps = texts.str.extract(r"^(\d{9,10})(?:\.0+)?$").cast(pl.Int64)  # seconds since 1970, as many data sets have
    texts = texts.set(stamps.is_not_null(), None)
    found = moments(texts, order_of(texts.filter(texts != "")) or "day-first", zone)
    found = found.zip_with(
        stamps.is_null(), pl.from_epoch(stamps, time_unit="s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )
    return _mostly(values, found, "ts", "a time such as 2026-03-02 10:00:00")


def _weights(values: pl.Series) -> pl.Series:
    if values.dtype.is_numeric():
        return as_numbers(values)
    texts = _text(values)
    return _mostly(values, numbers(texts, decimal_point(texts.filter(texts != ""))), "weight", "a number such as 2.5")


def _mostly(given: pl.Series, found: pl.Series, role: str, expected: str) -> pl.Series:
    """What was read, if that is at least half of what is there."""
    there = _text(given) != ""
    lost = int((there & found.is_null()).sum())
    if 2 * lost > int(there.sum()):
        raise Unusable(
            f"--{role}: {lost:,} of {int(there.sum()):,} values of the column `{given.name}` cannot be read, and "
            f"{expected} is expected"
        )
    return found


def roles(given: Sequence[str | None]) -> dict[str, str | None]:
    """The columns that a user has named, by what they hold."""
    return dict(zip((*NEEDED, *OPTIONAL), given, strict=True))
