"""Sections with their rows -> one HTML page that needs nothing else: charts, tables, styles and scripts are in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from plugins.report.cells import cells
from plugins.report.sections import Section

if TYPE_CHECKING:
    from jinja2 import Template

    from plugins.report.gathering import Printed

ROWS: Final = 400
"""More rows are not shown in a table; the command prints them all."""

_VEGA_LITE: Final = "6.4"
_START: Final = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Shown:
    """A section with what it shows.

    Attributes:
        section: The section.
        printed: What its command has printed.
    """

    section: Section
    printed: "Printed"


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
    charts = {each.section.id: each.section.chart(each.printed.rows) for each in page.shown}
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


def _section(each: Shown) -> dict[str, Any]:
    """What the template is given of a section."""
    rows = each.printed.rows
    return {
        "id": each.section.id,
        "title": each.section.title,
        "says": each.section.says,
        "scope": _scope(each.printed.lacking),
        "notes": each.printed.notes,
        "call": each.printed.call,
        "columns": [(name, kind.is_numeric()) for name, kind in rows.schema.items()],
        "rows": cells(rows.head(ROWS)),
        "left_out": max(rows.height - ROWS, 0),
    }


def _scope(lacking: Sequence[str]) -> str:
    """In words, which of the limits of the report do not hold for a section."""
    times = {("since", "until"): "of all time", ("since",): "from the beginning on", ("until",): "up to now"}
    parts = [
        times.get(tuple(name for name in ("since", "until") if name in lacking), ""),
        "of everybody" if "segment" in lacking else "",
    ]
    said = " and ".join(part for part in parts if part)
    return f"This section is {said}." if said else ""


def _template() -> "Template":
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("page.html.jinja"))


def _file(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")
