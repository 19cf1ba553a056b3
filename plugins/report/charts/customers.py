"""Charts of customers."""

from typing import Any

import polars as pl

from plugins.report.charts import common
from plugins.report.charts.common import TIP, bars, spec, with_tips


def grid(rows: pl.DataFrame) -> dict[str, Any]:
    """Customers by their scores of recency and frequency."""
    x = {"field": "r", "type": "ordinal", "title": "recency", "axis": common.LEVEL}
    y = {"field": "f", "type": "ordinal", "title": "frequency", "sort": "descending"}
    return common.grid(with_tips(rows), x, y, common.number("customers", "greens"), 36)


def segments(rows: pl.DataFrame) -> dict[str, Any]:
    """Members of segments."""
    return bars(with_tips(rows), "segment", "members", "members")


def interests(rows: pl.DataFrame) -> dict[str, Any]:
    """What people are interested in."""
    return bars(with_tips(rows), "key", "weight", "sum of weights")


def effect(rows: pl.DataFrame) -> dict[str, Any]:
    """Shares of the arms of campaigns with their intervals; money is in the table alone."""
    shares = rows.filter(pl.col("rate").is_not_null(), pl.col("arm") != "lift", pl.col("what") != "revenue")
    named = with_tips(shares).with_columns(pl.format("{}: {}", "campaign", "what").alias("name"))
    rate = {"field": "rate", "type": "quantitative", "title": "share", "axis": {"format": ".0%"}}
    name = {"field": "name", "type": "nominal", "sort": None, "title": None}
    colour = {"field": "arm", "type": "nominal", "legend": {"orient": "top"}, "title": None}
    return spec(
        named,
        height=26 * named["name"].n_unique(),
        layer=[
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "y": name,
                    "yOffset": {"field": "arm"},
                    "x": {**rate, "field": "low"},
                    "x2": {"field": "high"},
                    "color": colour,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {
                    "y": name,
                    "yOffset": {"field": "arm"},
                    "x": rate,
                    "color": colour,
                    "tooltip": TIP,
                },
            },
        ],
    )
