"""`crm report`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crm.app import App, pass_app
from crm.errors import NothingFound, Unusable
from crm.options import in_folder

if TYPE_CHECKING:
    from plugins.report.config import ReportConfig
    from plugins.report.page import Shown

_ENDINGS: Final = (".html", ".htm")


def _html_file(context: click.Context, param: click.Parameter, value: Path) -> Path:
    """Find out before the run whether the file can be made after it, and is called what it is."""
    if value.suffix.lower() not in _ENDINGS and (value.is_file() or not value.exists()):  # a device has no ending
        raise click.BadParameter(f"the report is HTML, and {value} does not end in {' or '.join(_ENDINGS)}.")
    in_folder(context, param, value)
    return value


@click.command(name="report")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    callback=_html_file,
    help="HTML file to write.",
)
@click.option("--since", metavar="WHEN", help="Nothing earlier, as in `crm logs traffic`, where a section can tell.")
@click.option("--until", metavar="WHEN", help="Nothing later, as in `crm logs traffic`, where a section can tell.")
@click.option("--segment", metavar="NAME", help="Only members of this segment, where a section can tell.")
@click.option("--tz", metavar="NAME", help="Time zone of the times, such as Asia/Shanghai.")
@click.option("--title", metavar="TEXT", help="Title of the page.  [default: report.title of the configuration]")
@pass_app
def command(
    app: App,
    file: Path,
    since: str | None,
    until: str | None,
    segment: str | None,
    tz: str | None,
    title: str | None,
) -> None:
    """Write a report to look at: one HTML file with charts.

    The file needs no network and nothing beside it. Charts tell their numbers under the pointer; under each is a table
    with the same numbers, and the command that prints them. What the workspace has nothing of is left out. Personal
    values are masked.

    Sections: traffic by day, where the lines of logs went, visits by hour and weekday, pages, funnel (`report.funnel`
    in the configuration names its steps), first and last pages, steps between pages, patterns, rules, clusters,
    customers by recency and frequency, segments, interests, campaigns, what repairs cost, and early warnings.

    \b
    Examples:
      crm report -o report.html
      crm report -o march.html --since 2026-03-01 --until 2026-03-31 \\
          --title "March"
      crm report -o big-spenders.html --segment big_spenders
    """
    from crm.atomic import replacing
    from plugins.report.config import ReportConfig
    from plugins.report.page import Page, html

    config = app.config.get("report", ReportConfig)
    app.workspace()
    _check_library()
    given = {"since": since, "until": until, "segment": segment, "tz": tz}
    with app.working("crm report"):
        shown = _shown(app, config, given)
        if not shown:
            raise NothingFound("the workspace has nothing to report yet; begin with `crm logs mine FILE`")
        page = html(Page(title or config.title, _scope(given), datetime.now(UTC), shown))
    with replacing(file) as out:
        out.write(page.encode("utf-8", "replace"))
    app.note(f"{file}: {len(shown)} sections, {len(page.encode()) / 1e6:,.1f} MB")


def _check_library() -> None:
    try:
        import vl_convert  # noqa: F401 - it is seen whether it is there
    except ImportError:
        raise Unusable("charts need the package vl-convert-python: pip install 'crm-toolkit[report]'") from None


def _shown(app: App, config: "ReportConfig", given: dict[str, str | None]) -> "list[Shown]":
    """The sections that have something to show."""
    from plugins.report.gathering import printed
    from plugins.report.page import Shown
    from plugins.report.sections import sections

    found = ((section, printed(app, section.words, given)) for section in sections(config))
    return [Shown(section, rows) for section, rows in found if rows is not None and section.has(rows.rows)]


def _scope(given: dict[str, str | None]) -> str:
    """What the page is about, in words."""
    names = {"since": "since", "until": "until", "segment": "of the segment", "tz": "times in"}
    said = [f"{names[name]} {value}" for name, value in given.items() if value is not None]
    return ", ".join(["What the workspace has", *said]) if said else "All that the workspace has"
