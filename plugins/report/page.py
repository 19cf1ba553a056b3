"""Sections with their rows -> one HTML page that needs nothing else: charts, tables, styles and scripts are in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from crm.cells import safe_for_terminal, text
from plugins.report.sections import Section

if TYPE_CHECKING:
    from jinja2 import Template

CELL: Final = 300
"""Longer texts are cut in tables; the command prints them whole."""

ROWS: Final = 400
"""More rows are not shown in a table; the command prints them all."""

_VEGA_LITE: Final = "6.4"
_START: Final = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Shown:
    """A section with what it shows.

    Attributes:
        section: The section.
        call: The command that prints the same, to copy.
        rows: Its rows.
    """

    section: Section
    call: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Page:
    """What stands on a page.

    Attributes:
        title: Its title.
        scope: What it is about: from when, until when, who.
        made: When it was made.
        shown: The sections that have something to show, in order.
    """

    title: str
    scope: str
    made: datetime
    shown: Sequence[Shown]


def html(page: Page) -> str:
    """The whole page."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for each in page.shown:
        parts.setdefault(each.section.part, []).append(_section(each))
    charts = {each.section.id: each.section.chart(each.rows) for each in page.shown}
    return _template().render(
        title=page.title,
        scope=page.scope,
        made=page.made.strftime("%Y-%m-%d %H:%M UTC"),
        parts=parts,
        charts=in_script(charts),
        style=_file("style.css"),
        script=_file("script.js"),
        library=library(),
    )


def in_script(value: object) -> str:
    """JSON that can stand in a script element, whatever texts are in it: no sign in it can end the element."""
    made = json.dumps(value, ensure_ascii=False, default=str, allow_nan=False)
    return made.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, which puts `vegaEmbed` into the window."""
    import vl_convert

    made: str = vl_convert.javascript_bundle(_START, vl_version=_VEGA_LITE)
    return made.replace("</script", "<\\/script")


def cells(rows: pl.DataFrame) -> list[list[str]]:
    """The first rows as texts, as they are shown: numbers with five significant digits, long texts cut."""
    frame = safe_for_terminal(rows.head(ROWS).lazy())
    texts = frame.with_columns(
        text(pl.col(name), kind).alias(name)
        for name, kind in frame.collect_schema().items()
        if not (kind.is_numeric() or kind in (pl.String, pl.Boolean))
    )
    return [[_cell(value) for value in row] for row in texts.collect().iter_rows()]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100_000 else f"{value:.5g}"
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return said if len(said) <= CELL else f"{said[:CELL]}…"


def _section(each: Shown) -> dict[str, Any]:
    """What the template is given of a section."""
    return {
        "id": each.section.id,
        "title": each.section.title,
        "says": each.section.says,
        "call": each.call,
        "columns": [(name, kind.is_numeric()) for name, kind in each.rows.schema.items()],
        "rows": cells(each.rows),
        "left_out": max(each.rows.height - ROWS, 0),
    }


def _template() -> "Template":
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("page.html.jinja"))


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")
