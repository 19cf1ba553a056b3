"""`crm interest summary`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.exporting import segment_option
from crm.output import table_output
from plugins.interest.options import as_of_option, level_option

if TYPE_CHECKING:
    from datetime import date

    import polars as pl


@click.command(name="summary")
@level_option
@as_of_option
@segment_option
@table_output(columns="level key people weight first wanted unwanted")
@pass_app
def command(app: App, level: str | None, as_of: "date | None", segment: str | None) -> "pl.DataFrame":
    """List what people are interested in, all together.

    One row a category (levels 1 to 3), item or tag: how many `people` have an interest in it, the sum of their weights,
    for how many it is the `first` of its level, and how many want it or do not by their own words. Interests are worked
    out anew, those of customers and of visitors.

    \b
    Examples:
      crm interest summary --level 3 -n 10
      crm interest summary --level 1 --segment big_spenders
    """
    from crm.interest import building, summing
    from crm.interest.persons import members
    from crm.output import impersonal

    rows = building.current(app, as_of)
    if segment is not None:
        rows = rows.filter(rows["who"].is_in(members(app, segment).implode()))
    impersonal()
    return summing.summary(rows if level is None else rows.filter(level=level))
