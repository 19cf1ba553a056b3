"""Charts of traffic."""

from typing import Any

import polars as pl

from plugins.report.charts.common import LEVEL, TIP, bars, grid, number, spec, with_tips


def days(rows: pl.DataFrame) -> dict[str, Any]:
    """Hits, those of robots, views and sessions by day; a click on the legend shows one alone."""
    what = ["hits", "views", "robots", "sessions"]
    wide = with_tips(rows).with_columns(pl.col("start").dt.strftime("%Y-%m-%d").alias("day"))
    long = pl.concat(
        [wide.select("day", "tip", pl.lit(each).alias("what"), pl.col(each).alias("number")) for each in what]
    )
    chosen = {"name": "chosen", "select": {"type": "point", "fields": ["what"]}, "bind": "legend"}
    return spec(
        long,
        params=[chosen],
        height=220,
        mark={"type": "line", "point": True},
        encoding={
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": LEVEL},
            "y": {"field": "number", "type": "quantitative", "title": None},
            "color": {"field": "what", "type": "nominal", "sort": what, "title": None, "legend": {"orient": "top"}},
            "opacity": {"condition": {"param": "chosen", "value": 1}, "value": 0.15},
            "tooltip": TIP,
        },
    )


def lines(rows: pl.DataFrame) -> dict[str, Any]:
    """What became of the lines of all logs."""
    kinds = ("hits", "filtered", "rejected", "blank")
    totals = pl.DataFrame({"what": kinds, "lines": [int(rows[kind].sum()) for kind in kinds]})
    return bars(with_tips(totals), "what", "lines", "lines")


def hours(rows: pl.DataFrame) -> dict[str, Any]:
    """Visits by hour and weekday."""
    x = {"field": "hour", "type": "ordinal", "title": "hour", "axis": LEVEL}
    y = {"field": "day", "type": "ordinal", "sort": None, "title": None}
    return grid(with_tips(rows), x, y, number("visits", "blues"), 24)
