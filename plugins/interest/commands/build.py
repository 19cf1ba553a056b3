"""`crm interest build`."""

from typing import TYPE_CHECKING

import click

from crm.access import require
from crm.app import App, pass_app
from crm.output import impersonal, table_output
from plugins.interest.options import as_of_option

if TYPE_CHECKING:
    from datetime import date

    import polars as pl


@click.command(name="build")
@as_of_option
@table_output(columns="level keys people events")
@pass_app
def command(app: App, as_of: "date | None") -> "pl.DataFrame":
    """Work out what everybody is interested in, and keep it as a table.

    The table `interests` has a weight for each customer and visitor and each category of level 1 to 3, item and tag:
    made of views, time on pages, searches, carts, orders and feedback, which tell less the older they are, beside what
    customers have said themselves. Other commands work it out anew whenever they need it; the table is for `crm query`.

    One row a level: how many different keys there are, of how many people, and on how many events they rest. Stderr
    tells what counts nowhere.

    \b
    Examples:
      crm interest build
      crm interest build --as-of 2026-03-15
      crm -c configs/shop.yaml interest build -f json
    """
    from crm.interest import building
    from plugins.interest.telling import missed, summary

    require(app, "analyse")
    with app.working("reading what people have done"):
        found = building.evidence(app, as_of)
        rows = building.with_stances(found.interests(), building.stances(app), found.as_of)
    with app.workspace().lock():
        building.store(app, rows)
    people = rows["who"].n_unique()
    who = "1 customer or visitor" if people == 1 else f"{people:,} customers and visitors"
    app.note(f"the interests of {who}, as of {found.as_of}")
    for sentence in missed(app, found):
        app.note(sentence)
    impersonal()
    return summary(rows)
