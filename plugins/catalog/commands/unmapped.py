"""`crm catalog unmapped`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import filtered_like
from crm.messages import counted
from crm.output import impersonal, table_output

if TYPE_CHECKING:
    import polars as pl


@click.command(name="unmapped")
@filtered_like("views > 10 and page like '/item/%'")
@table_output(columns="page views sessions share item why")
@pass_app
def command(app: App) -> "pl.LazyFrame":
    """List pages of which it is not known what they are about, by traffic.

    A page is about an item by the rules `site.items` of the configuration, and so about the category that the catalogue
    has for it; or about a category by `site.categories`. `why` says what is missing. --since and --until are about the
    dates (UTC) on which sessions began; `share` is of all views.

    \b
    Examples:
      crm catalog unmapped -n 20
      crm catalog unmapped --since 7d --where "why <> 'no rule'"
    """
    import polars as pl

    from crm import catalog
    from crm.filters import current_filters
    from crm.site import SiteConfig
    from plugins.catalog.mapping import unmapped

    workspace = app.workspace()
    filters = current_filters()
    views = filters.between(workspace.scan("pages"), "date").group_by("page")
    traffic = views.agg(pl.col("views").sum(), pl.col("sessions").sum()).collect()
    found = unmapped(traffic, app.config.get("site", SiteConfig), catalog.items(workspace))
    impersonal()
    if traffic.height:
        seen = counted(int(traffic["views"].sum()), "view")
        app.note(
            f"{1 - found['share'].sum():.1%} of {seen} on pages with a category; "
            f"{found.height:,} of {counted(traffic.height, 'page')} without"
        )
    return filters.matching(app, found.lazy())
