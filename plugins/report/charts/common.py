"""What charts have in common: how pages are named, and how marks look in light and dark."""

from typing import Any, Final

import polars as pl

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"

LABEL: Final = 60
"""So many characters of a page's name stand at an axis; the table below has all of it."""

BAR: Final = 20
"""Height of a bar with its gap, in pixels."""


def spec(rows: pl.DataFrame, **parts: Any) -> dict[str, Any]:
    """A chart as wide as the page.

    Args:
        rows: Its data.
        parts: Mark, encoding, height and so on.
    """
    finite = rows.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name, kind in rows.schema.items() if kind.is_float()
    )  # JSON knows no others
    size = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
    return {"$schema": SCHEMA, **size, "data": {"values": finite.to_dicts()}, **parts}


def bars(
    rows: pl.DataFrame, name: str, value: str, title: str, *, colour: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Horizontal bars in the order of the rows.

    Args:
        rows: The rows.
        name: The column of the bars' names.
        value: The column of their lengths.
        title: What the lengths are.
        colour: How bars are coloured; None for all alike.
    """
    encoding = {
        "y": {"field": name, "type": "nominal", "sort": None, "title": None},
        "x": {"field": value, "type": "quantitative", "title": title},
        "tooltip": tooltips(rows),
    }
    if colour is not None:
        encoding["color"] = colour
    return spec(rows, mark="bar", encoding=encoding, height=BAR * rows.height)


def grid(rows: pl.DataFrame, x: dict[str, Any], y: dict[str, Any], colour: dict[str, Any], step: int) -> dict[str, Any]:
    """A field for each row, as dark as a number is great.

    Args:
        rows: The rows.
        x: What stands below, in Vega-Lite.
        y: What stands on the left.
        colour: The number, as `number` makes it.
        step: Height of a field, in pixels.
    """
    encoding = {"x": x, "y": y, "color": colour, "tooltip": tooltips(rows)}
    return spec(rows, mark="rect", encoding=encoding, height=step * rows[y["field"]].n_unique())


def number(name: str, scheme: str) -> dict[str, Any]:
    """A number as a colour, with its legend above."""
    legend = {"orient": "top"}
    return {"field": name, "type": "quantitative", "scale": {"scheme": scheme}, "legend": legend}


def share(name: str, title: str, scheme: str) -> dict[str, Any]:
    """A share as a colour: from 0 to 1, whatever shares there are."""
    scale, legend = {"scheme": scheme, "domain": [0, 1]}, {"orient": "top", "format": ".0%"}
    return {"field": name, "type": "quantitative", "title": title, "scale": scale, "legend": legend}


LEVEL: Final = {"labelAngle": 0, "labelOverlap": True}
"""An axis whose labels lie, and are left out where there is no room."""


def tooltips(rows: pl.DataFrame, *left_out: str) -> list[dict[str, Any]]:
    """All columns of a row, as they are, where the pointer is."""
    kinds = {name: _kind(kind) for name, kind in rows.schema.items() if name not in left_out}
    return [{"field": field(name), "type": kind, "title": name, **_format(kind)} for name, kind in kinds.items()]


def field(name: str) -> str:
    """The name of a column as Vega-Lite takes it: it reads dots and brackets as paths."""
    return "".join(f"\\{sign}" if sign in ".[]\\'\"" else sign for sign in name)


def shortened(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Rows whose texts in some columns are short enough for an axis; equal ones that differ behind are numbered."""
    return rows.with_columns(_short(rows[name]) for name in names)


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


def _kind(kind: pl.DataType) -> str:
    if kind.is_numeric():
        return "quantitative"
    return "temporal" if kind.is_temporal() else "nominal"


def _format(kind: str) -> dict[str, str]:
    return {"format": ",.4~g"} if kind == "quantitative" else {}
