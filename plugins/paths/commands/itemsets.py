"""`crm paths itemsets`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions, kind_of, kinds, max_items, min_support, top

if TYPE_CHECKING:
    import polars as pl

    from plugins.paths.support import Support


@click.command(name="itemsets")
@min_support("0.01")
@click.option("--min-items", type=click.IntRange(min=1), default=1, show_default=True, help="Fewest pages of a set.")
@max_items
@kinds("sets")
@top("sets")
@from_sessions
@table_output(columns="itemset length support share")
@pass_app
def command(
    app: App,
    min_support: "Support",
    min_items: int,
    max_items: int | None,
    closed: bool,
    maximal: bool,
    top: int | None,
) -> "pl.DataFrame":
    """Find the sets of pages that many sessions share.

    A set is in a session if all its pages were viewed there, in whatever order. `support` is the number of such
    sessions, `share` their share of all; `length` the number of pages. The most frequent come first, then by name.

    \b
    Examples:
      crm paths itemsets --min-items 2 -n 20
      crm paths itemsets --by category --closed
      crm paths itemsets --input groceries.csv --input-format baskets \\
          --min-support 1%
    """
    from plugins.paths.itemsets import SEPARATOR, itemsets
    from plugins.paths.telling import left_out, mined_corpus, most_candidates

    if max_items is not None and min_items > max_items:
        raise click.UsageError(f"--min-items {min_items} is more than --max-items {max_items}.")
    kind = kind_of(closed=closed, maximal=maximal)
    corpus = mined_corpus(app, current_source(app))
    least = min_support.count(corpus.sessions)
    found = itemsets(corpus, least, kind, max_items=max_items, min_items=min_items, top=top, most=most_candidates(app))
    left_out(app, "sets", least, found.minimum, top)
    frame = found.frame(corpus.names, corpus.sessions, SEPARATOR).rename({"pattern": "itemset"})
    return frame if top is None else frame.head(top)
