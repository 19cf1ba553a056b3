"""Quiet hours: when a message may go out that would otherwise reach its customer at night."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from crm.units import zones

QUIET: Final = "quiet"
"""In the data of a message: the quiet hours of its customer, when they begin and when they end, as `22:00`."""


def is_quiet(at: datetime, zone: str, begin: time, end: time) -> bool:
    """Whether a moment is in the quiet hours of a zone; their end is not.

    Args:
        at: The moment.
        zone: Name of the zone.
        begin: When they begin, by the clock of the zone.
        end: When they end; before `begin` if they go over midnight.
    """
    clock = at.astimezone(ZoneInfo(zone)).time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def after(at: datetime, zone: str, begin: time, end: time) -> datetime:
    """The moment itself, or, if it is quiet, when the quiet ends.

    When clocks are put back, the time at which the quiet ends may come twice, and when they are put forward it may not
    come at all; what is returned is never quiet, and as soon as can be.

    Args:
        at: The moment.
        zone: Name of the zone.
        begin: When the quiet hours begin, by the clock of the zone.
        end: When they end.

    Returns:
        A moment in UTC.
    """
    at = at.astimezone(UTC)
    if not is_quiet(at, zone, begin, end):
        return at
    local, area = at.astimezone(ZoneInfo(zone)), ZoneInfo(zone)
    ends = (
        datetime.combine(local.date() + timedelta(days=days), end, area).replace(fold=fold).astimezone(UTC)
        for days in range(3)
        for fold in (0, 1)
    )
    return min(each for each in ends if each > at and not is_quiet(each, zone, begin, end))


def awake_at(data: Mapping[str, Any], zone: str | None, usual: str, at: datetime) -> datetime:
    """When a message may go out that would at some moment.

    Args:
        data: Of the message.
        zone: That of its customer; None, or none that is known, for `usual`.
        usual: The zone of customers whose own is not known.
        at: The moment.

    Returns:
        The moment, or the end of the quiet hours that it is in.
    """
    try:
        begin, end = (time.fromisoformat(each) for each in data[QUIET])
    except (KeyError, TypeError, ValueError):  # there are none, or another program means something else by the word
        return at
    return after(at, zone if zone in zones() else usual, begin, end)


def send_after(people: pl.DataFrame, at: datetime, quiet: tuple[time, time] | None, usual: str) -> pl.DataFrame:
    """When each customer may be written to.

    Args:
        people: `customer` and `zone`, which may be null, or no zone that is known.
        at: No sooner than at this moment.
        quiet: When the quiet hours begin and end; None for none.
        usual: The zone of customers whose own is not known.

    Returns:
        `customer` and `send_after`, in UTC.
    """
    known = zones()
    zone = pl.when(pl.col("zone").is_in(known)).then("zone").otherwise(pl.lit(usual))
    rows = people.select("customer", zone.alias("zone"))
    moments = _by_zone(rows["zone"].unique(), at, quiet)
    return rows.join(moments, on="zone", how="left", maintain_order="left").select("customer", "send_after")


def _by_zone(names: Iterable[str], at: datetime, quiet: tuple[time, time] | None) -> pl.DataFrame:
    found = {zone: after(at, zone, *quiet) if quiet else at.astimezone(UTC) for zone in names}
    schema = {"zone": pl.String(), "send_after": pl.Datetime("us", "UTC")}
    return pl.DataFrame({"zone": list(found), "send_after": list(found.values())}, schema)
