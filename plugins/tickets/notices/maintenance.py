"""Vehicles that are due for maintenance, by time in service or by how far they have gone, whichever comes first.

The k-th maintenance of a vehicle is due k intervals after it was sold, or when it has gone k times so many km. How far
it has gone today is extrapolated from what was read: of the vehicle itself, and at its tickets.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from plugins.tickets.contracts import TICKETS, VEHICLES

if TYPE_CHECKING:
    from crm.workspace import Workspace
    from plugins.tickets.config import NoticesConfig

_APART: Final = 90
"""Two readings tell how far a vehicle goes a day if they are at least so many days apart."""
_DAY_US: Final = 86_400_000_000
_TIME: Final = pl.Datetime("us", "UTC")
_TOLD: Final = ("vin", "model", "dealer", "on", "km")


def maintenance(workspace: "Workspace", config: "NoticesConfig", at: datetime) -> pl.DataFrame:
    """The vehicles in service whose maintenance is due soon, or was a short while ago.

    Args:
        workspace: The workspace.
        config: The section `tickets.notices`.
        at: As of which moment, UTC.

    Returns:
        `finding.NOTICES`, one row a vehicle at most.
    """
    vehicles, readings = _vehicles(workspace, at), _readings(workspace, at)
    rows = due(vehicles, readings, config, at)
    rows = rows.with_columns(
        pl.col("due").dt.strftime("%Y-%m-%d").alias("on"),
        (pl.col("number") * pl.lit(config.every_km, dtype=pl.Float64)).alias("km"),
    )
    return rows.with_columns(
        pl.lit("maintenance").alias("kind"),
        pl.lit(None, dtype=pl.String).alias("ticket"),
        pl.struct(_TOLD).struct.json_encode().alias("data"),
        pl.format("ticket-maintenance:{}:{}", "vin", "number").alias("key"),
    )


def due(vehicles: pl.DataFrame, readings: pl.DataFrame, config: "NoticesConfig", at: datetime) -> pl.DataFrame:
    """The latest maintenance of each vehicle that is due within the time ahead, if it is not old news.

    Args:
        vehicles: `vin`, `sold` (a date, may be null), and whatever else.
        readings: `vin`, `day` (a date) and `km`; several a vehicle.
        config: The section `tickets.notices`.
        at: As of which moment, UTC.

    Returns:
        The vehicles with `number` (the how-manieth maintenance) and `due`.
    """
    soon = pl.lit(at + config.ahead).cast(_TIME)
    rows = vehicles.join(pace(readings), on="vin", how="left")
    sold = pl.col("sold").cast(_TIME)
    counts, moments = [pl.lit(0, dtype=pl.Int64)], [pl.lit(None, dtype=_TIME)]
    if config.every is not None:
        every = pl.lit(config.every).cast(pl.Duration("us"))
        counts.append(((soon - sold).dt.total_microseconds() // every.dt.total_microseconds()).fill_null(0))
        moments.append(sold + every * pl.col("number"))
    if config.every_km is not None:
        gone = pl.col("km") + pl.col("per_day") * (soon - pl.col("day").cast(_TIME)).dt.total_microseconds() / _DAY_US
        counts.append((gone // config.every_km).cast(pl.Int64).fill_null(0))
        moments.append(_reached(pl.col("number") * config.every_km))
    rows = rows.with_columns(pl.max_horizontal(counts).alias("number"))
    rows = rows.with_columns(pl.min_horizontal(moments).dt.truncate("1d").alias("due"))
    now = pl.lit(at).cast(_TIME)
    return rows.filter(
        pl.col("number") > 0, pl.col("due") <= soon, now < pl.col("due") + pl.lit(config.within)
    )  # fmt: skip


def _reached(km: pl.Expr) -> pl.Expr:
    """When a vehicle reaches, or reached, so many km."""
    days = (km - pl.col("km")) / pl.col("per_day")
    shift = (days * _DAY_US).round().cast(pl.Int64, strict=False).cast(pl.Duration("us"))
    return pl.when(pl.col("per_day") > 0).then(pl.col("day").cast(_TIME) + shift)


def pace(readings: pl.DataFrame) -> pl.DataFrame:
    """How far vehicles had gone when that was read last, and how far they go a day.

    The pace is that between the last reading and the latest one that is at least 90 days older; vehicles without such a
    pair, or that have gone backwards, have none.

    Args:
        readings: `vin`, `day` and `km`; several a vehicle. Of several of one day the greatest counts.

    Returns:
        `vin`, `day`, `km`, `per_day`.
    """
    days = readings.drop_nulls().group_by("vin", "day").agg(pl.col("km").max())
    last = days.sort("vin", "day").group_by("vin", maintain_order=True).last()
    older = days.join(last.select("vin", pl.col("day").alias("to")), on="vin")
    older = older.filter((pl.col("to") - pl.col("day")).dt.total_days() >= _APART)
    base = older.sort("vin", "day").group_by("vin", maintain_order=True).last()
    pairs = last.join(base.select("vin", pl.col("day").alias("from"), pl.col("km").alias("was")), on="vin", how="left")
    per_day = (pl.col("km") - pl.col("was")) / (pl.col("day") - pl.col("from")).dt.total_days()
    return pairs.select("vin", "day", "km", pl.when(per_day > 0).then(per_day).alias("per_day"))


def _vehicles(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    """Vehicles in service that have a customer."""
    columns = ["vin", "model", "dealer", "customer", "sold", "gone"]
    rows = workspace.records.frame(VEHICLES.name, columns=columns)
    here = pl.col("gone").is_null() | (pl.col("gone") > at.date())
    return rows.filter(here, pl.col("customer").is_not_null()).drop("gone")


def _readings(workspace: "Workspace", at: datetime) -> pl.DataFrame:
    """All that was read until a moment: none when it was sold, then what is known of the vehicle and its tickets."""
    records = workspace.records
    vehicles = records.frame(VEHICLES.name, columns=["vin", "sold", "mileage", "read"])
    tickets = records.frame(TICKETS.name, columns=["vin", "opened", "mileage"])
    parts = (
        vehicles.select("vin", pl.col("sold").alias("day"), pl.lit(0.0).alias("km")),
        vehicles.select("vin", pl.col("read").alias("day"), pl.col("mileage").alias("km")),
        tickets.select("vin", pl.col("opened").dt.date().alias("day"), pl.col("mileage").alias("km")),
    )
    return pl.concat(parts).drop_nulls().filter(pl.col("day") <= at.date())
