"""Charts of appraisal tickets."""

from typing import Any

import polars as pl

from plugins.report.charts.common import TIP, bars, shortened, spec, with_tips


def pareto(rows: pl.DataFrame) -> dict[str, Any]:
    """What each category costs, and the running share."""
    name = rows.columns[0]
    shown = shortened(with_tips(rows), name)
    x = {
        "field": name,
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": -60, "labelLimit": 160, "labelOverlap": False},
    }
    running = {"field": "running", "type": "quantitative", "title": "running share", "axis": {"format": ".0%"}}
    return spec(
        shown,
        height=260,
        resolve={"scale": {"y": "independent"}},
        layer=[
            {
                "mark": "bar",
                "encoding": {"x": x, "y": {"field": "loss", "type": "quantitative"}, "tooltip": TIP},
            },
            {
                "mark": {"type": "line", "point": {"color": "#f58518"}, "color": "#f58518"},
                "encoding": {"x": x, "y": {**running, "scale": {"domain": [0, 1]}}},
            },
        ],
    )


def warnings(rows: pl.DataFrame) -> dict[str, Any]:
    """How many times as many tickets as were to be expected."""
    named = with_tips(rows).with_columns(pl.format("{}: {}", "kind", "cell").alias("name"))
    return bars(named, "name", "lift", "times as many as expected")
