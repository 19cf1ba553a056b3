"""`crm logs top`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.filters import current_filters, filtered
from crm.messages import counted
from crm.output import table_output
from plugins.logs.options import OneOf

if TYPE_CHECKING:
    import polars as pl

    from plugins.logs.counting import Robots

FIELDS = (
    "status",
    "page",
    "path",
    "404",
    "referrer",
    "referrer-site",
    "agent",
    "host",
    "address",
    "method",
    "kind",
    "bot",
    "login",
    "query",
    "bytes",
)


@click.command(name="top")
@click.argument("field", type=OneOf(FIELDS), metavar="FIELD")
@click.option(
    "--robots",
    type=OneOf(("include", "exclude", "only")),
    default="include",
    show_default=True,
    metavar="include|exclude|only",
    help="Whether the hits of robots count.",
)
@filtered
@table_output(
    columns="status page path referrer referrer_site agent host address method kind bot login query "
    "hits share visitors bytes"
)
@pass_app
def command(app: App, field: str, robots: "Robots") -> "pl.DataFrame":
    """Count the stored hits by a field.

    FIELD is status, page, path, 404 (pages that were not found), referrer, referrer-site, agent, host,
    address, method, kind, bot (names of robots), login, query, or bytes (paths by the bytes sent, largest
    first).

    One row a value, most hits first: `hits`, `share` (of all hits counted; for bytes, of all bytes),
    `visitors` and `bytes`. Only hits between --since and --until count, and of them those for which --where is
    true; it may name any column of `crm tables hits`. Hits without a value (no referrer, say) have a share, too,
    which is told on stderr.

    \b
    Examples:
      crm logs top status
      crm logs top 404 -n 20 --robots exclude
      crm logs top referrer-site --since 30d -f csv
      crm logs top page --where "status >= 500 and host = 'shop.example'"
    """
    import polars as pl

    from plugins.logs import counting

    by = counting.field(field)
    hits = current_filters().rows(app, app.workspace().scan("hits"), "ts")
    found = counting.top(hits, by, robots).collect(engine="streaming")
    without = found.filter(pl.col(by.column).is_null())
    if without.height:
        hits, share = without["hits"][0], without["share"][0]
        told = f"{counted(hits, 'hit')} ({share or 0:.1%}) without {by.column.replace('_', ' ')}"
        app.note(f"{told} {'is' if hits == 1 else 'are'} not listed")
    return found.filter(pl.col(by.column).is_not_null())
