"""`crm interest export`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.exporting import for_excel_option, segment_option
from crm.filters import filtered_like
from crm.output import current, show, table_output
from plugins.interest.options import as_of_option, level_option

if TYPE_CHECKING:
    from datetime import date


@click.command(name="export")
@level_option
@as_of_option
@segment_option
@for_excel_option
@filtered_like("weight > 0.2")
@table_output("csv", columns="who level key weight events newest stance as_of")
@pass_app
def command(app: App, level: str | None, as_of: "date | None", segment: str | None, for_excel: bool) -> None:
    """Export the interests of everybody.

    They are worked out anew: one row a customer or visitor and category (levels 1 to 3), item or tag, the greatest
    weight of each level first. --since and --until are about the date of the newest event.

    \b
    Examples:
      crm interest export -o interests.csv
      crm interest export --level 3 --where "weight > 0.2" -f ndjson
      crm interest export --segment big_spenders --since 30d -o interests.xlsx
    """
    import polars as pl

    from crm.exporting import harmless
    from crm.filters import current_filters
    from crm.interest import building
    from crm.interest.persons import members

    rows = building.current(app, as_of)
    if segment is not None:
        rows = rows.filter(pl.col("who").is_in(members(app, segment).implode()))
    rows = rows if level is None else rows.filter(level=level)
    filters = current_filters()
    frame = filters.matching(app, filters.between(rows.lazy(), "newest"))
    show(app, frame, current(), finish=harmless if for_excel else None)
