"""`crm interest show`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.errors import NothingFound
from crm.output import table_output
from plugins.interest.options import as_of_option, level_option

if TYPE_CHECKING:
    from datetime import date

    import polars as pl


@click.command(name="show")
@click.argument("who")
@click.option("--explain", is_flag=True, help="List what makes each weight, event by event.")
@level_option
@as_of_option
@table_output(columns="level key title weight stance events newest why date kind what count age_days contribution")
@pass_app
def command(app: App, who: str, explain: bool, level: str | None, as_of: "date | None") -> "pl.DataFrame":
    """Show what somebody is interested in, and why.

    WHO is an id, or a login, phone number, e-mail address or id number in any writing; a login that is no customer's;
    or `visitor:` and the id of a visitor who never said who it is.

    One row a category (levels 1 to 3), item and tag, of each level the greatest weight first. `weight` is the share of
    all that is known of this person, shrunk where little is known; below 0 is what was dismissed. `stance` is what the
    customer has said: wanted or unwanted. `why` counts the events; terms that were looked for count for the categories
    of the items that they fit. With --explain, one row a day, kind of event and page, term, order or message: how often
    (`dwell` in minutes), how old, and its contribution; all contributions to a key sum to its weight.

    \b
    Examples:
      crm interest show K0017
      crm interest show wang.fang --level 3
      crm interest show wang.fang --level 3 --explain
      crm interest show visitor:4718230593310982211 --as-of 2026-03-15 -f json
    """
    import polars as pl

    from crm.interest import building
    from crm.interest.persons import person
    from plugins.interest.telling import why

    meant = person(app, who)
    found = building.evidence(app, as_of, meant)
    made = found.contributions()
    of_level = pl.lit(True) if level is None else pl.col("level") == level
    rows = building.with_stances(found.interests(), building.stances(app, meant), found.as_of)
    if not rows.height:
        raise NothingFound("nothing is known of what this person is interested in")
    if explain:
        return made.drop("who").filter(of_level)
    titles = found.items.select(pl.lit("item").alias("level"), pl.col("item").alias("key"), "title")
    named = rows.join(titles, on=["level", "key"], how="left", maintain_order="left")
    told = named.join(why(made), on=["level", "key"], how="left", maintain_order="left")
    return told.filter(of_level).select("level", "key", "title", "weight", "stance", "events", "newest", "why")
