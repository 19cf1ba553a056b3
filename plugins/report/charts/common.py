"""What charts have in common: how pages are named, and how marks look in light and dark."""

from typing import Any, Final

import polars as pl

from plugins.report.cells import cells

_TIP: Final = "tip"

LABEL: Final = 60
"""So many characters of a page's name stand at an axis; the table below has all of it."""

NOTHING: Final = "–"
"""Stands at an axis for what has no name."""

BAR: Final = 20
"""Height of a bar with its gap, in pixels."""


TIP: Final = {"value": {"expr": f"datum.{_TIP}"}}
"""The tooltip of a mark: the row that it stands for, as the table shows it."""


def spec(rows: pl.DataFrame, **parts: Any) -> dict[str, Any]:
    """A chart as wide as the page.

    Args:
        rows: Its data.
        parts: Mark, encoding, height and so on.
    """
    size = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    return {**size, "data": {"values": values(rows)}, **parts}


def values(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for a chart; what is no finite number is null, as JSON knows no others."""
    finite = rows.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, kind in rows.schema.items() if kind.is_float()
    )
    made = finite.to_dicts()
    for row in made:
        if _TIP in row:
            row[_TIP] = {name: cell for name, cell in row[_TIP].items() if cell}
    return made


def with_tips(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with what `TIP` shows of them: all their columns that have a value."""
    texts = pl.DataFrame(cells(rows), dict.fromkeys(rows.columns, pl.String), orient="row")
    return rows.with_columns(texts.to_struct(_TIP))


def bars(
    rows: pl.DataFrame, name: str, value: str, title: str, *, colour: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Horizontal bars in the order of the rows.

    Args:
        rows: The rows, with tips.
        name: The column of the bars' names.
        value: The column of their lengths.
        title: What the lengths are.
        colour: How bars are coloured; None for all alike.
    """
    encoding = {
        "y": {"field": name, "type": "nominal", "sort": None, "title": None},
        "x": {"field": value, "type": "quantitative", "title": title},
        "tooltip": TIP,
    }
    if colour is not None:
        encoding["color"] = colour
    return spec(shortened(rows, name), mark="bar", encoding=encoding, height=BAR * rows.height)


def grid(rows: pl.DataFrame, x: dict[str, Any], y: dict[str, Any], colour: dict[str, Any], step: int) -> dict[str, Any]:
    """A field for each row, as dark as a number is great.

    Args:
        rows: The rows, with tips.
        x: What stands below, in Vega-Lite.
        y: What stands on the left.
        colour: The number, as `number` makes it.
        step: Height of a field, in pixels.
    """
    encoding = {"x": x, "y": y, "color": colour, "tooltip": TIP}
    return spec(rows, mark="rect", encoding=encoding, height=step * rows[y["field"]].n_unique())


def number(name: str, scheme: str) -> dict[str, Any]:
    """A number as a colour, with its legend above."""
    legend = {"orient": "top", "tickCount": 4}
    return {"field": name, "type": "quantitative", "scale": {"scheme": scheme}, "legend": legend}


def share(name: str, title: str, scheme: str) -> dict[str, Any]:
    """A share as a colour: from 0 to 1, whatever shares there are."""
    scale, legend = {"scheme": scheme, "domain": [0, 1]}, {"orient": "top", "format": ".0%", "tickCount": 2}
    return {"field": name, "type": "quantitative", "title": title, "scale": scale, "legend": legend}


LEVEL: Final = {"labelAngle": 0, "labelOverlap": True}
"""An axis whose labels lie, and are left out where there is no room."""


def shortened(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Rows whose texts in some columns are short enough for an axis; equal ones that differ behind are numbered."""
    return rows.with_columns(_short(rows[name]).fill_null(NOTHING) for name in names)


def _short(values: pl.Series) -> pl.Series:
    """Short texts, as different as the long ones."""
    distinct = values.unique(maintain_order=True).drop_nulls()
    frame = pl.DataFrame({"long": distinct}).with_columns(
        pl.col("long").str.slice(0, LABEL).alias("short"), (pl.col("long").str.len_chars() > LABEL).alias("cut")
    )
    frame = frame.with_columns(
        pl.when("cut").then(pl.col("short") + "…").otherwise("short").alias("short"),
    ).with_columns(pl.int_range(pl.len()).over("short").alias("place"))
    named = pl.when(pl.col("place") > 0).then(pl.format("{} ({})", "short", pl.col("place") + 1)).otherwise("short")
    frame = frame.with_columns(named.alias("short"))
    return values.replace_strict(frame["long"], frame["short"], default=None, return_dtype=pl.String)
