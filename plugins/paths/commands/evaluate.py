"""`crm paths evaluate`."""

from typing import TYPE_CHECKING

import click

from crm.app import App, pass_app
from crm.messages import counted
from crm.options import SHARE
from crm.output import table_output
from plugins.paths.options import current_source, from_sessions
from plugins.paths.order import order_option

if TYPE_CHECKING:
    import polars as pl


@click.command(name="evaluate")
@click.option(
    "--test-share",
    type=SHARE,
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="The share of the sessions to test with: the newest, or the last where there are no times.",
)
@order_option
@from_sessions
@table_output(columns="model steps hit_rate_1 hit_rate_5 hit_rate_10 mrr")
@pass_app
def command(app: App, test_share: float, order: int) -> "pl.DataFrame":
    """Measure how well the next page is predicted.

    Models learn from the older sessions, and rank all pages at every step of the newest: at each view that has a view
    before it in its session, knowing all of those. One row a model: kneser-ney is what `crm paths next` uses, first
    order takes what followed the last page most often, popularity what was viewed most often.

    `hit_rate_5` is the share of the steps at which the page that came was among the first five, and so on. `mrr` is the
    mean of 1 / its rank; a page that no older session has counts 0. --order is about kneser-ney alone.

    \b
    Examples:
      crm paths evaluate
      crm paths evaluate --order 1 --since 30d
      zcat visits.spmf.gz | crm paths evaluate --input - --input-format spmf \\
          --test-share 0.1 -f json
    """
    from plugins.paths.evaluation import compare, split

    if not 0 < test_share < 1:
        raise click.BadParameter(
            "it must leave sessions to learn from, and some to test with.", param_hint="--test-share"
        )
    older, newest = split(current_source(app).corpus(ordered=True), test_share)
    found = compare(older, newest, order)
    tested = counted(newest.sessions, "session")
    app.note(f"learned from {counted(older.sessions, 'session')}, tested with the {tested} after them")
    if found.unknown:
        app.note(f"pages that no older session has came at {found.unknown:,} of {found.models['steps'][0]:,} steps")
    if not found.models.height:
        app.note(
            "no page can be predicted: the newest sessions have no view with a view before it"
            if newest.sessions
            else "there are too few sessions to learn from some and to test with others"
        )
    return found.models
