"""Charts of traffic."""

from typing import Any

import polars as pl

from plugins.report.charts.common import LEVEL, bars, grid, number, spec, tooltips


def days(rows: pl.DataFrame) -> dict[str, Any]:
    """Hits of people and robots by day as an area, and sessions as a line; a click on the legend shows one alone."""
    people = pl.col("hits") - pl.col("robots")
    day = pl.col("start").dt.strftime("%Y-%m-%d").alias("day")
    wide = rows.select(day, people.alias("hits of people"), pl.col("robots").alias("hits of robots"), "sessions")
    long = wide.unpivot(index="day", variable_name="what", value_name="number")
    chosen = {"name": "chosen", "select": {"type": "point", "fields": ["what"]}, "bind": "legend"}
    return spec(
        long,
        params=[chosen],
        height=220,
        mark={"type": "line", "point": True},
        encoding={
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": LEVEL},
            "y": {"field": "number", "type": "quantitative", "title": None},
            "color": {"field": "what", "type": "nominal", "title": None, "legend": {"orient": "top"}},
            "opacity": {"condition": {"param": "chosen", "value": 1}, "value": 0.15},
            "tooltip": tooltips(long),
        },
    )


def lines(rows: pl.DataFrame) -> dict[str, Any]:
    """What became of the lines of all logs."""
    kinds = ("hits", "filtered", "rejected", "blank")
    totals = pl.DataFrame({"what": kinds, "lines": [int(rows[kind].sum()) for kind in kinds]})
    return bars(totals, "what", "lines", "lines")


def hours(rows: pl.DataFrame) -> dict[str, Any]:
    """Visits by hour and weekday."""
    x = {"field": "hour", "type": "ordinal", "title": "hour", "axis": LEVEL}
    y = {"field": "day", "type": "ordinal", "sort": None, "title": None}
    return grid(rows, x, y, number("visits", "blues"), 24)
