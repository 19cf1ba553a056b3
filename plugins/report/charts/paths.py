"""Charts of pages and paths."""

import math
from typing import Any

import polars as pl

from plugins.report.charts.common import TIP, bars, grid, number, share, shortened, spec, values, with_tips

PAGES = 14
"""So many pages at most are drawn as a graph or a grid; the table below has all."""

_REACH = 1.7
"""How far the plane of the circle goes to the right and to the left of its middle."""
_ROOM = f"max(40, width * {(1 - 1 / _REACH) / 2:.3f} - 14)"
"""How long a name beside the circle may be, in pixels."""
_GAP = 0.09
"""How far before a page the line of a step to it ends; the circle has the radius 1."""


def pages(rows: pl.DataFrame) -> dict[str, Any]:
    """Views of pages, with their exit rate as colour."""
    colour = share("exit_rate", "exit rate", "orangered")
    return bars(with_tips(rows), "page", "views", "views", colour=colour)


def funnel(rows: pl.DataFrame) -> dict[str, Any]:
    """Sessions that have come to each step."""
    named = with_tips(rows).with_columns(pl.format("{}. {}", "step", "name").alias("name"))
    return bars(named, "name", "sessions", "sessions")


def flows(rows: pl.DataFrame) -> dict[str, Any]:
    """Sessions by first and last page."""
    first, last = (_most(rows, name, "sessions") for name in ("entry", "exit"))
    shown = shortened(with_tips(rows.filter(pl.col("entry").is_in(first), pl.col("exit").is_in(last))), "entry", "exit")
    x = {
        "field": "exit",
        "type": "nominal",
        "title": "last page",
        "sort": None,
        "axis": {"labelAngle": -60, "labelLimit": 160, "labelOverlap": False},
    }
    y = {"field": "entry", "type": "nominal", "title": "first page", "sort": None}
    return grid(shown, x, y, number("sessions", "blues"), 22)


def _most(rows: pl.DataFrame, name: str, by: str) -> list[str]:
    """The values of a column that stand for most."""
    sums = rows.group_by(name).agg(pl.col(by).sum()).sort(by, name, descending=[True, False])
    return sums[name].head(PAGES).to_list()


def transitions(rows: pl.DataFrame) -> dict[str, Any]:
    """The main pages on a circle, and the steps between them as lines."""
    both = pl.concat([rows.select(pl.col(name).alias("page"), "count") for name in ("page", "next")])
    main = _most(both, "page", "count")
    shown = shortened(with_tips(rows.filter(pl.col("page").is_in(main), pl.col("next").is_in(main))), "page", "next")
    names = list(dict.fromkeys([*shown["page"], *shown["next"]]))
    places = {name: _on_circle(at, len(names)) for at, name in enumerate(names)}
    nodes = pl.DataFrame([{"page": name, "x": x, "y": y, "right": x >= 0} for name, (x, y) in places.items()])
    edges: list[dict[str, Any]] = [
        {**row, "x": places[row["page"]][0], "y": places[row["page"]][1], **_near(places, row["page"], row["next"])}
        for row in values(shown)
        if row["page"] != row["next"]
    ]
    axis, upright = _plain(_REACH), _plain(1.2)
    ends: dict[str, Any] = {"x": {"field": "x", **axis}, "y": {"field": "y", **upright}}
    width = {"field": "count", "type": "quantitative", "scale": {"range": [0.5, 8]}, "legend": None}
    drawn = {"values": edges}
    return spec(
        nodes,
        height=460,
        layer=[
            {
                "data": drawn,
                "mark": {"type": "rule", "opacity": 0.35, "color": "#4c78a8"},
                "encoding": {**ends, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "size": width, "tooltip": TIP},
            },
            {
                "data": drawn,
                "mark": {"type": "circle", "opacity": 0.9, "color": "#4c78a8", "size": 40},
                "encoding": {"x": {"field": "x2", **axis}, "y": {"field": "y2", **upright}, "tooltip": TIP},
            },
            {"mark": {"type": "circle", "size": 160, "color": "#f58518"}, "encoding": ends},
            _labels(ends, right=True),
            _labels(ends, right=False),
        ],
    )


def _labels(ends: dict[str, Any], *, right: bool) -> dict[str, Any]:
    """Names of the pages on one side of the circle, outside of it."""
    side = {"align": "left", "dx": 12} if right else {"align": "right", "dx": -12}
    return {
        "transform": [{"filter": f"datum.right === {'true' if right else 'false'}"}],
        "mark": {"type": "text", "limit": {"expr": _ROOM}, **side},
        "encoding": {**ends, "text": {"field": "page"}},
    }


def _plain(reach: float) -> dict[str, Any]:
    """A direction of the plane without an axis."""
    return {"type": "quantitative", "axis": None, "scale": {"domain": [-reach, reach]}}


def _on_circle(at: int, number: int) -> tuple[float, float]:
    angle = 2 * math.pi * at / number
    return round(math.sin(angle), 4), round(math.cos(angle), 4)


def _near(places: dict[str, tuple[float, float]], start: str, end: str) -> dict[str, Any]:
    """Where the line of a step ends: a little before the next page, so that both directions are seen."""
    (x, y), (x2, y2) = places[start], places[end]
    kept = 1 - _GAP / math.dist((x, y), (x2, y2))
    return {"x2": round(x + kept * (x2 - x), 4), "y2": round(y + kept * (y2 - y), 4)}


def patterns(rows: pl.DataFrame) -> dict[str, Any]:
    """In how many sessions each pattern is."""
    return bars(with_tips(rows), "pattern", "support", "sessions")


def rules(rows: pl.DataFrame) -> dict[str, Any]:
    """Rules by lift, with their confidence as colour."""
    named = with_tips(rows).with_columns(pl.format("{} => {}", "antecedent", "consequent").alias("rule"))
    colour = share("confidence", "confidence", "blues")
    return bars(named, "rule", "lift", "lift", colour=colour)


def clusters(rows: pl.DataFrame) -> dict[str, Any]:
    """How many sessions each cluster has."""
    named = with_tips(rows).with_columns(pl.format("{}: {}", "cluster", "distinguishing").alias("name"))
    return bars(named, "name", "size", "sessions")
